/** What the kernel makes of values that the client would not send, or would hide. */
import assert from 'node:assert/strict'
import {
  be16,
  flags,
  ipv4,
  ipv6,
  readText,
  readU16,
  readU32,
  text,
  textWithoutEnd,
  u8,
  u16,
  u32,
  zeros,
} from '../support/bytes.js'
import type { AnywhereCase, Case, Context } from '../support/case.js'
import { answers } from '../support/expect.js'
import { DEST, KEY, KEY6, SERVICE, SERVICE6, TUNNEL } from '../support/objects.js'
import type { DestPayloads, Message, Raw, ServicePayloads } from '../support/raw.js'

/** Payloads that one spoils, what the kernel says, and what it keeps of them. */
type Row<T> = readonly [words: string, spoilt: T, code: string, read?: (message: Message, context: Context) => void]

const services: Row<ServicePayloads>[] = [
  ['an address of 4 bytes is filled up to 16', { ADDR: ipv4('10.0.0.1', 4) }, 'OK', is('ADDR', ipv4('10.0.0.1'))],
  ['an address of 1 byte, too', { ADDR: ipv4('10.0.0.1', 1) }, 'OK', is('ADDR', ipv4('10.0.0.0'))],
  ['an address of 17 bytes is EINVAL', { ADDR: zeros(17) }, 'EINVAL'],
  ['family 0 is EAFNOSUPPORT', { AF: u16(0) }, 'EAFNOSUPPORT'],
  ['family 3 is EAFNOSUPPORT', { AF: u16(3) }, 'EAFNOSUPPORT'],
  ['a family of 1 byte is EINVAL', { AF: u8(2) }, 'EINVAL'],
  ['a port of 1 byte is EINVAL', { PORT: u8(80) }, 'EINVAL'],
  ['flags of 4 bytes change nothing, for their mask is 0', { FLAGS: u32(1) }, 'OK', hasFlags(2)],
  ['flags of 12 bytes are EINVAL', { FLAGS: zeros(12) }, 'EINVAL'],
  ['flags outside of the mask stay as they were', { FLAGS: flags(0xd, 0x9) }, 'OK', hasFlags(0x2 | 0x9)],
  ['flags that nobody knows are kept, and "hashed" is set', { FLAGS: flags(0xffffffc0) }, 'OK', hasFlags(0xffffffc2)],
  ['all flags at once are kept', { FLAGS: flags(0xffffffff) }, 'OK', hasFlags(0xffffffff)],
  ['a scheduler without its NUL is EINVAL', { SCHED_NAME: textWithoutEnd('rr') }, 'EINVAL'],
  ['a scheduler of 15 characters is looked for', { SCHED_NAME: text('x'.repeat(15)) }, 'ENOENT'],
  ['a scheduler of 16 characters is EINVAL', { SCHED_NAME: text('x'.repeat(16)) }, 'EINVAL'],
  ['an empty scheduler is ENOENT', { SCHED_NAME: text('') }, 'ENOENT'],
  [
    'the scheduler "none" is none, and not reported',
    { SCHED_NAME: text('none') },
    'OK',
    m => assert.match(readText(m.service?.SCHED_NAME) ?? 'none', /^none$/),
  ],
  ['an engine that there is not is ENOENT', { PE_NAME: text('nonesuch') }, 'ENOENT'],
  ['an engine of 17 characters is EINVAL', { PE_NAME: text('x'.repeat(17)) }, 'EINVAL'],
  ['a mask of IPv4 with holes is kept', { NETMASK: ipv4('0.255.0.255', 4) }, 'OK', is('NETMASK', ipv4('0.255.0.255', 4))],
  [
    'a time-out of 50,000,000 s overflows in jiffies',
    { TIMEOUT: u32(50_000_000) },
    'OK',
    (message, { kernel: { hz } }) =>
      assert.equal(readU32(message.service?.TIMEOUT), Math.floor(((50_000_000 * hz) % 2 ** 32) / hz)),
  ],
  ['an attribute that nobody knows is ignored', { UNKNOWN: zeros(4) }, 'OK', m => assert.equal(m.service?.UNKNOWN, undefined)],
]

const services6: Row<ServicePayloads>[] = [
  ['prefix length 0 is EINVAL', { NETMASK: u32(0) }, 'EINVAL'],
  ['prefix length 129 is EINVAL', { NETMASK: u32(129) }, 'EINVAL'],
  ['a mask of all ones is EINVAL', { NETMASK: u32(0xffffffff) }, 'EINVAL'],
  ['the prefix length is in host order', { NETMASK: u32(64) }, 'OK', is('NETMASK', u32(64))],
]

const dests: Row<DestPayloads>[] = [
  ['a negative weight is ERANGE', { WEIGHT: u32(0xffffffff) }, 'ERANGE'],
  ['weight -2147483648 is ERANGE', { WEIGHT: u32(0x80000000) }, 'ERANGE'],
  ['a weight of 2 bytes is EINVAL', { WEIGHT: u16(1) }, 'EINVAL'],
  ['a lower threshold above the upper one is ERANGE', { U_THRESH: u32(5), L_THRESH: u32(6) }, 'ERANGE'],
  ['a lower threshold alone is ERANGE, for the upper one is 0', { L_THRESH: u32(1) }, 'ERANGE'],
  ...[5, 6, 7].map(
    (method): Row<DestPayloads> => [
      `forwarding ${method}, which means nothing, is kept`,
      { FWD_METHOD: u32(method) },
      'OK',
      m => assert.equal(readU32(m.dest?.FWD_METHOD), method),
    ],
  ),
  ['forwarding 8 becomes 0', { FWD_METHOD: u32(8) }, 'OK', m => assert.equal(readU32(m.dest?.FWD_METHOD), 0)],
  ['forwarding 0x103 becomes 3', { FWD_METHOD: u32(0x103) }, 'OK', m => assert.equal(readU32(m.dest?.FWD_METHOD), 3)],
  ['without a family it has that of the service', {}, 'OK', m => assert.equal(readU16(m.dest?.ADDR_FAMILY), 2)],
  ['family 0 is that of the service', { ADDR_FAMILY: u16(0) }, 'OK', m => assert.equal(readU16(m.dest?.ADDR_FAMILY), 2)],
  ['family 3 is EAFNOSUPPORT', { ADDR_FAMILY: u16(3), FWD_METHOD: TUNNEL }, 'EAFNOSUPPORT'],
  [
    'tunnel type 9, which means nothing, is kept',
    { FWD_METHOD: TUNNEL, TUN_TYPE: u8(9) },
    'OK',
    m => assert.deepEqual(m.dest?.TUN_TYPE, u8(9)),
  ],
  [
    'tunnel flags that nobody knows are kept',
    { FWD_METHOD: TUNNEL, TUN_FLAGS: u16(0xffff) },
    'OK',
    m => assert.equal(readU16(m.dest?.TUN_FLAGS), 0xffff),
  ],
  [
    'a port of gue is in network order',
    { TUN_TYPE: u8(1), TUN_PORT: be16(6080) },
    'OK',
    m => assert.deepEqual(m.dest?.TUN_PORT, be16(6080)),
  ],
  ['gue with port 0 is EINVAL, whatever the forwarding', { TUN_TYPE: u8(1), TUN_PORT: be16(0) }, 'EINVAL'],
  ['gue without a port is EINVAL', { FWD_METHOD: TUNNEL, TUN_TYPE: u8(1) }, 'EINVAL'],
  [
    'an address of 4 bytes is filled up to 16',
    { ADDR: ipv4('10.1.0.1', 4) },
    'OK',
    m => assert.deepEqual(m.dest?.ADDR, ipv4('10.1.0.1')),
  ],
  ['an attribute that nobody knows is ignored', { UNKNOWN: zeros(4) }, 'OK', m => assert.equal(m.dest?.UNKNOWN, undefined)],
]

function is(name: keyof ServicePayloads, bytes: Buffer): (message: Message) => void {
  return message => assert.deepEqual(message.service?.[name], bytes)
}

function hasFlags(expected: number): (message: Message) => void {
  return message => assert.deepEqual(message.service?.FLAGS, flags(expected), 'the mask of a reply is all ones')
}

async function readService(raw: Raw): Promise<Message> {
  const [message] = (await raw.dump('GET_SERVICE')).messages
  assert.ok(message, 'there is a service')
  return message
}

function serviceCase(whole: ServicePayloads, [words, spoilt, code, read]: Row<ServicePayloads>): AnywhereCase {
  return {
    name: `of a service, ${whole === SERVICE6 ? 'on IPv6, ' : ''}${words}`,
    async run(context) {
      const raw = context.raw()
      await answers(raw.do('NEW_SERVICE', { service: { ...whole, ...spoilt } }), code)
      if (code === 'OK') read?.(await readService(raw), context)
      else assert.deepEqual((await raw.dump('GET_SERVICE')).messages, [], 'nothing was made')
    },
  }
}

function destCase([words, spoilt, code, read]: Row<DestPayloads>): AnywhereCase {
  return {
    name: `of a dest, ${words}`,
    async run(context) {
      const raw = context.raw()
      await answers(raw.do('NEW_SERVICE', { service: SERVICE }), 'OK')
      await answers(raw.do('NEW_DEST', { service: KEY, dest: { ...DEST, ...spoilt } }), code)
      const { messages } = await raw.dump('GET_DEST', { service: KEY })
      assert.equal(messages.length, code === 'OK' ? 1 : 0)
      for (const message of messages) read?.(message, context)
    },
  }
}

export const cases: readonly Case[] = [
  ...services.map(row => serviceCase(SERVICE, row)),
  ...services6.map(row => serviceCase(SERVICE6, row)),
  ...dests.map(destCase),
  ...[0, 1, 50, 65535].map(
    (protocol): Case => ({
      name: `of a service, protocol ${protocol} is taken, and the client can name and remove it`,
      async run({ raw, open }) {
        await answers(raw().do('NEW_SERVICE', { service: { ...SERVICE, PROTOCOL: u16(protocol) } }), 'OK')
        const lvs = await open()
        const [found] = await lvs.listVirtualServers().toArray()
        assert.deepEqual(found, { protocol, address: '10.0.0.1', port: 80, scheduler: 'rr' })
        assert.equal(await lvs.removeVirtualServer(found), true)
      },
    }),
  ),
  {
    name: 'of a service, firewall mark 0 makes one of TCP on 0.0.0.0:0',
    async run(context) {
      const raw = context.raw()
      const { PROTOCOL: _, ADDR: __, PORT: ___, ...rest } = SERVICE
      await answers(raw.do('NEW_SERVICE', { service: { ...rest, FWMARK: u32(0) } }), 'OK')
      const { service } = await readService(raw)
      assert.equal(service?.FWMARK, undefined)
      assert.deepEqual([service?.PROTOCOL, service?.ADDR, service?.PORT], [u16(6), ipv4('0.0.0.0'), be16(0)])
    },
  },
  {
    name: 'of a service, flags that are not masked survive SET_SERVICE, and the client leaves them alone',
    async run({ raw, open }) {
      const bytes = raw()
      await answers(bytes.do('NEW_SERVICE', { service: { ...SERVICE, FLAGS: flags(0x100) } }), 'OK')
      const lvs = await open()
      const vs = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
      await lvs.updateVirtualServer({ ...vs, scheduler: 'rr', persistence: { timeout: 60 } })
      assert.deepEqual((await readService(bytes)).service?.FLAGS, flags(0x100 | 2 | 1))
      const [found] = await lvs.listVirtualServers().toArray()
      assert.deepEqual(found, { ...vs, scheduler: 'rr', persistence: { timeout: 60 }, otherFlags: 0x100 })
    },
  },
  {
    name: 'of a dest, what the client has no word for is reported as a number',
    async run({ raw, open }) {
      const bytes = raw()
      await answers(bytes.do('NEW_SERVICE', { service: SERVICE }), 'OK')
      const odd = { ...DEST, FWD_METHOD: TUNNEL, TUN_TYPE: u8(9), TUN_PORT: be16(7), TUN_FLAGS: u16(4) }
      await answers(bytes.do('NEW_DEST', { service: KEY, dest: odd }), 'OK')
      await answers(bytes.do('NEW_DEST', { service: KEY, dest: { ...DEST, PORT: be16(81), FWD_METHOD: u32(6) } }), 'OK')
      const lvs = await open()
      const found = await lvs.listRealServers({ protocol: 'tcp', address: '10.0.0.1', port: 80 }).toArray()
      assert.deepEqual(
        found.map(({ forwarding, tunnel }) => ({ forwarding, tunnel })),
        [
          { forwarding: 6, tunnel: undefined },
          { forwarding: 'tunnel', tunnel: { type: 9, port: 7, flags: 4 } },
        ],
      )
    },
  },
  {
    name: 'of a dest, an upper threshold above 2147483647 is what this kernel makes of it',
    async run(context) {
      const raw = context.raw()
      await answers(raw.do('NEW_SERVICE', { service: SERVICE }), 'OK')
      const { hugeThreshold } = context.kernel
      await answers(raw.do('NEW_DEST', { service: KEY, dest: { ...DEST, U_THRESH: u32(0x80000000) } }), hugeThreshold)
      const { messages } = await raw.dump('GET_DEST', { service: KEY })
      assert.deepEqual(
        messages.map(({ dest }) => readU32(dest?.U_THRESH)),
        hugeThreshold === 'OK' ? [0x80000000] : [],
      )
    },
  },
  {
    name: 'of a dest, another family than the service goes through a tunnel only',
    async run(context) {
      const raw = context.raw()
      const six = { ...DEST, ADDR_FAMILY: u16(10), ADDR: ipv6('2001:db8:1:0:0:0:0:1') }
      await answers(raw.do('NEW_SERVICE', { service: SERVICE }), 'OK')
      await answers(raw.do('NEW_SERVICE', { service: SERVICE6 }), 'OK')
      for (const method of [0, 1, 3, 4, 5])
        await answers(raw.do('NEW_DEST', { service: KEY, dest: { ...six, FWD_METHOD: u32(method) } }), 'EINVAL')
      await answers(raw.do('NEW_DEST', { service: KEY, dest: { ...six, FWD_METHOD: TUNNEL } }), 'OK')
      await answers(raw.do('NEW_DEST', { service: KEY6, dest: { ...DEST, ADDR_FAMILY: u16(2), FWD_METHOD: TUNNEL } }), 'OK')
    },
  },
]
