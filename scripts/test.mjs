// Runs the stages of the test, two at a time, and counts: the last line is `N passed, N failed`. One runner goes through them from the first
// one on, the other one, which begins with the virtual machines, from the last one. With COVERAGE=1 it also tells what of lib/ ran.
import { spawn } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { Parser } from 'tap-parser'

const LOGS = 'build/test-logs'
/** Counting takes time: only where it is asked for. */
const COVERAGE = process.env.COVERAGE ? join(process.cwd(), 'build/coverage') : undefined
const OUT = join(process.cwd(), 'build/vm')
const wanted = process.argv.slice(2)

/** Minutes that a stage may take before it counts as hung, and seconds that a test may: ten times what is usual, for machines are shared. */
const LIMIT = 30
const TEST_LIMIT = 300

const tap = file => ({ name: file.replace(/^build\/js\//, '').replace(/\.js$/, ''), command: ['node', file] })
const guest = (kernel, ...suites) => ({
  name: `${suites.join(' and ')} on ${kernel}`,
  command: ['scripts/vm', '--kernel', kernel, '--out', OUT, '--', 'node', 'build/js/test/kernel/guest.js', ...suites],
  // Emulated processors are slow enough without counting coverage.
  env: { NODE_V8_COVERAGE: COVERAGE && kernel === 'uml' ? join(OUT, 'coverage-uml') : '' },
})

/** nftables' suite under a guest's kernel: what is written and read back. The rest does not depend on the kernel, and takes long there. */
const nftGuest = kernel => ({
  name: `nftables on ${kernel}`,
  command: [
    'scripts/vm',
    '--kernel',
    kernel,
    '--',
    'node',
    'build/js/test/kernel/nft-guest.js',
    'as they were written',
    'as it was written',
  ],
})

/**
 * Services on IPVS, with packets: of cases that are alike in both families one, for each takes ten seconds where processors are emulated. All
 * cases of the proxy run there, too.
 */
const BALANCED = [
  'proxy: on IPVS a proxy changes over under load, and no connection is lost (ip6)',
  'proxy: on IPVS a proxy that is started anew goes on with what it left, and with what others have (ip)',
  'proxy: on IPVS connections to an endpoint that is gone end',
  'proxy: on IPVS connections go to endpoints though others translate',
  'proxy: a UDP client stays with an endpoint that terminates for as long as that answers, and new ones do not come to it (ip6)',
  'proxy: connections are spread',
  'proxy: a pod that comes to itself is answered (ip6)',
  'proxy: with external policy Local clients from outside get endpoints of the node, and are seen (ip)',
]
const balancedGuest = kernel => ({
  name: `Services on IPVS on ${kernel}`,
  command: ['scripts/vm', '--kernel', kernel, '--', 'node', 'build/js/test/kernel/nft-guest.js', ...BALANCED],
})

/** Files of test/nft/language that are compared with nft every time; without words language.js takes all of them, which is long. */
const LANGUAGE = [
  'rules of seed',
  'json/',
  'rules/statements/',
  'rules/sets/prefix',
  'rules/sets/named',
  'families/selectors',
  'families/inner',
]

/** Hundreds of Workers and processes: once is enough, under the sanitizers, which see more. */
const SANITIZED_ALONE = 'lifecycle.test.js'

/** Each test file in a folder below build/js/test, and in its folders. */
function files(folder) {
  return readdirSync(`build/js/test/${folder}`, { recursive: true })
    .filter(name => name.endsWith('.test.js') && name !== SANITIZED_ALONE)
    .map(name => tap(`build/js/test/${folder}/${name}`))
}

const all = [
  // The compiler has seen all of it before: it made what runs here.
  { name: 'lint', command: ['node_modules/.bin/biome', 'check', '.'], counts: false },
  ...['netlink', 'ipvs', 'nft', 'route', 'conntrack', 'service', 'source', 'proxy', 'testing', 'native', 'cli'].flatMap(files),
  tap('build/js/test/kernel/conformance.test.js'),
  tap('build/js/test/kernel/nft.test.js'),
  { name: 'nftables on this kernel', command: ['scripts/in-namespace', 'node', 'build/js/test/kernel/nft-guest.js'] },
  { name: 'a cluster on this kernel', command: ['scripts/in-namespace', 'node', 'build/js/test/kernel/proxy-guest.js'] },
  tap('build/js/test/kernel/network.test.js'),
  { name: 'routes and flows on this kernel', command: ['scripts/in-namespace', 'node', 'build/js/test/kernel/network-guest.js'] },
  {
    name: "nftables' language on this kernel",
    command: [
      'scripts/in-namespace',
      'node',
      'build/js/test/kernel/nft/language.js',
      '--seed',
      '1',
      '--random',
      '3',
      ...LANGUAGE,
    ],
  },
  tap('build/js/test/readme.test.js'),
  ...files('package'),
  { name: 'sanitizers', command: ['node', 'test/native/asan.mjs'] },
  tap('build/js/test/start.test.js'),
  { name: 'virtual machines', command: ['sh', 'test/vm.test.sh'] },
  nftGuest('debian13'),
  nftGuest('debian12'),
  balancedGuest('debian12'),
  // The whole is shown on debian12: here what Linux itself may do otherwise.
  guest('debian13', 'essentials'),
  guest('debian12', 'conformance', 'traffic'),
  guest('uml', 'cli'),
]

/** Why a test failed, without the lines of the test itself. */
function reason(diagnostics) {
  const { source, stack, ...why } = diagnostics ?? {}
  return inspect(why, { depth: 6, breakLength: 140 }).slice(0, 1500)
}

/** Counts the tests that hold no others. */
function count(parser, totals) {
  let holder = false
  parser.on('child', child => {
    holder = true
    count(child, totals)
  })
  parser.on('assert', result => {
    if (holder) {
      holder = false
      if (result.ok) return
    }
    if (result.skip || result.todo) totals.skipped.push(result.name)
    else if (result.ok) totals.passed++
    else {
      totals.failures.push(result.fullname || result.name)
      totals.reasons.push(reason(result.diag))
    }
  })
}

function run(stage) {
  return new Promise(resolve => {
    const totals = { passed: 0, failures: [], reasons: [], skipped: [] }
    const parser = new Parser()
    count(parser, totals)
    const log = createWriteStream(join(LOGS, `${stage.name.replaceAll(/\W+/g, '-')}.log`))
    const [program, ...args] = stage.command
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        ...(COVERAGE ? { NODE_V8_COVERAGE: COVERAGE } : {}),
        TAP: '1',
        TAP_TIMEOUT: String(TEST_LIMIT),
        ...stage.env,
      },
    })
    const timer = setTimeout(() => child.kill('SIGTERM'), LIMIT * 60_000)
    let tail = ''
    const keep = text => {
      tail = (tail + text).slice(-6000)
      log.write(text)
    }
    child.stdout.on('data', data => {
      keep(data)
      if (stage.counts !== false) parser.write(data)
    })
    child.stderr.on('data', keep)
    child.on('error', error => keep(String(error)))
    child.on('close', (status, signal) => {
      clearTimeout(timer)
      parser.end()
      if (stage.counts === false && status === 0) totals.passed++
      const broken = status !== 0 || signal || (stage.counts !== false && totals.passed + totals.failures.length === 0)
      if (broken && totals.failures.length === 0) totals.failures.push(`${stage.name} ended with ${signal ?? `status ${status}`}`)
      log.end()
      resolve({ ...totals, tail })
    })
  })
}

function indented(text) {
  return text && `\n${text.trimEnd().replaceAll(/^/gm, '  | ')}`
}

/** Runs stages until none is left. */
async function runner(take) {
  const results = []
  for (let stage = take(); stage; stage = take()) {
    const began = Date.now()
    const result = await run(stage)
    const seconds = ((Date.now() - began) / 1000).toFixed(1)
    const skipped = result.skipped.length > 0 ? `, ${result.skipped.length} skipped: ${result.skipped.join('; ')}` : ''
    console.log(
      `${result.failures.length === 0 ? 'ok    ' : 'not ok'} ${stage.name}: ${result.passed} passed, ${result.failures.length} failed${skipped} (${seconds} s)`,
    )
    result.failures.forEach((name, i) => {
      console.log(`  not ok ${name}${i < 10 ? indented(result.reasons[i] ?? result.tail) : ''}`)
    })
    results.push(result)
  }
  return results
}

/** What of lib/ ran, in the virtual machines, too: they see the same paths. */
async function coverage() {
  const guests = existsSync(OUT) ? readdirSync(OUT).filter(name => name.startsWith('coverage-')) : []
  const { cp } = await import('node:fs/promises')
  for (const name of guests) await cp(join(OUT, name), COVERAGE, { recursive: true, force: true })
  const args = [
    'report',
    '--temp-directory',
    COVERAGE,
    '--exclude-after-remap',
    '--include',
    'lib/**',
    '--reporter',
    'text',
    '--reporter',
    'html',
    '--reports-dir',
    'build/coverage-report',
  ]
  await new Promise(resolve => spawn('node_modules/.bin/c8', args, { stdio: 'inherit' }).on('close', resolve))
}

for (const folder of [LOGS, join(process.cwd(), 'build/coverage'), OUT]) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
}
const left = all.filter(({ name }) => wanted.length === 0 || wanted.some(word => name.includes(word)))
if (left.length === 0) {
  console.error(`no stage is named like ${wanted.join(' or ')}: ${all.map(({ name }) => name).join(', ')}`)
  process.exit(1)
}
const results = (await Promise.all([runner(() => left.shift()), runner(() => left.pop())])).flat()
if (COVERAGE) await coverage()
const passed = results.reduce((sum, { passed }) => sum + passed, 0)
const failed = results.reduce((sum, { failures }) => sum + failures.length, 0)
const skipped = results.reduce((sum, { skipped }) => sum + skipped.length, 0)
if (skipped > 0) console.log(`${skipped} skipped`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
