/**
 * Three web servers behind one address, balanced by Linux itself. It runs as root on any Linux with IPVS, for all addresses are local; give
 * it a network namespace of its own, with `lo` up.
 */
import assert from 'node:assert/strict'
import { ipvs } from 'ts-ipvs'
import { ask, Load, output, serve, show, tally } from './web.js'

const one = { address: '127.0.0.11', port: 8080 }
const two = { address: '127.0.0.12', port: 8080 }
const three = { address: '127.0.0.13', port: 8080 }
await serve('one', one.port, one.address)
await serve('two', two.port, two.address)
await serve('three', three.port, three.address)

await using lvs = await ipvs.open()

console.log('1. A virtual server that gives each new connection to the next real server (rr, round robin)\n')
const web = { protocol: 'tcp', address: '127.0.0.10', port: 80 } as const
await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
for (const server of [one, two, three]) await lvs.addRealServer(web, { ...server, forwarding: 'masquerade' })

const answers = []
for (let i = 1; i <= 6; i++) {
  const answer = await ask(web)
  answers.push(answer)
  show(`request ${i} to ${web.address}:${web.port} was answered by ${answer.server}`)
}
assert.deepEqual([...tally(answers).values()], [2, 2, 2], 'each has answered twice')

console.log('\n   What the kernel holds now, as ipvsadm -Ln shows it:\n')
const { virtualServers } = await lvs.snapshot()
show(ipvs.formatTable(virtualServers, await lvs.info()))
const table = output('ipvsadm', '-Ln')
if (table !== undefined) show(`\n$ ipvsadm -Ln\n${table}`)

console.log('2. A persistent virtual server: a client comes back to the real server that it had\n')
const shop = { protocol: 'tcp', address: '127.0.0.20', port: 80 } as const
await lvs.addVirtualServer({ ...shop, scheduler: 'rr', persistence: { timeout: 300 } })
for (const server of [one, two, three]) await lvs.addRealServer(shop, server)

for (const client of ['127.0.0.2', '127.0.0.3']) {
  const names: string[] = []
  for (let i = 1; i <= 4; i++) names.push((await ask(shop, client)).server)
  show(`client ${client} was answered by ${names.join(', ')}`)
  assert.equal(new Set(names).size, 1, 'a client stays with its real server')
}

console.log('\n3. Server two leaves the virtual server of 1. while 8 clients keep asking\n')
const load = new Load(8, () => ask(web))
await load.more(60)
const { outcome } = await lvs.drain(web, two, {
  interval: 0.05,
  onProgress: ({ remaining }) => show(`weight 0: no new connections for two; ${remaining} still open`),
})
assert.equal(outcome, 'drained')
await load.more(8) // those that were on their way
const since = await load.more(60)
await load.stop()
show(`${outcome}: two is gone, and the others go on`)
show(`${load.answers.length} requests were answered, ${load.failures.length} were not`)
assert.ok(!tally(since).has('two'), 'no new request came to the server that was drained')
assert.equal(load.failures.length, 0, 'no request was lost')

await lvs.removeVirtualServer(web)
await lvs.removeVirtualServer(shop)
