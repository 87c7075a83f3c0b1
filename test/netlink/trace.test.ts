import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const program = `
  const { ipvs } = await import(${JSON.stringify(new URL('../../lib/index.js', import.meta.url).href)})
  const { memoryKernel } = await import(${JSON.stringify(new URL('../../lib/testing/index.js', import.meta.url).href)})
  await using_(await ipvs.open({ transport: memoryKernel() }))
  async function using_(lvs) {
    const vs = { protocol: 'tcp', address: '10.0.0.1', port: 80, scheduler: 'rr' }
    await lvs.addVirtualServer(vs)
    await lvs.addVirtualServer(vs).catch(() => {})
    await lvs.listVirtualServers().toArray()
    await lvs.close()
  }`

function run(debug: string): string {
  const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...process.env, NODE_DEBUG: debug },
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return stderr
}

t.test('NODE_DEBUG=ts-ipvs prints every message, decoded', async t => {
  const text = run('ts-ipvs')
  t.match(text, /→ seq \d+ flags 0x1 family \{ familyName: 'IPVS' \}/)
  t.match(text, /→ seq \d+ flags 0x5 IPVS newService \{ service: \{ .*port: 80, scheduler: 'rr'/)
  t.match(text, /← seq \d+ flags 0x100 ok/)
  t.match(text, /← seq \d+ flags 0x100 EEXIST/)
  t.match(text, /→ seq \d+ flags 0x301 IPVS getService/)
  t.match(text, /← seq \d+ flags 0x2 IPVS newService \{ service: /)
  t.match(text, /← seq \d+ flags 0x2 done/)
})

t.test('without it nothing is printed', async t => {
  t.equal(run(''), '')
})
