import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { root, run } from './package/support.js'

const folder = mkdtempSync(join(tmpdir(), 'ts-ipvs-start.'))
const temporary = join(folder, 'tmp')
mkdirSync(temporary)
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
t.setTimeout(0)

const unlessRoot = process.getuid?.() === 0 ? {} : { skip: 'needs root' }

t.test('npm start shows the kernel balancing load, and leaves this machine as it was', unlessRoot, async t => {
  const interfaces = networkInterfaces()
  const { status, stdout, stderr } = await run({ cwd: root, env: { TMPDIR: temporary } }, 'npm', 'start')
  t.equal(status, 0, 'it ends well', { stderr })

  const answers = [...stdout.matchAll(/request \d to 127\.0\.0\.10:80 was answered by backend (\w+)/g)].map(([, name]) => name)
  t.strictSame(answers.sort(), ['one', 'one', 'three', 'three', 'two', 'two'], 'each backend answered twice')
  for (const address of ['127.0.0.11', '127.0.0.12', '127.0.0.13'])
    t.match(stdout, new RegExp(`-> ${address}:8080 +Masq +1 +0 +2`), `the kernel counted two connections to ${address}`)

  const clients = [...stdout.matchAll(/client \S+ was answered by (\w+), (\w+), (\w+), (\w+)$/gm)].map(([, ...names]) => names)
  t.equal(clients.length, 2)
  for (const names of clients) t.equal(new Set(names).size, 1, 'a persistent client stays with its backend')

  t.match(stdout, /drained: after \d+ answers two is gone/)
  const [, sent, failed] = /(\d+) requests sent, (\d+) failed/.exec(stdout) ?? []
  t.ok(Number(sent) >= 120, `${sent} requests were sent`)
  t.equal(failed, '0', 'no request failed during the drain')

  t.strictSame(networkInterfaces(), interfaces)
  t.strictSame(readdirSync(temporary), [])
})

t.test('the example fails where it cannot do its work', unlessRoot, async t => {
  const { status, stderr } = await run({ cwd: root }, 'unshare', '--net', process.execPath, 'build/js/examples/load-balance.js')
  t.equal(status, 1)
  t.match(stderr, /Error/)
})

/** Puts a program before all others: it prints `text` and fails. */
function pretend(name: string, text: string): NodeJS.ProcessEnv {
  const programs = join(folder, `pretended-${name}`)
  mkdirSync(programs)
  writeFileSync(join(programs, name), `#!/bin/sh\necho ${text}\nexit 1\n`, { mode: 0o755 })
  return { PATH: `${programs}:${process.env.PATH}` }
}

t.test('an old Node.js is told which one is needed', async t => {
  t.match(await run({ cwd: root, env: pretend('node', 'v18.20.8') }, 'scripts/start'), {
    status: 125,
    stderr: 'start: Node.js 20.19, 22.12 or newer is needed, and this is v18.20.8\n',
  })
})

t.test('who is not root is told to be', async t => {
  t.match(await run({ cwd: root, env: pretend('id', '1000') }, 'scripts/start'), {
    status: 125,
    stderr: 'start: changing the load balancer of a kernel takes root: run it as root, for example with sudo npm start\n',
  })
})
