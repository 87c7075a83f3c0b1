/**
 * Three web servers behind one address, balanced by Linux itself. It runs as root on any Linux with IPVS, for all addresses are local;
 * `npm start` gives it a network namespace of its own.
 */
import assert from 'node:assert/strict'
import { ipvs } from 'ts-ipvs'
import { ask, ipvsadm, Load, startBackend } from './backends.js'

const one = await startBackend('one', '127.0.0.11', 8080)
const two = await startBackend('two', '127.0.0.12', 8080)
const three = await startBackend('three', '127.0.0.13', 8080)
const backends = [one, two, three]

await using lvs = await ipvs.open()

console.log('1. A virtual server that gives each new connection to the next backend (rr, round robin)\n')
const web = { protocol: 'tcp', address: '127.0.0.10', port: 80 } as const
await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
for (const { address, port } of backends) await lvs.addRealServer(web, { address, port, forwarding: 'masquerade' })

const answered = new Set<string>()
for (let i = 1; i <= 6; i++) {
  const name = await ask(web)
  answered.add(name)
  console.log(`   request ${i} to ${web.address}:${web.port} was answered by backend ${name}`)
}
assert.equal(answered.size, backends.length, 'every backend has answered')

console.log('\n   What the kernel holds now, as ipvsadm -Ln shows it:\n')
const { virtualServers } = await lvs.snapshot()
print(ipvs.formatTable(virtualServers, await lvs.info()))
const table = ipvsadm('-Ln')
if (table) print(`\n$ ipvsadm -Ln\n${table}`)

console.log('\n2. A persistent virtual server: a client comes back to the backend that it had\n')
const shop = { protocol: 'tcp', address: '127.0.0.20', port: 80 } as const
await lvs.addVirtualServer({ ...shop, scheduler: 'rr', persistence: { timeout: 300 } })
for (const { address, port } of backends) await lvs.addRealServer(shop, { address, port })

for (const client of ['127.0.0.2', '127.0.0.3']) {
  const names: string[] = []
  for (let i = 1; i <= 4; i++) names.push(await ask(shop, client))
  console.log(`   client ${client} was answered by ${names.join(', ')}`)
  assert.equal(new Set(names).size, 1, 'a client stays with its backend')
}

console.log(`\n3. Backend ${two.name} leaves the virtual server of 1. while 8 clients keep asking\n`)
const load = new Load(web, 8)
await load.more(60)
const { outcome } = await lvs.drain(web, two, {
  interval: 0.05,
  onProgress: ({ remaining }) => console.log(`   weight 0: no new connections for ${two.name}; ${remaining} still open`),
})
const answersOfTwo = load.answersOf(two)
await load.more(60)
await load.stop()
console.log(`   ${outcome}: after ${answersOfTwo} answers ${two.name} is gone, and the others go on`)
console.log(`   ${load.sent} requests sent, ${load.failed} failed\n`)
assert.equal(outcome, 'drained')
assert.equal(load.answersOf(two), answersOfTwo, 'no new request came to the drained backend')
assert.equal(load.failed, 0, 'no request was lost')

await lvs.removeVirtualServer(web)
await lvs.removeVirtualServer(shop)

function print(text: string): void {
  console.log(text.replaceAll(/^(?=.)/gm, '   '))
}
