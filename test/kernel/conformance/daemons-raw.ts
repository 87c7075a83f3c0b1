/** What the kernel makes of daemons and time-outs that the client would not ask for. */
import assert from 'node:assert/strict'
import { ipv4, ipv6, readText, readU16, readU32, text, textWithoutEnd, u8, u16, u32 } from '../support/bytes.js'
import type { AnywhereCase, Case } from '../support/case.js'
import { answers } from '../support/expect.js'
import { daemonOn } from '../support/objects.js'
import type { DaemonPayloads, Message } from '../support/raw.js'

type Row = readonly [words: string, spoilt: DaemonPayloads, code: string, read?: (daemon: DaemonPayloads) => void]

const daemons: Row[] = [
  ['state 0 is EINVAL', { STATE: u32(0) }, 'EINVAL'],
  ['state 3, both at once, is EINVAL', { STATE: u32(3) }, 'EINVAL'],
  ['a group that is no multicast address is EINVAL', { MCAST_GROUP: ipv4('10.0.0.1', 4) }, 'EINVAL'],
  ['an IPv6 group that is no multicast address is EINVAL', { MCAST_GROUP6: ipv6('2001:db8:0:0:0:0:0:1') }, 'EINVAL'],
  ['an interface that there is not is ENODEV', { MCAST_IFN: text('wlan42') }, 'ENODEV'],
  ['an interface without its NUL is EINVAL', { MCAST_IFN: textWithoutEnd('dummy0') }, 'EINVAL'],
  ['an interface of 16 characters is EINVAL', { MCAST_IFN: text('x'.repeat(16)) }, 'EINVAL'],
  [
    'an id above 255 is taken, which no message can carry',
    { SYNC_ID: u32(300) },
    'OK',
    daemon => assert.equal(readU32(daemon.SYNC_ID), 300),
  ],
  [
    'the port is in host order, unlike all others',
    { MCAST_PORT: u16(256) },
    'OK',
    daemon => assert.equal(readU16(daemon.MCAST_PORT), 256),
  ],
  [
    'of two groups the IPv4 one counts',
    { MCAST_GROUP: ipv4('224.1.2.3', 4), MCAST_GROUP6: ipv6('ff02:0:0:0:0:0:0:51') },
    'OK',
    daemon => assert.deepEqual([daemon.MCAST_GROUP, daemon.MCAST_GROUP6], [ipv4('224.1.2.3', 4), undefined]),
  ],
  ['a lifetime of 0 hops is the default', { MCAST_TTL: u8(0) }, 'OK', daemon => assert.deepEqual(daemon.MCAST_TTL, u8(1))],
]

function daemonCase([words, spoilt, code, read]: Row): AnywhereCase {
  return {
    name: `of a daemon, ${words}`,
    async run(context) {
      const raw = context.raw()
      const link = await context.link()
      await answers(raw.do('NEW_DAEMON', { daemon: { ...daemonOn(link), ...spoilt } }), code)
      const { messages } = await raw.dump('GET_DAEMON')
      assert.equal(messages.length, code === 'OK' ? 1 : 0)
      for (const { daemon = {} } of messages) {
        assert.equal(readText(daemon.MCAST_IFN), link)
        read?.(daemon)
        await answers(raw.tell('DEL_DAEMON', { daemon: { STATE: u32(1) } }), 'OK')
      }
    },
  }
}

const timeoutsOf = (config: Message | undefined) => [4, 5, 6].map(id => readU32(config?.top.get(id)))
const timeouts: [words: string, seconds: number, code: string][] = [
  ['0 leaves it as it is', 0, 'OK'],
  ['-1 is EINVAL', 0xffffffff, 'EINVAL'],
  ['INT_MAX is EINVAL, for jiffies would overflow', 0x7fffffff, 'EINVAL'],
]

export const cases: readonly Case[] = [
  ...daemons.map(daemonCase),
  ...timeouts.map(
    ([words, seconds, code]): Case => ({
      name: `of time-outs, ${words}`,
      async run(context) {
        const raw = context.raw()
        for (const name of ['TIMEOUT_TCP', 'TIMEOUT_TCP_FIN', 'TIMEOUT_UDP'] as const)
          await answers(raw.do('SET_CONFIG', { top: { [name]: u32(seconds) } }), code, name)
        const [config] = (await raw.do('GET_CONFIG')).messages
        assert.deepEqual(timeoutsOf(config), [900, 120, 300])
      },
    }),
  ),
  {
    name: 'of time-outs, INT_MAX / HZ seconds is the longest',
    async run(context) {
      const raw = context.raw()
      const longest = Math.floor(0x7fffffff / context.kernel.hz)
      await answers(raw.do('SET_CONFIG', { top: { TIMEOUT_UDP: u32(longest) } }), 'OK')
      await answers(raw.do('SET_CONFIG', { top: { TIMEOUT_UDP: u32(longest + 1) } }), 'EINVAL')
      const [config] = (await raw.do('GET_CONFIG')).messages
      assert.deepEqual(timeoutsOf(config), [900, 120, longest])
    },
  },
  {
    name: 'of a daemon, an id of 2 bytes is EINVAL, and the kernel says why',
    async run(context) {
      const daemon = { ...daemonOn(await context.link()), SYNC_ID: u16(5) }
      const { code, kernelMessage } = await context.raw().do('NEW_DAEMON', { daemon })
      assert.equal(code, 'EINVAL')
      assert.match(kernelMessage ?? '', /failed policy validation/)
    },
  },
  {
    name: 'of time-outs, one of 2 bytes is ERANGE, and the kernel says why',
    async run(context) {
      const { code, kernelMessage } = await context.raw().do('SET_CONFIG', { top: { TIMEOUT_TCP: u16(5) } })
      assert.equal(code, 'ERANGE')
      assert.match(kernelMessage ?? '', /failed policy validation/)
    },
  },
]
