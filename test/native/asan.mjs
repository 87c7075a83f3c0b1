/**
 * Runs the addon's tests with its build for AddressSanitizer and UndefinedBehaviorSanitizer. Fails when a test does, or at any report.
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
const unfit = ['resources.test.ts', 'stuck-send.test.ts']
const tests = readdirSync(join(root, 'test/native')).filter(name => name.endsWith('.test.ts') && !unfit.includes(name))
const { status } = spawnSync(
  'npx',
  ['tap', '--disable-coverage', '--jobs=1', '--timeout=1200', '--reporter=min', ...tests.map(name => join('test/native', name))],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      TS_IPVS_ADDON: join(root, 'build/Asan/ts_ipvs.node'),
      LD_PRELOAD: `${library('libasan')} ${library('libubsan')}`,
      // Node itself does not free everything that it has when it ends. It frees so much while it starts that to keep all of that, and where
      // it came from, would take half of the time.
      ASAN_OPTIONS: `detect_leaks=0:quarantine_size_mb=32:malloc_context_size=8:exitcode=86:log_path=${reports}/report`,
      UBSAN_OPTIONS: `halt_on_error=1:print_stacktrace=1:exitcode=86:log_path=${reports}/report`,
    },
  },
)

const found = readdirSync(reports)
for (const name of found) console.error(readFileSync(join(reports, name), 'utf8'))
rmSync(reports, { recursive: true })
console.log(found.length === 0 ? 'No report of a sanitizer' : `${found.length} reports of sanitizers`)
process.exit(status === 0 && found.length === 0 ? 0 : 1)
