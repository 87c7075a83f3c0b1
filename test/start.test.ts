import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { root, run } from './package/support.js'

const folder = mkdtempSync(join(tmpdir(), 'ts-ipvs-start.'))
const temporary = join(folder, 'tmp')
mkdirSync(temporary)
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
t.setTimeout(900_000) // there is an emulator in it

const unlessRoot = process.getuid?.() === 0 ? {} : { skip: 'needs root' }

/** The story by the titles of its steps. */
function stepsOf(story: string): ReadonlyMap<string, string> {
  const [, ...parts] = story.split(/^\d+\. /m)
  return new Map(parts.map(part => [part.slice(0, part.indexOf('\n')), part]))
}

const found = (text: string | undefined, pattern: RegExp): readonly string[] =>
  [...(text ?? '').matchAll(pattern)].map(([, ...groups]) => groups.join(' '))

const ADDRESS = 'A Service has an address that no machine has'
const ENDPOINTS = 'Behind the address are endpoints'
const AFFINITY = 'A client may stay'
const NODE_PORTS = 'Every node has a port for the world'
const BALANCER = 'A load balancer stands before the cluster'
const PODS = 'Pods come and go'
const WHY = 'And why is that so?'
const LONG = [ADDRESS, ENDPOINTS, AFFINITY, NODE_PORTS, BALANCER, PODS, WHY]

function checkAddress(t: Test, step: string | undefined, engine: 'ipvs' | 'nftables'): void {
  const answers = found(step, /web-1 asks http:\/\/10\.96\.0\.80, (web-\d) answers/g)
  t.equal(answers.length, 6)
  if (engine === 'nftables') {
    const pods = found(step, /to 10\.96\.0\.80:80 went to 10\.244\.(\d\.\d):8080/g)
    const addresses: Readonly<Record<string, string>> = { 'web-1': '1.1', 'web-2': '2.1', 'web-3': '2.2' }
    t.strictSame([...pods].sort(), answers.map(name => addresses[name]).sort(), 'the node remembers who has answered')
    return
  }
  t.strictSame(answers.slice(0, 3).sort(), ['web-1', 'web-2', 'web-3'], 'each answers in turn')
  t.strictSame(answers.slice(3), answers.slice(0, 3))
  const connections = found(step, /10\.96\.0\.80:80 rr\n(?: +-> 10\.244\.\d\.\d:8080 +Masq +1 +0 +2 *\n){3}()/g)
  t.equal(connections.length, 1, 'IPVS has counted two connections to each')
}

function checkBalancer(t: Test, step: string | undefined): void {
  t.match(step, /again and again: web-1 \d+, web-2 \d+, web-3 \d+ answers/)
  t.match(step, /the pod of node one goes on: web-1 \d+\n/)
  t.match(step, /node two is back: web-1 \d+, web-2 \d+, web-3 \d+\n/)
  t.match(step, /of \d+ requests (none|[1-4]) went down with node two/)
}

function checkWhole(t: Test, story: string, engine: 'ipvs' | 'nftables'): void {
  const steps = stepsOf(story)
  t.strictSame([...steps.keys()], LONG)
  checkAddress(t, steps.get(ADDRESS), engine)
  t.equal(found(steps.get(ENDPOINTS), /(cluster-ip +10\.96\.0\.80:80(?: +10\.244\.\d\.\d:8080){3}\n)/g).length, 2)
  t.match(steps.get(ENDPOINTS), /node two +node-port +10\.0\.0\.12:30080 +10\.244\.2\.1:8080 +10\.244\.2\.2:8080\n/)
  const stays = found(steps.get(AFFINITY), /asks http:\/\/10\.96\.0\.90 four times: (web-\d)(?:, \1){3}\n/g)
  t.equal(stays.length, 3, 'each client stays with its pod')
  const seen = found(steps.get(NODE_PORTS), /http:\/\/10\.0\.0\.(\d\d):30080, web-(\d) answers 192\.0\.2\.10/g)
  t.match(seen.join(', '), /^11 1, 11 1, 12 [23], 12 [23]$/)
  checkBalancer(t, steps.get(BALANCER))
  t.match(steps.get(PODS), /web-3 is deleted: web-1 \d+, web-2 \d+\n/)
  t.match(steps.get(PODS), /web-3 is made again: web-1 \d+, web-2 \d+, web-3 \d+\n/)
  t.match(steps.get(PODS), /of \d+ requests none was lost/)
  t.strictSame(found(steps.get(WHY), /engine (\w+)/g), [engine, 'nftables'])
}

t.test('npm start tells the story on IPVS, then on nftables, and leaves this machine as it was', unlessRoot, async t => {
  const interfaces = networkInterfaces()
  const { status, stdout, stderr } = await run({ cwd: root, env: { TMPDIR: temporary } }, 'npm', 'start')
  t.equal(status, 0, 'it ends well', { stderr, stdout })
  const [ipvs = '', nftables = ''] = stdout.split('Without IPVS')
  t.match(ipvs, /namespaces of Linux \S+, with IPVS\./)
  checkWhole(t, ipvs, 'ipvs')
  t.match(nftables, /namespaces of Linux \S+, with nftables\./)
  const short = stepsOf(nftables)
  t.strictSame([...short.keys()], [ADDRESS, BALANCER])
  checkAddress(t, short.get(ADDRESS), 'nftables')
  checkBalancer(t, short.get(BALANCER))

  const [, excerpt = ''] = /It begins so:\n\n```\n(.+?)\n```/s.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? []
  const masked = (text: string): readonly string[] =>
    text.split('\n').map(line => line.trim().replaceAll(/web-\d answers|Linux \S+/g, '…'))
  const told = new Set(masked(ipvs))
  for (const line of masked(excerpt)) t.ok(line === '…' || told.has(line), `the README shows what it prints: ${line}`)

  t.strictSame(networkInterfaces(), interfaces)
  t.strictSame(readdirSync(temporary), [])
})

t.test('with --backend nftables it needs no other kernel', unlessRoot, async t => {
  const { status, stdout, stderr } = await run(
    { cwd: root, env: { TMPDIR: temporary } },
    'npm',
    ...['start', '--', '--backend', 'nftables'],
  )
  t.equal(status, 0, 'it ends well', { stderr, stdout })
  t.notMatch(stdout + stderr, /IPVS|emulator/)
  checkWhole(t, stdout, 'nftables')
})

t.test('^C ends it, and leaves nothing', unlessRoot, async t => {
  const child = spawn('scripts/in-namespace', ['node', 'build/examples/story.js', '--backend', 'nftables'], {
    cwd: root,
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true, // a process group of its own, as a terminal gives one
  })
  let told = ''
  child.stdout.on('data', data => {
    if (told === '') process.kill(-(child.pid as number), 'SIGINT')
    told += data
  })
  // Its output is closed when the last one is gone that has it.
  t.strictSame(await once(child, 'close'), [1, null])
  t.notMatch(told, /And why is that so/)
  t.strictSame(readdirSync(temporary), [])
})

t.test('what it says is asserted: without affinity clients do not stay, and it ends there', unlessRoot, async t => {
  const told = join(folder, 'examples/service/manifests')
  cpSync(join(root, 'examples/service/manifests'), told, { recursive: true })
  const shop = readFileSync(join(told, 'shop.yaml'), 'utf8')
  writeFileSync(join(told, 'shop.yaml'), shop.replace('  sessionAffinity: ClientIP\n', ''))
  const story = ['node', join(root, 'build/examples/story.js'), '--backend', 'nftables']
  const { status, stderr } = await run({ cwd: folder }, join(root, 'scripts/in-namespace'), ...story)
  t.equal(status, 1)
  t.match(stderr, /AssertionError.*: a client stays with its pod/)
})

t.test('the story does not begin where there is a network', unlessRoot, async t => {
  const script = 'ip link set lo up && exec node build/examples/story.js'
  const { status, stderr } = await run({ cwd: root }, 'unshare', '--net', 'sh', '-c', script)
  t.equal(status, 1)
  t.match(stderr, /there is a network here already: run this in a namespace of its own/)
})

t.test('the example of virtual servers, persistence and a drain runs where there is IPVS', unlessRoot, async t => {
  const script = 'ip link set lo up && exec node build/examples/load-balance.js'
  const { status, stdout, stderr } = await run(
    { cwd: root },
    'scripts/vm',
    ...['--kernel', 'uml', '--', 'unshare', '--net', 'sh', '-c', script],
  )
  t.equal(status, 0, 'it ends well', { stderr, stdout })
  for (const address of ['127.0.0.11', '127.0.0.12', '127.0.0.13'])
    t.match(stdout, new RegExp(`-> ${address}:8080 +Masq +1 +0 +2`), `the kernel counted two connections to ${address}`)
  t.equal(found(stdout, /client \S+ was answered by (\w+)(?:, \1){3}\n/g).length, 2, 'clients stay')
  t.match(stdout, /drained: two is gone/)
  t.match(stdout, /\d{3} requests were answered, 0 were not/)
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

t.test('a word that it does not know is refused', async t => {
  t.match(await run({ cwd: root }, 'scripts/start', '--backend', 'iptables'), {
    status: 125,
    stderr: 'start: --backend iptables: it takes --backend ipvs or --backend nftables, or nothing\n',
  })
})
