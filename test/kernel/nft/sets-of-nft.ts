/** Sets that nft made: read, and written again elsewhere, nft lists the same. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { type Element, type NftClient, type NftSet, open as openNft } from '../../../lib/nft/index.js'
import type { Case, LinuxContext } from './case.js'
import { PROGRAMS } from './programs.js'

/** Sets and maps of a table with the chain `c` and the counters `c1` and `c2`, as nft's own text. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  'addresses and numbers': [
    'set a { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.2 } }',
    'set b { type ipv6_addr; elements = { ::1, 2001:db8::1, ::ffff:1.2.3.4 } }',
    'set d { type ether_addr; elements = { 01:02:03:04:05:06 } }',
    'set e { type mark; elements = { 0x1, 0x100, 0xffffffff } }',
    'set f { type inet_proto; elements = { tcp, udp, 255, icmp, ipv6-icmp } }',
    'set g { type inet_service; elements = { 80, 443 } }',
    'set h { type time; elements = { 1h } }',
    'set i { type realm; elements = { 5 } }',
    'set j { type ct_state; elements = { established, new } }',
    'set k { type icmp_type; elements = { echo-request, 5 } }',
    'set l { type pkt_type; elements = { broadcast, multicast } }',
    'set m { type boolean; elements = { exists, missing } }',
    'set n { type ether_type; elements = { ip, arp, 0x1234 } }',
    'set o { type tcp_flag; elements = { syn, ack } }',
    'set p { type fib_addrtype; elements = { local, broadcast } }',
    'set q { type devgroup; elements = { 5 } }',
    'set r { type dscp; elements = { cs1, 5 } }',
    'set s { type ifname; elements = { "lo", "eth\\*", "abcdefghijklmno" } }',
  ],
  ranges: [
    'set a { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 192.168.0.1, 1.0.0.0-1.0.0.255, 1.0.1.0-1.0.1.3 } }',
    'set b { type ipv4_addr; flags interval; elements = { 0.0.0.0/8, 240.0.0.0/4 } }',
    'set d { type ipv4_addr; flags interval; elements = { 0.0.0.0/0 } }',
    'set e { type ipv6_addr; flags interval; elements = { fe80::/10, ::1, 2001:db8::-2001:db8::5, ff00::/8 } }',
    'set f { type inet_service; flags interval; elements = { 1-5, 6-9, 443, 60000-65535 } }',
    'set g { type inet_service; flags interval; auto-merge; elements = { 1-5, 3-8, 9 } }',
    'set h { type mark; flags interval; elements = { 1-5, 6-9, 0x100, 0xfffffff0-0xffffffff } }',
    'set i { type ifname; flags interval; elements = { "eth*", "lo", "veth0" } }',
    'set j { type dscp; flags interval; elements = { cs1, 40-63 } }',
    'set k { type ether_addr; flags interval; elements = { 01:02:03:04:05:06, 02:00:00:00:00:00-02:00:00:00:00:ff } }',
    'set l { type uid; flags interval; elements = { 0-100, 1000 } }',
    'set m { type ipv4_addr; flags interval; elements = { 255.0.0.0/8 comment "top", 1.0.0.0/8 comment "low" } }',
    'set n { type ipv4_addr; flags interval; counter; elements = { 1.1.0.0/16 counter packets 5 bytes 100, 250.0.0.0-255.255.255.255 } }',
    'set o { type ipv4_addr; flags interval; elements = { 1.1.1.0/24, * } }',
    'set p { type ipv4_addr; flags interval,timeout; elements = { 1.1.1.0/24 timeout 10d, 1.1.2.0/24 } }',
  ],
  'what nft keeps as typeof': [
    'set a { typeof meta length; elements = { 2, 100 } }',
    'set b { typeof ip length; flags interval; elements = { 2-5, 100 } }',
    'set d { typeof ct zone; elements = { 2, 100 } }',
    'set e { typeof meta time; elements = { "2020-01-01" } }',
    'set f { typeof meta day; elements = { "Monday" } }',
    'set g { typeof meta hour; elements = { "12:00" } }',
    'set h { typeof ct bytes; elements = { 1, 18446744073709551615 } }',
    'set i { typeof osf name; elements = { "Linux" } }',
    'set j { typeof @nh,16,20; elements = { 0x12345 } }',
    'set k { typeof vlan id; elements = { 5, 4095 } }',
    'set l { typeof ip length . meta length; elements = { 100 . 2 } }',
    'set m { typeof ip length . meta length; flags interval; elements = { 100 . 2-5 } }',
    'set n { typeof ip saddr . meta mark . th dport; elements = { 1.2.3.4 . 5 . 80 } }',
    'set o { typeof ip length . ct bytes . meta length . ip saddr; elements = { 100 . 7 . 2 . 1.2.3.4 } }',
    'map p { typeof ip saddr . meta mark : ct mark; elements = { 1.1.1.1 . 0x5 : 0x7 } }',
    'map q { typeof meta length : ip id; elements = { 5 : 7 } }',
  ],
  concatenations: [
    'set a { type ipv4_addr . inet_proto . inet_service; elements = { 10.0.0.1 . tcp . 80, 10.0.0.2 . udp . 53 } }',
    'set b { type mark . ipv4_addr . inet_service; elements = { 1 . 10.0.0.0 . 80 , 0x100 . 1.2.3.4 . 443 } }',
    'set d { type ifname . ipv4_addr; elements = { "eth0" . 10.0.0.1 } }',
    'set e { type mark . ipv4_addr; flags interval; elements = { 1-5 . 10.0.0.0/8, 0x100 . 1.2.3.4 } }',
    'set f { type ifname . mark; flags interval; elements = { "eth*" . 5, "lo" . 6-7 } }',
    'set g { type ipv4_addr . ipv4_addr . mark . inet_proto . inet_service; elements = { 1.1.1.1 . 2.2.2.2 . 5 . tcp . 80 } }',
    'set h { type ipv6_addr . inet_service; flags interval; elements = { 2001:db8::/32 . 80-90, ::1 . 443 comment "one" } }',
    'set i { type ether_addr . ipv4_addr; flags interval; elements = { 01:02:03:04:05:06 . 10.0.0.0/24 } }',
  ],
  'fields of sets and elements': [
    'set a { type ipv4_addr; flags timeout; timeout 1d; gc-interval 7s; size 100; comment "hi"; elements = { 1.1.1.1, 1.1.1.2 timeout 10d } }',
    'set b { type ipv4_addr; elements = { 1.1.1.1 comment "one", 1.1.1.2 comment "two" } }',
    'set d { type ipv4_addr; counter; elements = { 1.1.1.1 counter packets 5 bytes 100, 1.1.1.2 } }',
    'set e { type ipv4_addr; limit rate 5/second burst 5 packets; elements = { 1.1.1.1 limit rate 1/second burst 5 packets, 1.1.1.2 } }',
    'set f { type ipv4_addr; counter quota 50 bytes; elements = { 1.1.1.1 } }',
    'set g { type ipv4_addr; flags dynamic,timeout; timeout 1h; size 1000; }',
    'set h { type ipv4_addr; policy memory; size 5; elements = { 1.1.1.1 } }',
    'set i { type ipv4_addr; flags constant; elements = { 1.1.1.1 } }',
    'set j { type ipv4_addr; elements = { 1.1.1.1, * comment "all others" } }',
    'set k { type ipv4_addr; }',
  ],
  maps: [
    'map a { type ipv4_addr : mark; elements = { 1.1.1.1 : 0x5, 1.1.1.2 : 0x100 } }',
    'map b { type ipv4_addr : verdict; elements = { 1.1.1.1 : accept, 1.1.1.2 : drop, 1.1.1.3 : jump c, 1.1.1.4 : goto c, * : return } }',
    'map d { type inet_service : verdict; flags interval; elements = { 1-5 : accept, 6-65535 comment "rest" : jump c } }',
    'map e { type ipv4_addr . inet_service : verdict; flags interval; elements = { 10.0.0.0/8 . 80-90 : accept, 1.1.1.1 . 443 : drop } }',
    'map f { type ipv4_addr : counter; elements = { 1.1.1.1 : "c1", 1.1.1.2 : "c2" } }',
    'map g { type ipv4_addr : counter; flags interval; elements = { 1.1.1.0/24 : "c1", 1.2.0.0-1.2.0.5 : "c2" } }',
    'map h { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; elements = { 10.0.0.1 . tcp . 80 : 10.1.0.1 . 8080 } }',
    'map i { type ipv4_addr : interval ipv4_addr; elements = { 1.1.1.1 : 10.0.0.1-10.0.0.5, 1.1.1.2 : 10.0.0.0/24 } }',
    'map j { type ipv4_addr : interval ipv4_addr . inet_service; elements = { 1.1.1.1 : 1.2.3.4 . 80-90, 1.1.1.2: 10.0.0.0/8 . 80 } }',
    'map k { type ipv4_addr . inet_service : interval ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 80 : 10.0.0.0/24 . 8080-8090 } }',
    'map l { type mark : ifname; elements = { 1 : "eth0", 2 : "lo" } }',
    'map m { type ipv4_addr : classid; elements = { 1.1.1.1 : 1:2 } }',
    'map n { type ipv4_addr : verdict; counter; elements = { 1.1.1.1 counter packets 1 bytes 2 : accept } }',
    'map o { type ipv4_addr : mark; flags interval,timeout; elements = { 1.1.1.0/24 timeout 1d : 0x5 } }',
  ],
}

/** Without what is only told. The kernel counts nft's end of nothing, in front of all intervals, as half an element. */
const ordinary = ({ handle: _handle, count: _count, ...set }: NftSet): unknown => set

/** In some order, whatever that of the kernel is, and whatever is left of a time-out. */
const sorted = (elements: readonly Element[]): string[] =>
  elements.map(element => inspect(element, { depth: null }).replace(/, expires: [\d.]+/, '')).sort()

async function listed({ sh }: LinuxContext, program: string, netns: string): Promise<string> {
  return (await sh(`ip netns exec ${netns} ${program} list ruleset`)).replace(/ expires \w+/g, '')
}

/** Reads all sets of one namespace and writes them into another. */
async function copy(from: NftClient, to: NftClient): Promise<Map<NftSet, readonly Element[]>> {
  const copied = new Map<NftSet, readonly Element[]>()
  for (const set of await from.sets()) copied.set(set, await from.elements(set).toArray())
  await to.commit([...copied].flatMap(([set, elements]) => [{ add: { set } }, { add: { elements: { set, elements } } }]))
  return copied
}

async function run(context: LinuxContext, program: string, bodies: readonly string[]): Promise<void> {
  const { netns, sh, another, after } = context
  const other = await another()
  const file = join(tmpdir(), `ts-ipvs-${netns}.nft`)
  after(() => sh(`rm -f ${file}`))
  const common = 'counter c1 { packets 1 bytes 2; }\n counter c2 { packets 0 bytes 0; }\n chain c { }'
  await writeFile(file, `table ip t {\n ${common}\n}\n`)
  await sh(`ip netns exec ${other} ${program} -f ${file}`)
  await writeFile(file, `table ip t {\n ${common}\n ${bodies.join('\n ')}\n}\n`)
  await sh(`ip netns exec ${netns} ${program} -f ${file}`)
  const to = await openNft({ netns: { name: other } })
  after(() => to.close())
  const copied = await copy(await context.open(), to)
  assert.equal(copied.size, bodies.length)
  assert.deepEqual((await to.sets()).map(ordinary), [...copied.keys()].map(ordinary))
  for (const [set, elements] of copied) assert.deepEqual(sorted(await to.elements(set).toArray()), sorted(elements), set.name)
  assert.equal(await listed(context, program, other), await listed(context, program, netns))
}

export const cases: readonly Case[] = Object.entries(GROUPS).map(([title, bodies]) => ({
  name: `sets of nft: ${title}: read and written elsewhere, they are listed the same`,
  needs: 'linux',
  async run(context) {
    for (const program of PROGRAMS) {
      await run(context, program, bodies)
      const nf = await context.open()
      await nf.commit([{ delete: { table: { family: 'ip', name: 't' } } }])
    }
  },
}))
