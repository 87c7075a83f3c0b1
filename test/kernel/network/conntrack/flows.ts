/** Flows: put into the table, read, filtered, changed, deleted. */
import assert from 'node:assert/strict'
import type { Flow, FlowConfig, FlowFilter, Tuple } from '../../../../lib/conntrack/index.js'
import { refused } from '../../support/expect.js'
import type { Case } from '../case.js'

export const tuple = (
  protocol: Tuple['protocol'],
  from: string,
  sourcePort: number,
  to: string,
  destinationPort: number,
): Tuple => ({
  protocol,
  source: from,
  destination: to,
  sourcePort,
  destinationPort,
})

/** A connection to a service that is translated, and one of each other kind. */
const FLOWS: Readonly<Record<string, FlowConfig>> = {
  dns: {
    original: tuple('udp', '10.0.0.1', 5353, '10.96.0.10', 53),
    reply: tuple('udp', '10.1.0.7', 53, '10.0.0.1', 5353),
    timeout: 120,
    status: ['seen-reply'],
    mark: 0x4005,
  },
  web: {
    original: tuple('tcp', '10.0.0.2', 40000, '10.96.0.20', 80),
    reply: tuple('tcp', '10.1.0.8', 8080, '10.0.0.2', 40000),
    timeout: 3600,
    state: 'established',
    status: ['seen-reply', 'assured'],
  },
  zoned: { original: tuple('udp', '10.0.0.1', 1, '10.0.0.2', 2), timeout: 100, zone: 7 },
  ping: {
    original: { protocol: 'icmp', source: '10.0.0.1', destination: '10.0.0.2', icmp: { type: 8, code: 0, id: 77 } },
    timeout: 30,
  },
  six: { original: tuple('udp', '2001:db8::1', 1, '2001:db8::2', 53), timeout: 100 },
  ping6: {
    original: { protocol: 'icmpv6', source: '2001:db8::1', destination: '2001:db8::2', icmp: { type: 128, code: 0, id: 78 } },
    timeout: 30,
  },
  sctp: { original: tuple('sctp', '10.0.0.3', 5, '10.0.0.4', 6), timeout: 200, state: 'established' },
  other: { original: { protocol: 99, source: '10.0.0.5', destination: '10.0.0.6' }, timeout: 50 },
}

const nameOf = ({ original }: Flow): string | undefined =>
  Object.entries(FLOWS).find(([, flow]) => JSON.stringify(flow.original) === JSON.stringify(original))?.[0]

const ROWS: readonly (readonly [FlowFilter, readonly string[]])[] = [
  [{}, ['dns', 'other', 'ping', 'ping6', 'sctp', 'six', 'web', 'zoned']],
  [{ family: 'ipv6' }, ['ping6', 'six']],
  [{ protocol: 'udp' }, ['dns', 'six', 'zoned']],
  [{ protocol: 17, family: 'ipv4' }, ['dns', 'zoned']],
  [{ protocol: 99 }, ['other']],
  [{ protocol: 'icmp' }, ['ping']],
  [{ original: { destination: '10.96.0.10' } }, ['dns']],
  [{ original: { destination: '10.96.0.10', destinationPort: 53 }, protocol: 'udp' }, ['dns']],
  [{ original: { destinationPort: 53 } }, ['dns', 'six']],
  [{ original: { destinationPort: 53 }, family: 'ipv6', protocol: 'udp' }, ['six']],
  [{ original: { destination: '10.96.0.0/12' } }, ['dns', 'web']],
  [{ original: { source: '10.0.0.1' }, reply: { source: '10.1.0.0/16' } }, ['dns']],
  [{ reply: { source: '10.1.0.8', sourcePort: 8080 }, protocol: 'tcp' }, ['web']],
  [{ reply: { destination: '2001:db8::/64' } }, ['ping6', 'six']],
  [{ original: { source: '2001:db8::1' } }, ['ping6', 'six']],
  [{ protocol: 'udp', reply: { source: '2001:db8::2' } }, ['six']],
  [{ reply: { source: '2001:db8::3' } }, []],
  [{ reply: { source: '10.1.0.8' }, protocol: 'udp' }, []],
  [{ state: 'established' }, ['sctp', 'web']],
  [{ status: ['assured'] }, ['web']],
  [{ status: ['seen-reply'] }, ['dns', 'web']],
  [{ zone: 7 }, ['zoned']],
  [{ zone: 0, protocol: 'udp' }, ['dns', 'six']],
  [{ mark: 0x4000, mask: 0x4000 }, ['dns']],
  [{ mark: 0x4005 }, ['dns']],
  [{ mark: 0x4000 }, []],
  [{ mark: 0, protocol: 'tcp' }, ['web']],
]

export const cases: readonly Case[] = [
  {
    name: 'flows: each kind is read as it was written',
    async run({ conntrack }) {
      const client = await conntrack()
      for (const flow of Object.values(FLOWS)) await client.add(flow)
      const read = await client.flows().toArray()
      assert.equal(read.length, Object.keys(FLOWS).length)
      for (const flow of read) {
        const wanted = FLOWS[nameOf(flow) ?? '']
        assert.ok(wanted, JSON.stringify(flow))
        assert.equal(flow.family, wanted.original.source.includes(':') ? 'ipv6' : 'ipv4')
        if (wanted.reply) assert.deepEqual(flow.reply, wanted.reply)
        assert.deepEqual([flow.state, flow.zone, flow.mark], [wanted.state, wanted.zone, wanted.mark ?? 0])
        assert.deepEqual(flow.status, [...(wanted.status ?? []), 'confirmed'])
        assert.ok(
          (flow.timeout ?? 0) > wanted.timeout - 10 && (flow.timeout ?? 0) <= wanted.timeout,
          `${flow.timeout} of ${wanted.timeout}`,
        )
      }
      const ping = read.find(({ original }) => original.protocol === 'icmp')
      assert.deepEqual(ping?.reply, {
        protocol: 'icmp',
        source: '10.0.0.2',
        destination: '10.0.0.1',
        icmp: { type: 0, code: 0, id: 77 },
      })
      assert.deepEqual(await client.count(), { entries: read.length, maximum: (await client.count()).maximum })
    },
  },
  {
    name: 'flows: they are filtered by all that is given',
    async run({ conntrack }) {
      const client = await conntrack()
      for (const flow of Object.values(FLOWS)) await client.add(flow)
      for (const [filter, names] of ROWS) {
        const found = (await client.flows(filter).toArray()).map(nameOf)
        assert.deepEqual(found.sort(), [...names], JSON.stringify(filter))
      }
    },
  },
  {
    name: 'flows: one is found by each of its directions, changed, and deleted',
    async run({ conntrack }) {
      const client = await conntrack()
      const { dns, zoned } = FLOWS as Record<'dns' | 'zoned', FlowConfig>
      await client.add(dns)
      await client.add(zoned)
      const found = await client.get({ original: dns.original })
      assert.deepEqual(found?.original, dns.original)
      assert.equal((await client.get({ reply: dns.reply as Tuple }))?.id, found?.id)
      assert.equal(await client.get({ original: zoned.original }), undefined, 'without its zone')
      assert.equal((await client.get({ original: zoned.original, zone: 7 }))?.zone, 7)
      assert.equal(await client.update({ original: dns.original }, { mark: 0x30, mask: 0xf0, timeout: 500 }), true)
      const changed = await client.get({ original: dns.original })
      assert.equal(changed?.mark, 0x4035)
      assert.ok((changed?.timeout ?? 0) > 490)
      if (!found) return
      const { id = 0 } = found
      assert.equal(await client.delete({ ...found, id: (id + 1) % 0xffff_ffff }), false, 'another one')
      assert.equal(await client.delete(found), true)
      assert.equal(await client.delete(found), false)
      assert.equal(await client.update(found, { mark: 1 }), false)
      assert.equal(await client.get(found), undefined)
      assert.equal((await client.count()).entries, 1)
    },
  },
  {
    name: 'flows: those that a filter lets through are deleted, and no others',
    async run({ conntrack }) {
      const client = await conntrack()
      for (const flow of Object.values(FLOWS)) await client.add(flow)
      assert.equal(await client.deleteMatching({ protocol: 'udp', original: { destinationPort: 53 } }), 2)
      assert.equal(await client.deleteMatching({ protocol: 'udp', original: { destinationPort: 53 } }), 0)
      assert.equal(await client.deleteMatching({ zone: 7 }), 1)
      const left = (await client.flows().toArray()).map(nameOf)
      assert.deepEqual(left.sort(), ['other', 'ping', 'ping6', 'sctp', 'web'])
      await assert.rejects(client.deleteMatching({}), { name: 'TypeError', message: /no condition.*use `flush`/ })
      await assert.rejects(client.deleteMatching({ protocol: undefined }), { name: 'TypeError', message: /no condition/ })
      assert.equal((await client.count()).entries, 5)
    },
  },
  {
    name: 'flows: those of a family are flushed, or all',
    async run({ conntrack }) {
      const client = await conntrack()
      for (const flow of Object.values(FLOWS)) await client.add(flow)
      await client.flush('ipv6')
      assert.deepEqual((await client.flows().toArray()).map(nameOf).sort(), ['dns', 'other', 'ping', 'sctp', 'web', 'zoned'])
      await assert.rejects(client.flush(undefined as never), { name: 'TypeError', message: /which: is missing: give 'all'/ })
      assert.equal((await client.count()).entries, 6)
      await client.flush('all')
      assert.deepEqual(await client.flows().toArray(), [])
      assert.equal((await client.count()).entries, 0)
    },
  },
  {
    name: 'flows: what is there already, and what there is not, is told',
    async run({ conntrack }) {
      const client = await conntrack()
      const { dns } = FLOWS as Record<'dns', FlowConfig>
      await client.add(dns)
      await refused(client.add(dns), {
        problem: 'exists',
        code: 'EEXIST',
        operation: 'add',
        target: 'udp 10.0.0.1:5353 → 10.96.0.10:53',
        reason: /a flow with one of these directions/,
      })
      assert.equal((await client.count()).entries, 1)
    },
  },
  {
    name: 'flows: each processor has its counts',
    async run({ conntrack }) {
      const client = await conntrack()
      const statistics = await client.statistics()
      assert.ok(statistics.length > 0)
      assert.deepEqual(
        statistics.map(({ cpu }) => cpu),
        statistics.map((_, i) => i),
      )
      assert.ok(statistics.every(({ drop }) => drop >= 0))
    },
  },
  {
    name: 'flows: thousands are read and deleted page by page, and a reader that stops reads no more',
    async run({ conntrack }) {
      const client = await conntrack()
      const count = 1600
      for (let i = 0; i < count; i++)
        await client.add({
          original: tuple('udp', `10.0.${i >> 8}.${i & 255}`, 1000, '10.96.0.10', i % 2 ? 53 : 54),
          timeout: 600,
        })
      const sizes: number[] = []
      for await (const page of client.flows().pages()) sizes.push(page.length)
      assert.equal(
        sizes.reduce((sum, size) => sum + size, 0),
        count,
      )
      assert.ok(sizes.length > 1, `${sizes}`)
      for await (const { original } of client.flows()) {
        assert.equal(original.protocol, 'udp')
        break
      }
      assert.equal(await client.deleteMatching({ original: { destinationPort: 53 } }), count / 2)
      assert.equal((await client.count()).entries, count / 2)
    },
  },
  {
    name: 'flows: they are those of /proc/net/nf_conntrack',
    needs: 'linux',
    async run({ conntrack, inside }) {
      const client = await conntrack()
      const { dns, web, six, ping } = FLOWS as Record<'dns' | 'web' | 'six' | 'ping', FlowConfig>
      for (const flow of [dns, web, six, ping]) await client.add(flow)
      const listed = (await inside('cat /proc/net/nf_conntrack')).trim().split('\n')
      const lines = (await client.flows().toArray()).map(({ original, mark, zone = 0 }) => {
        const { protocol, sourcePort, destinationPort } = original
        return listed.filter(
          line =>
            line.includes(` ${protocol} `) &&
            (sourcePort === undefined || line.includes(`sport=${sourcePort} dport=${destinationPort}`)) &&
            line.includes(`mark=${mark}`) &&
            line.includes(`zone=${zone}`),
        ).length
      })
      assert.deepEqual(lines, [1, 1, 1, 1], listed.join('\n'))
    },
  },
  {
    name: 'flows: packets of real connections, with their counters, states and translation',
    needs: 'linux',
    async run({ conntrack, inside }) {
      await inside('sysctl -q -w net.netfilter.nf_conntrack_acct=1')
      await inside(
        `nft 'table ip t { chain o { type nat hook output priority -100; ip daddr 10.96.0.10 udp dport 53 dnat to 127.0.0.1:9053; }; chain i { type filter hook input priority 0; ct state new counter; }; }'`,
      )
      await inside('ip route add 10.96.0.0/12 dev lo src 127.0.0.1')
      const client = await conntrack()
      await inside(`node -e "
        const s = require('node:dgram').createSocket('udp4').bind(9053, () => c.send('x', 53, '10.96.0.10'))
        const c = require('node:dgram').createSocket('udp4').bind(4000)
        s.on('message', (m, { port, address }) => s.send('yy', port, address))
        c.on('message', () => process.exit())"`)
      const [flow] = await client.flows({ protocol: 'udp', original: { destination: '10.96.0.10' } }).toArray()
      assert.deepEqual(flow?.reply.source, '127.0.0.1')
      assert.equal(flow?.reply.sourcePort, 9053)
      assert.deepEqual(
        flow?.status.filter(flag => flag === 'destination-nat' || flag === 'seen-reply'),
        ['seen-reply', 'destination-nat'],
      )
      assert.deepEqual(flow?.counters, { original: { packets: 1n, bytes: 29n }, reply: { packets: 1n, bytes: 30n } })
    },
  },
]
