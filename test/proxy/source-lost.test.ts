/** A source that disappears. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { directorySource, ProxyHealth, ServiceProxy } from '../../lib/proxy/index.js'
import { memoryKernel } from '../../lib/testing/index.js'

const folder = mkdtempSync(join(tmpdir(), 'ts-ipvs-lost.'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

const SERVICE = 'kind: Service\nmetadata: {name: web}\nspec: {clusterIP: 10.96.0.10, ports: [{port: 80}]}\n'

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !holds(); i++) await sleep(20)
  if (!holds()) throw new Error(`not in 10 s: ${what}`)
}

t.test('what was read last is served on, loudly, until the source is there again', async t => {
  const path = join(folder, 'services.yaml')
  writeFileSync(path, SERVICE)
  const log: string[] = []
  const health = new ProxyHealth()
  let syncs = 0
  await using proxy = await ServiceProxy.open({
    source: directorySource({ path, interval: 50 }),
    transport: memoryKernel(),
    backend: 'nftables',
    observers: [health, { synced: () => void syncs++ }],
    log: (level, message) => log.push(`${level} ${message}`),
  })
  const ending = new AbortController()
  const running = proxy.run(ending.signal)
  await until('synced', () => syncs > 0)
  renameSync(path, `${path}.away`)
  await until('told', () => proxy.problems.length > 0)
  t.match(proxy.problems, [{ where: path, message: /^can not be read: ENOENT.*: what was read before is served on$/ }])
  t.match(log.at(-1), /^warn can not be read/)
  t.equal([...proxy.frontends].length, 1)
  t.ok(health.healthy)
  writeFileSync(path, SERVICE.replace('web', 'shop'))
  await until('read again', () => [...proxy.frontends].some(({ service }) => service === 'default/shop'))
  t.same(proxy.problems, [])
  ending.abort()
  await running
})
