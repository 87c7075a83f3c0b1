/**
 * Runs the addon's tests with its build for AddressSanitizer and UndefinedBehaviorSanitizer. Fails when a test does, or at any report.
 * It takes what scripts/build.mjs --tests has built.
 * @example node test/native/asan.mjs
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const reports = mkdtempSync(join(tmpdir(), 'ts-ipvs-asan-'))
const library = name => execFileSync('g++', [`-print-file-name=${name}.so`], { encoding: 'utf8' }).trim()

execFileSync(process.execPath, [join(root, 'scripts/build-native.mjs'), '--asan'], { stdio: 'inherit' })
/** Freed memory is kept, and a virtual machine would run under the sanitizers as well. */
const unfit = ['resources.test.js', 'stuck-send.test.js']
const folder = join(root, 'build/js/test/native')
const tests = readdirSync(folder).filter(name => name.endsWith('.test.js') && !unfit.includes(name))
const env = {
  ...process.env,
  TAP: '1',
  TAP_TIMEOUT: '1200',
  TS_IPVS_ADDON: join(root, 'build/Asan/ts_ipvs.node'),
  LD_PRELOAD: `${library('libasan')} ${library('libubsan')}`,
  // Node itself does not free everything that it has when it ends. It frees so much while it starts that to keep all of that, and where
  // it came from, would take half of the time.
  ASAN_OPTIONS: `detect_leaks=0:quarantine_size_mb=32:malloc_context_size=8:exitcode=86:log_path=${reports}/report`,
  UBSAN_OPTIONS: `halt_on_error=1:print_stacktrace=1:exitcode=86:log_path=${reports}/report`,
}

let failed = 0
console.log(`TAP version 14\n1..${tests.length}`)
for (const [i, name] of tests.entries()) {
  const { status, stdout } = spawnSync(process.execPath, [join(folder, name)], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status !== 0) failed++
  console.log(stdout.replaceAll(/^(?=.)/gm, '    '))
  console.log(`${status === 0 ? 'ok' : 'not ok'} ${i + 1} - ${name}`)
}

const found = readdirSync(reports)
for (const name of found) console.error(readFileSync(join(reports, name), 'utf8'))
rmSync(reports, { recursive: true })
console.log(`# ${found.length === 0 ? 'no report of a sanitizer' : `${found.length} reports of sanitizers`}`)
process.exit(failed === 0 && found.length === 0 ? 0 : 1)
