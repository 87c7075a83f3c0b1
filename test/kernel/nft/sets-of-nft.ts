/** Sets that nft made: read, and written again elsewhere, nft lists the same. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { nativeTransport } from '../../../lib/netlink/index.js'
import { type Element, type NftSet, open as openNft } from '../../../lib/nft/index.js'
import type { Case, LinuxContext } from './case.js'
import { elementsOf } from './elements-of.js'

/** Each is the body of a set or a map of a table with the chain `c` and the counters `c1` and `c2`. */
const SETS: Readonly<Record<string, string>> = {
  'set addresses': 'type ipv4_addr; elements = { 10.0.0.1, 10.0.0.2 }',
  'set ipv6': 'type ipv6_addr; elements = { ::1, 2001:db8::1, ::ffff:1.2.3.4 }',
  'set prefixes': 'type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 192.168.0.1, 1.0.0.0-1.0.0.255, 1.0.1.0-1.0.1.3 }',
  'set top': 'type ipv4_addr; flags interval; elements = { 0.0.0.0/8, 240.0.0.0/4 }',
  'set all': 'type ipv4_addr; flags interval; elements = { 0.0.0.0/0 }',
  'set prefixes6': 'type ipv6_addr; flags interval; elements = { fe80::/10, ::1, 2001:db8::-2001:db8::5, ff00::/8 }',
  'set ports': 'type inet_service; flags interval; elements = { 1-5, 6-9, 443, 60000-65535 }',
  'set merged': 'type inet_service; flags interval; auto-merge; elements = { 1-5, 3-8, 9 }',
  'set marks': 'type mark; elements = { 0x1, 0x100, 0xffffffff }',
  'set markRanges': 'type mark; flags interval; elements = { 1-5, 6-9, 0x100, 0xfffffff0-0xffffffff }',
  'set names': 'type ifname; elements = { "lo", "eth\\*", "abcdefghijklmno" }',
  'set wildcards': 'type ifname; flags interval; elements = { "eth*", "lo", "veth0" }',
  'set protocols': 'type inet_proto; elements = { tcp, udp, 255, icmp, ipv6-icmp }',
  'set dscps': 'type dscp; elements = { cs1, 5 }',
  'set dscpRanges': 'type dscp; flags interval; elements = { cs1, 40-63 }',
  'set links': 'type ether_addr; flags interval; elements = { 01:02:03:04:05:06, 02:00:00:00:00:00-02:00:00:00:00:ff }',
  'set uids': 'type uid; flags interval; elements = { 0-100, 1000 }',
  'set times': 'type time; elements = { 1h }',
  'set realms': 'type realm; elements = { 5 }',
  'set states': 'type ct_state; elements = { established, new }',
  'set icmp': 'type icmp_type; elements = { echo-request, 5 }',
  'set packets': 'type pkt_type; elements = { broadcast, multicast }',
  'set found': 'type boolean; elements = { exists, missing }',
  'set ethers': 'type ether_type; elements = { ip, arp, 0x1234 }',
  'set flags': 'type tcp_flag; elements = { syn, ack }',
  'set kinds': 'type fib_addrtype; elements = { local, broadcast }',
  'set groups': 'type devgroup; elements = { 5 }',
  'set lengths': 'typeof meta length; elements = { 2, 100 }',
  'set ids': 'typeof ip length; flags interval; elements = { 2-5, 100 }',
  'set zones': 'typeof ct zone; elements = { 2, 100 }',
  'set dates': 'typeof meta time; elements = { "2020-01-01" }',
  'set days': 'typeof meta day; elements = { "Monday" }',
  'set hours': 'typeof meta hour; elements = { "12:00" }',
  'set bytes': 'typeof ct bytes; elements = { 1, 18446744073709551615 }',
  'set systems': 'typeof osf name; elements = { "Linux" }',
  'set offsets': 'typeof @nh,16,20; elements = { 0x12345 }',
  'set labels': 'typeof vlan id; elements = { 5, 4095 }',
  'set three': 'type ipv4_addr . inet_proto . inet_service; elements = { 10.0.0.1 . tcp . 80, 10.0.0.2 . udp . 53 }',
  'set withMark': 'type mark . ipv4_addr . inet_service; elements = { 1 . 10.0.0.0 . 80 , 0x100 . 1.2.3.4 . 443 }',
  'set withName': 'type ifname . ipv4_addr; elements = { "eth0" . 10.0.0.1 }',
  'set ranges': 'type mark . ipv4_addr; flags interval; elements = { 1-5 . 10.0.0.0/8, 0x100 . 1.2.3.4 }',
  'set wildRanges': 'type ifname . mark; flags interval; elements = { "eth*" . 5, "lo" . 6-7 }',
  'set typeofs': 'typeof ip length . meta length; elements = { 100 . 2 }',
  'set typeofRanges': 'typeof ip length . meta length; flags interval; elements = { 100 . 2-5 }',
  'set typeofMixed': 'typeof ip saddr . meta mark . th dport; elements = { 1.2.3.4 . 5 . 80 }',
  'set five': 'type ipv4_addr . ipv4_addr . mark . inet_proto . inet_service; elements = { 1.1.1.1 . 2.2.2.2 . 5 . tcp . 80 }',
  'set times1': 'type ipv4_addr; flags timeout; timeout 1d; gc-interval 7s; size 100; comment "hi"; elements = { 1.1.1.1, 1.1.1.2 timeout 10d }',
  'set comments': 'type ipv4_addr; elements = { 1.1.1.1 comment "one", 1.1.1.2 comment "two" }',
  'set topComment': 'type ipv4_addr; flags interval; elements = { 255.0.0.0/8 comment "top", 1.0.0.0/8 comment "low" }',
  'set counted': 'type ipv4_addr; counter; elements = { 1.1.1.1 counter packets 5 bytes 100, 1.1.1.2 }',
  'set limited': 'type ipv4_addr; limit rate 5/second burst 5 packets; elements = { 1.1.1.1 limit rate 1/second burst 5 packets, 1.1.1.2 }',
  'set both': 'type ipv4_addr; counter quota 50 bytes; elements = { 1.1.1.1 counter packets 5 bytes 100 quota 50 bytes }',
  'set countedRanges': 'type ipv4_addr; flags interval; counter; elements = { 1.1.0.0/16 counter packets 5 bytes 100, 250.0.0.0-255.255.255.255 }',
  'set dynamic': 'type ipv4_addr; flags dynamic,timeout; timeout 1h; size 1000',
  'set small': 'type ipv4_addr; policy memory; size 5; elements = { 1.1.1.1 }',
  'set constant': 'type ipv4_addr; flags constant; elements = { 1.1.1.1 }',
  'set others': 'type ipv4_addr; elements = { 1.1.1.1, * comment "all others" }',
  'set othersRanges': 'type ipv4_addr; flags interval; elements = { 1.1.1.0/24, * }',
  'map marks1': 'type ipv4_addr : mark; elements = { 1.1.1.1 : 0x5, 1.1.1.2 : 0x100 }',
  'map verdicts': 'type ipv4_addr : verdict; elements = { 1.1.1.1 : accept, 1.1.1.2 : drop, 1.1.1.3 : jump c, 1.1.1.4 : goto c, * : return }',
  'map verdictRanges': 'type inet_service : verdict; flags interval; elements = { 1-5 : accept, 6-65535 : jump c comment "rest" }',
  'map verdictTuples': 'type ipv4_addr . inet_service : verdict; flags interval; elements = { 10.0.0.0/8 . 80-90 : accept, 1.1.1.1 . 443 : drop }',
  'map counters': 'type ipv4_addr : counter; elements = { 1.1.1.1 : "c1", 1.1.1.2 : "c2" }',
  'map counterRanges': 'type ipv4_addr : counter; flags interval; elements = { 1.1.1.0/24 : "c1", 1.2.0.0-1.2.0.5 : "c2" }',
  'map endpoints': 'type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; elements = { 10.0.0.1 . tcp . 80 : 10.1.0.1 . 8080 }',
  'map pools': 'type ipv4_addr : interval ipv4_addr; elements = { 1.1.1.1 : 10.0.0.1-10.0.0.5, 1.1.1.2 : 10.0.0.0/24 }',
  'map portPools': 'type ipv4_addr : interval ipv4_addr . inet_service; elements = { 1.1.1.1 : 1.2.3.4 . 80-90, 1.1.1.2: 10.0.0.0/8 . 80 }',
  'map rangesToRanges':
    'type ipv4_addr . inet_service : interval ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 80 : 10.0.0.0/24 . 8080-8090 }',
  'map typeofs1': 'typeof ip saddr . meta mark : ct mark; elements = { 1.1.1.1 . 0x5 : 0x7 }',
  'map names1': 'type mark : ifname; elements = { 1 : "eth0", 2 : "lo" }',
  'map classes': 'type ipv4_addr : classid; elements = { 1.1.1.1 : 1:2 }',
}

async function listed({ sh }: LinuxContext, netns: string): Promise<string> {
  // What is left of a time-out is another a moment later.
  return (await sh(`ip netns exec ${netns} nft list ruleset`)).replace(/ expires \w+/g, '')
}

/** Without what is only told. The kernel counts nft's end of nothing, in front of all intervals, as half an element. */
const ordinary = ({ handle: _handle, count: _count, ...set }: NftSet): unknown => set

const sorted = (elements: readonly Element[]): string[] => elements.map(element => inspect(element, { depth: null })).sort()

async function copy(context: LinuxContext, kind: string, name: string, body: string): Promise<void> {
  const { netns, sh, another, after } = context
  const other = await another()
  const file = join(tmpdir(), `ts-ipvs-${netns}.nft`)
  after(() => sh(`rm -f ${file}`))
  const common = 'counter c1 { packets 1 bytes 2; }\n counter c2 { packets 0 bytes 0; }\n chain c { }'
  await writeFile(file, `table ip t {\n ${common}\n}\n`)
  await sh(`ip netns exec ${other} nft -f ${file}`)
  await writeFile(file, `table ip t {\n ${common}\n ${kind} x${name} { ${body} }\n}\n`)
  await sh(`ip netns exec ${netns} nft -f ${file}`)
  const from = await context.open()
  const to = await openNft({ netns: { name: other } })
  after(() => to.close())
  const [set] = await from.sets()
  assert.ok(set)
  const elements = await elementsOf(nativeTransport({ name: netns }), set)
  await to.commit([{ add: { set } }, { add: { elements: { set, elements } } }])
  assert.equal(await listed(context, other), await listed(context, netns))
  const [copied] = await to.sets()
  assert.ok(copied)
  assert.deepEqual(ordinary(copied), ordinary(set))
  assert.deepEqual(sorted(await elementsOf(nativeTransport({ name: other }), set)), sorted(elements))
}

export const cases: readonly Case[] = Object.entries(SETS).map(([title, body]): Case => {
  const [kind = '', name = ''] = title.split(' ')
  return {
    name: `sets of nft: ${kind} ${name}, read and written elsewhere, is listed the same`,
    needs: 'linux',
    run: context => copy(context, kind, name, body),
  }
})
