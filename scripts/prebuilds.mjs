/**
 * Makes the addons that the package carries: prebuilds/linux-x64 and prebuilds/linux-arm64. Does nothing when they are there and current.
 * With --check it makes nothing, and fails unless they are there, current, and run on every machine that they are meant for.
 *
 * One file per processor serves glibc and musl: it names no C library, and takes the symbols of the one that Node has loaded.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cache, compile, root, sources } from './build-native.mjs'

const processors = [
  { arch: 'x64', machine: 'X86-64', triple: 'x86_64-linux-gnu', compiler: 'g++' },
  { arch: 'arm64', machine: 'AArch64', triple: 'aarch64-linux-gnu', compiler: 'g++-aarch64-linux-gnu' },
]
/** What Node 20 itself needs, and GCC 8, the oldest that a machine with that glibc has. GCC is libgcc_s, which unwinds exceptions. */
const newest = { GLIBC: [2, 28], GLIBCXX: [3, 4, 25], CXXABI: [1, 3, 11], GCC: [3, 0] }
const allowed = ['libstdc++.so.6', 'libgcc_s.so.1']

const fileOf = arch => join(root, 'prebuilds', `linux-${arch}`, 'ts-ipvs.node')
const stampOf = arch => join(root, 'build', `.prebuilt-${arch}`)
const run = (program, ...args) => execFileSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 28 })
const current = arch =>
  existsSync(fileOf(arch)) && existsSync(stampOf(arch)) && readFileSync(stampOf(arch), 'utf8') === sources(arch)

function make({ arch, triple, compiler }) {
  if (current(arch)) return
  requireCompiler(`${triple}-g++`, compiler)
  // Whole paths: prebuildify puts the folder of this Node.js in front of PATH, and that is often /usr/bin.
  const [cc, cxx, strip] = ['gcc', 'g++', 'strip'].map(tool => find(`${triple}-${tool}`))
  // The target is the Node.js whose headers are here: prebuildify's own choice, the newest, would be downloaded.
  const target = ['--napi', `--target=${process.versions.node}`, `--arch=${arch}`, '--name=ts-ipvs']
  const { folder, clean } = compile(`prebuild-${arch}`, ['prebuildify/bin.js', ...target, '--strip', `--strip-bin=${strip}`], {
    CC: cc,
    CXX: cxx,
    LINK: cxx,
  })
  mkdirSync(dirname(fileOf(arch)), { recursive: true })
  copyFileSync(join(folder, 'prebuilds', `linux-${arch}`, 'ts-ipvs.node'), fileOf(arch))
  writeFileSync(stampOf(arch), sources(arch))
  clean()
  console.log(`made ${fileOf(arch)}`)
}

const find = program => run('sh', '-c', 'command -v "$1"', 'sh', program).trim()

function requireCompiler(program, debian) {
  const there = () => {
    try {
      return run(program, '--version') !== ''
    } catch {
      return false
    }
  }
  if (there()) return
  if (process.getuid() === 0 && existsSync('/usr/bin/apt-get')) apt('install', '-y', '--no-install-recommends', debian)
  if (!there()) throw new Error(`The addon for this processor takes ${program}. To install it: apt-get install ${debian}`)
}

/** A fresh machine has no lists of packages. */
function apt(...args) {
  mkdirSync(cache, { recursive: true })
  execFileSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 'ignore', 'inherit'] })
  execFileSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], cwd: cache })
}

/** What is wrong with the file, as sentences. */
function* faults({ arch, machine }, libc) {
  const file = fileOf(arch)
  if (!existsSync(file)) return yield `${file} is missing`
  if (!current(arch)) yield `${file} was not made from these sources`

  if (!run('readelf', '-h', file).includes(machine)) yield `${file} is not for ${arch}`
  for (const [, library] of run('readelf', '-d', file).matchAll(/\(NEEDED\).*\[(.*)\]/g)) {
    if (!allowed.includes(library)) yield `${file} needs ${library}`
  }
  for (const { symbol, version } of undefinedSymbols(file)) {
    const [, name, number] = /^([A-Z]+)_([\d.]+)$/.exec(version ?? '') ?? []
    if (name !== undefined && isNewer(number, newest[name] ?? [])) yield `${file} needs ${symbol} of ${version}`
    if (version === undefined && !/^(napi_|uv_|_ITM_|__gmon_start__)/.test(symbol) && !libc.has(symbol)) {
      yield `${file} needs ${symbol}, which musl has not`
    }
  }
}

function isNewer(number, limit) {
  const parts = number.split('.').map(Number)
  const at = parts.findIndex((part, i) => part !== (limit[i] ?? 0))
  return at >= 0 && parts[at] > (limit[at] ?? 0)
}

function undefinedSymbols(file) {
  const lines = run('readelf', '--wide', '--dyn-syms', file).split('\n')
  const found = lines.map(line => / UND ([^@\s]+)(?:@+(\S+))?/.exec(line)).filter(match => match !== null)
  return found.map(([, symbol, version]) => ({ symbol, version }))
}

/** The symbols of musl's C library: of its Debian package, unpacked into the cache, or of the one that is installed. */
function muslSymbols() {
  const unpacked = join(cache, 'musl')
  const loader = folder => join(folder, 'lib', `ld-musl-${run('uname', '-m').trim()}.so.1`)
  const library = () => ['/', unpacked].map(loader).find(existsSync)
  if (library() === undefined) {
    apt('download', 'musl')
    const archive = readdirSync(cache).find(name => /^musl_.*\.deb$/.test(name))
    run('dpkg-deb', '-x', join(cache, archive), unpacked)
  }
  return new Set(run('nm', '-D', '--defined-only', '--format=just-symbols', library()).split('\n'))
}

if (process.argv.includes('--check')) {
  const libc = muslSymbols()
  const found = processors.flatMap(processor => [...faults(processor, libc)])
  for (const fault of found) console.error(fault)
  process.exit(found.length === 0 ? 0 : 1)
} else {
  for (const processor of processors) make(processor)
}
