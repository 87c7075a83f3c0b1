/** Objects of connection tracking: helpers, time-outs, expectations (net/netfilter/nft_ct.c). */
import type { MessageWriter } from '../../../netlink/buffer.js'
import { EAFNOSUPPORT, EINVAL, ENOENT, EOPNOTSUPP, Errno } from '../../errno.js'
import { nestedRule, type Policy, string, u8Rule, u16Rule, u32Rule } from '../../policy.js'
import { type Nest, putBe32 } from '../attributes.js'
import { type ExpressionType, need, Told } from '../expression.js'
import { requireTracking } from '../expressions/ct.js'

const NFPROTO_INET = 1
const NFPROTO_IPV4 = 2
const NFPROTO_NETDEV = 5
const NFPROTO_BRIDGE = 7
const NFPROTO_IPV6 = 10
const NLA_F_NESTED = 0x8000

/** NF_CT_HELPER_NAME_LEN without the NUL */
const HELPER_NAME = 15
const TCP = 6
const UDP = 17

/** Helpers of Linux: their protocols, and whether they know IPv6. */
const HELPERS: Readonly<Record<string, { readonly protocols: readonly number[]; readonly ipv6: boolean }>> = {
  amanda: { protocols: [UDP], ipv6: true },
  ftp: { protocols: [TCP], ipv6: true },
  irc: { protocols: [TCP], ipv6: false },
  'netbios-ns': { protocols: [UDP], ipv6: false },
  pptp: { protocols: [TCP], ipv6: false },
  'Q.931': { protocols: [TCP], ipv6: true },
  RAS: { protocols: [UDP], ipv6: true },
  sane: { protocols: [TCP], ipv6: true },
  sip: { protocols: [TCP, UDP], ipv6: true },
  snmp: { protocols: [UDP], ipv6: false },
  tftp: { protocols: [UDP], ipv6: true },
}

const HELPER = { name: 1, layer3: 2, layer4: 3 } as const

export const ctHelper: ExpressionType = {
  name: 'ct',
  policy: { [HELPER.name]: string(HELPER_NAME), [HELPER.layer3]: u16Rule, [HELPER.layer4]: u8Rule },
  init({ family }, attributes) {
    need(attributes, HELPER.name, HELPER.layer4)
    const protocol = attributes.u8(HELPER.layer4) as number
    if (protocol === 0) throw new Errno(ENOENT)
    const layer3 = attributes.be16(HELPER.layer3) ?? family
    const opposite = layer3 === NFPROTO_IPV4 ? NFPROTO_IPV6 : NFPROTO_IPV4
    const one = layer3 === NFPROTO_IPV4 || layer3 === NFPROTO_IPV6
    if (one && family === opposite) throw new Errno(EINVAL)
    if (!one && ![NFPROTO_INET, NFPROTO_NETDEV, NFPROTO_BRIDGE].includes(layer3)) throw new Errno(EAFNOSUPPORT)
    const name = attributes.text(HELPER.name) as string
    const { protocols = [], ipv6 = false } = HELPERS[name] ?? {}
    if (!protocols.includes(protocol) || (layer3 === NFPROTO_IPV6 && !ipv6)) throw new Errno(ENOENT)
    requireTracking(family)
    const told = one ? layer3 : ipv6 ? NFPROTO_INET : NFPROTO_IPV4
    return new Told().text(HELPER.name, name).u8(HELPER.layer4, protocol).be16(HELPER.layer3, told)
  },
}

/** Seconds of each state of a protocol, from the first on (net/netfilter/nf_conntrack_proto_*.c). */
const TIMEOUTS: Readonly<Record<number, readonly number[]>> = {
  1: [30],
  [TCP]: [120, 60, 432000, 120, 60, 30, 120, 10, 120, 300, 300],
  [UDP]: [30, 120],
  47: [30, 180],
  58: [30],
  132: [10, 3, 3, 210, 3, 3, 3, 30, 0],
  136: [30, 120],
  255: [600],
}
const TIMEOUT = { layer3: 1, layer4: 2, data: 3 } as const

export const ctTimeout: ExpressionType = {
  name: 'ct',
  policy: { [TIMEOUT.layer3]: u16Rule, [TIMEOUT.layer4]: u8Rule, [TIMEOUT.data]: nestedRule },
  init({ family }, attributes) {
    need(attributes, TIMEOUT.layer4, TIMEOUT.data)
    const protocol = attributes.u8(TIMEOUT.layer4) as number
    const defaults = TIMEOUTS[protocol]
    if (!defaults) throw new Errno(EOPNOTSUPP)
    const seconds = readTimeouts(attributes, defaults)
    requireTracking(family)
    return new Told()
      .u8(TIMEOUT.layer4, protocol)
      .be16(TIMEOUT.layer3, attributes.be16(TIMEOUT.layer3) ?? family)
      .nest(TIMEOUT.data | NLA_F_NESTED, (writer: MessageWriter) => {
        for (const [i, value] of seconds.entries()) putBe32(writer, i + 1, value)
      })
  },
}

function readTimeouts(attributes: Nest, defaults: readonly number[]): number[] {
  const policy: Policy = Object.fromEntries(defaults.map((_, i) => [i + 1, u32Rule]))
  const given = attributes.nest(TIMEOUT.data, policy)
  return defaults.map((value, i) => given.be32(i + 1) ?? value)
}

const EXPECTATION = { layer3: 1, layer4: 2, port: 3, timeout: 4, size: 5 } as const
/** TCP, UDP, UDP-Lite, DCCP, SCTP */
const WITH_PORTS = [TCP, UDP, 136, 33, 132]

export const ctExpectation: ExpressionType = {
  name: 'ct',
  policy: {
    [EXPECTATION.layer3]: u16Rule,
    [EXPECTATION.layer4]: u8Rule,
    [EXPECTATION.port]: u16Rule,
    [EXPECTATION.timeout]: u32Rule,
    [EXPECTATION.size]: u8Rule,
  },
  init({ family }, attributes) {
    const { layer3, layer4, port, timeout, size } = EXPECTATION
    need(attributes, layer4, port, timeout, size)
    const network = attributes.be16(layer3) ?? family
    if (network !== NFPROTO_IPV4 && network !== NFPROTO_IPV6) throw new Errno(EAFNOSUPPORT)
    if (family !== NFPROTO_INET && family !== network) throw new Errno(EINVAL)
    const protocol = attributes.u8(layer4) as number
    if (!WITH_PORTS.includes(protocol)) throw new Errno(EOPNOTSUPP)
    requireTracking(family)
    return new Told()
      .be16(layer3, network)
      .u8(layer4, protocol)
      .be16(port, attributes.be16(port))
      .bytes(timeout, attributes.bytes(timeout)) // the only number in the machine's order
      .u8(size, attributes.u8(size))
  },
}
