/** What a program of ES modules does with the installed package. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { conntrack, ipvs, NetlinkError, nft, route } from 'ts-ipvs'
import type { FlowConfig } from 'ts-ipvs/conntrack'
import { formatTable, open, type VirtualServerConfig } from 'ts-ipvs/ipvs'
import { nativeTransport } from 'ts-ipvs/netlink'
import { directorySource } from 'ts-ipvs/proxy'
import type { RouteConfig } from 'ts-ipvs/route'
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

const local: RouteConfig = { destination: '10.96.0.0/12', type: 'local', device: 'lo' }
const routes = await route.open({ transport: memoryKernel() })
await routes.addRoute(local)
await assert.rejects(routes.addRoute(local), error => error instanceof NetlinkError && error.problem === 'exists')
await routes.close()

const dns: FlowConfig = {
  original: { protocol: 'udp', source: '10.0.0.1', destination: '10.96.0.10', sourcePort: 5353, destinationPort: 53 },
  timeout: 30,
}
const tracked = await conntrack.open({ transport: memoryKernel() })
await tracked.add(dns)
assert.equal(await tracked.deleteMatching({ protocol: 'udp' }), 1)
await tracked.close()

const manifests = mkdtempSync(join(tmpdir(), 'ts-ipvs-consumer.'))
writeFileSync(join(manifests, 'pod.yaml'), 'kind: Pod\nmetadata: { name: web-1 }\n')
const ending = new AbortController()
for await (const { changes } of directorySource({ path: manifests }).updates(ending.signal)) {
  assert.deepEqual(
    changes.map(({ kind, name }) => `${kind} ${name}`),
    ['Pod default/web-1'],
  )
  ending.abort()
}
rmSync(manifests, { recursive: true })

const kernel = await open({ transport: nativeTransport() })
const answer = await kernel.info().then(
  () => 'as asked',
  ({ problem }: NetlinkError) => problem,
)
await kernel.close()
console.log(`the kernel answered: ${answer}`)
