/** What only the real kernel tells. */
import assert from 'node:assert/strict'
import { MessageWriter } from '../../../../lib/netlink/buffer.js'
import { NETLINK_NETFILTER, type Transport } from '../../../../lib/netlink/index.js'
import { endMessage, NLM_F_ACK, NLM_F_REQUEST } from '../../../../lib/netlink/message.js'
import { beginNetfilter } from '../../../../lib/netlink/netfilter.js'
import type { BaseChain, QuotaObject } from '../../../../lib/nft/index.js'
import { BATCH_BEGIN, BATCH_END, chainAttributes, message, messageType, NFNL_SUBSYS_NFTABLES } from '../../../../lib/nft/wire.js'
import type { Case } from '../case.js'
import { next, summary } from './mirror.js'

/** Takes interfaces from the chain c of the table n, as nft 1.0.8 does. */
async function unbind(transport: Transport, devices: readonly string[]): Promise<void> {
  const socket = transport.open({ protocol: NETLINK_NETFILTER })
  const writer = new MessageWriter(1024)
  const begin = (type: number, flags: number, sequence: number, family: number, resource: number): number =>
    beginNetfilter(writer, type, NLM_F_REQUEST | flags, sequence, family, resource)
  endMessage(writer, begin(BATCH_BEGIN, 0, 1, 0, NFNL_SUBSYS_NFTABLES))
  const start = begin(messageType(message.deleteChain), NLM_F_ACK, 2, 5, 0)
  chainAttributes.encode(writer, { table: 'n', name: 'c', hook: { number: 0, priority: 0, devices } })
  endMessage(writer, start)
  endMessage(writer, begin(BATCH_END, 0, 3, 0, NFNL_SUBSYS_NFTABLES))
  await socket.exchange(writer.written(), 2, 1000)
  await socket.close()
}

export const cases: readonly Case[] = [
  {
    name: 'what the nft command does is told with its name, whatever kind of object it is',
    needs: 'linux',
    async run({ open, inside }) {
      const nf = await open()
      const events = nf.watch({ initial: true })
      await next(events)
      const rows: readonly (readonly [command: string, changes: readonly string[]])[] = [
        ['add table inet web', ['added table web']],
        ['add chain inet web in { type filter hook input priority 0; }', ['added chain in']],
        ['add rule inet web in tcp dport 80 accept comment "first"', ['added rule first']],
        ['add set inet web s { type ipv4_addr; }', ['added set s']],
        ['add element inet web s { 10.0.0.1 }', ['added elements s']],
        ['add quota inet web q 10 mbytes', ['added object q']],
        ['add quota inet web q 20 mbytes', ['changed object q']],
        ['add chain inet web in { policy drop; }', ['changed chain in']],
        ['add table inet web { flags dormant; }', ['changed table web']],
        ['flush set inet web s', ['removed elements s']],
        ['delete quota inet web q', ['removed object q']],
        ['flush ruleset', ['removed rule first', 'removed set s', 'removed chain in', 'removed table web']],
      ]
      for (const [command, changes] of rows) {
        await inside(`nft '${command}'`)
        const event = await next(events)
        assert.equal(event.process?.name, 'nft')
        assert.equal(event.own, false)
        assert.deepEqual(summary(event), changes, command)
      }
    },
  },
  {
    name: 'a quota that packets use up is a change that no process made',
    needs: 'linux',
    async run({ open, inside }) {
      const nf = await open()
      await inside('nft add table inet web')
      await inside('nft add quota inet web q over 100 bytes')
      await inside(`nft 'add chain inet web out { type filter hook output priority 0; }'`)
      await inside('nft add rule inet web out quota name q')
      const events = nf.watch()
      const generation = await nf.generation()
      await inside(
        `${process.execPath} -e "const s = dgram.createSocket('udp4'); s.send(Buffer.alloc(200), 9, '127.0.0.1', () => s.close())"`,
      )
      const event = await next(events)
      assert.deepEqual([event.generation, event.process, event.own], [generation, undefined, false])
      assert.deepEqual(summary(event), ['changed object q'])
      const states = [event.changes[0]?.before, event.changes[0]?.after].map(state => (state as QuotaObject).flags)
      assert.deepEqual(states, [['over'], ['over', 'depleted']])
      assert.deepEqual((await nf.objects()).length, 1)
    },
  },
  {
    name: 'interfaces that a chain is bound to, or no longer, are a change of it',
    needs: 'linux',
    async run({ open, inside, transport }) {
      const nf = await open()
      await inside('ip link add name one type veth peer name two')
      await inside('ip link add name three type veth peer name four')
      const netdev = { family: 'netdev', name: 'n' } as const
      const chain = { family: 'netdev', table: 'n', name: 'c', hook: 'ingress', devices: ['one', 'two'] } as const
      await nf.commit([{ add: { table: netdev } }, { add: { chain } }])
      const events = nf.watch({ initial: true })
      await next(events)
      const devices = async (change: Promise<unknown>) => {
        await change
        const { changes } = await next(events)
        assert.deepEqual(summary({ changes }), ['changed chain c'])
        return [changes[0]?.before, changes[0]?.after].map(state => [...((state as BaseChain).devices ?? [])].sort())
      }
      assert.deepEqual(await devices(nf.commit([{ add: { chain: { ...chain, devices: ['two', 'three'] } } }])), [
        ['one', 'two'],
        ['one', 'three', 'two'],
      ])
      assert.deepEqual(await devices(unbind(transport(), ['one', 'two'])), [['one', 'three', 'two'], ['three']])
      await nf.commit([{ delete: { chain: { family: 'netdev', table: 'n', name: 'c' } } }])
      assert.deepEqual(summary(await next(events)), ['removed chain c'])
    },
  },
  {
    name: 'who may not watch is told what is needed',
    needs: 'linux',
    async run({ netns, sh }) {
      const script = `import('${new URL('../../../../lib/nft/index.js', import.meta.url)}').then(async ({ open }) => {
        const nf = await open()
        try { nf.watch() } catch ({ problem, message }) { console.log(problem, message) }
        const { available, reason } = await nf.capabilities()
        console.log(available, reason.problem)
        await nf.close()
      })`
      const printed = await sh(
        `ip netns exec ${netns} setpriv --reuid 65534 --clear-groups --inh-caps=-all ${process.execPath} -e "${script}"`,
      )
      assert.match(printed, /^not-permitted watch: .*CAP_NET_ADMIN: run as root \(EPERM\)\nfalse not-permitted\n$/)
    },
  },
  {
    name: 'in a user namespace there are events and capabilities, too, and smaller buffers',
    needs: 'linux',
    async run({ sh }) {
      const script = `import('${new URL('../../../../lib/nft/index.js', import.meta.url)}').then(async ({ open }) => {
        const nf = await open()
        const events = nf.watch()
        const { available, privileged, sendBuffer } = await nf.capabilities()
        await nf.commit([{ add: { table: { family: 'inet', name: 'web' } } }])
        const { value } = await events.next()
        console.log(available, privileged, sendBuffer < 0x3fffffff, value.own, value.changes.length)
        await nf.close()
      })`
      assert.equal(
        await sh(`unshare --user --map-root-user --net ${process.execPath} -e "${script}"`),
        'true false true true 1\n',
      )
    },
  },
]
