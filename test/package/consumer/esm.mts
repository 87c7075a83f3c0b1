/** What a program of ES modules does with the installed package. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { ipvs, NetlinkError, nft } from 'ts-ipvs'
import { formatTable, open, type VirtualServerConfig } from 'ts-ipvs/ipvs'
import { nativeTransport } from 'ts-ipvs/netlink'
import { memoryKernel } from 'ts-ipvs/testing'

const web: VirtualServerConfig = { protocol: 'tcp', address: '192.0.2.1', port: 80, scheduler: 'rr' }
// @ts-expect-error: a port is a number
const wrong: ipvs.VirtualServerKey = { ...web, port: '80' }

const memory = await ipvs.open({ transport: memoryKernel() })
await memory.addVirtualServer(web)
await assert.rejects(memory.addVirtualServer(web), error => error instanceof NetlinkError && error.problem === 'exists')
await assert.rejects(memory.addVirtualServer(wrong), TypeError)
const { virtualServers } = await memory.snapshot()
assert.match(formatTable(virtualServers, await memory.info()), /TCP {2}192\.0\.2\.1:80 rr/)
await memory.close()

const required = createRequire(import.meta.url)('ts-ipvs') as { readonly NetlinkError: unknown }
assert.equal(required.NetlinkError, NetlinkError)

// @ts-expect-error: a rule of this chain has no such expression
const nonsense: nft.Command = { add: { rule: { family: 'ip', table: 'web', chain: 'in', expressions: [{ kind: 'cmd' }] } } }
const filter = await nft.open({ transport: memoryKernel() })
await filter.commit([{ add: { table: { family: 'inet', name: 'web' } } }])
await assert.rejects(filter.commit([nonsense]), TypeError)
assert.deepEqual(
  (await filter.tables()).map(({ name }) => name),
  ['web'],
)
await filter.close()

const kernel = await open({ transport: nativeTransport() })
const answer = await kernel.info().then(
  () => 'as asked',
  ({ problem }: NetlinkError) => problem,
)
await kernel.close()
console.log(`the kernel answered: ${answer}`)
