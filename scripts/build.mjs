/**
 * Builds dist/ from lib/: ES modules, for each entry point of package.json a CommonJS shim, types for both, and the program. Does nothing
 * when nothing has changed.
 *
 *   node scripts/build.mjs              dist/
 *   node scripts/build.mjs --examples   and the examples, to build/examples
 *   node scripts/build.mjs --tests      and everything else that is TypeScript, to build/js
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const build = join(root, 'build')
const require = createRequire(import.meta.url)

/**
 * `require` takes the ES modules themselves, so that both worlds have the same classes. It can since 20.19 and 22.12; a Node.js without
 * it would speak of a syntax error or of import().
 */
const SHIM = `'use strict'
if (!process.features.require_module)
  throw new Error(\`ts-ipvs needs Node.js 20.19, 22.12 or newer, and this is \${process.versions.node}\`)
module.exports = require('./index.js')
`

/** Calls `make` unless it has been done with just these files. */
async function once(name, made, inputs, make) {
  const stamp = join(build, `.${name}`)
  const digest = digestOf(inputs)
  if (existsSync(made) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return
  rmSync(stamp, { force: true })
  await make()
  writeFileSync(stamp, digest)
  console.log(`built ${made}`)
}

function digestOf(inputs) {
  const hash = createHash('sha256').update(require('typescript/package.json').version)
  for (const input of ['package.json', 'addon.d.cts', 'tsconfig.json', 'scripts/build.mjs', 'schema', ...inputs].flatMap(filesOf))
    hash.update(input).update(readFileSync(join(root, input)))
  return hash.digest('hex')
}

/** A file, or what a folder holds. */
function filesOf(path) {
  if (/\.\w+$/.test(path)) return [path]
  const entries = readdirSync(join(root, path), { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile() && /\.([cm]?ts|json)$/.test(entry.name))
    .map(entry => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort()
}

function compile(...options) {
  execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), ...options], { cwd: root, stdio: 'inherit' })
}

async function buildPackage() {
  // In a folder of its own until it is whole: what runs meanwhile finds the old one.
  const made = join(build, `.dist-${process.pid}`)
  try {
    compile('-p', 'tsconfig.dist.json', '--outDir', made)
    for (const { require: shim } of Object.values(require('../package.json').exports))
      if (shim) writeFileSync(join(made, shim.default.replace('./dist/', '')), SHIM)
    copyTypes(made)
    const { bundle } = await import('./bundle.mjs')
    await bundle(made)
    rmSync(join(root, 'dist'), { recursive: true, force: true })
    renameSync(made, join(root, 'dist'))
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
}

/**
 * The types of the CommonJS side are copies: a .d.cts that re-exports .d.ts files is an error (TS1479) for users whose `module` is node16
 * or node18.
 */
function copyTypes(folder) {
  for (const name of readdirSync(folder, { recursive: true })) {
    if (!name.endsWith('.d.ts')) continue
    const types = readFileSync(join(folder, name), 'utf8')
    writeFileSync(
      join(folder, name.replace(/\.d\.ts$/, '.d.cts')),
      types.replace(/(\bfrom |\bimport\()(['"]\.{1,2}\/[^'"]*)\.js(?=['"])/g, '$1$2.cjs'),
    )
  }
}

async function bundleExamples() {
  const { examples } = await import('./bundle.mjs')
  await examples(['load-balance', 'service/story', 'service/resident'], join(build, 'examples'))
}

async function buildTests() {
  compile('--incremental', '--tsBuildInfoFile', join(build, 'js/.tsbuildinfo'))
  // A test whose source is gone must not run any more.
  for (const name of readdirSync(join(build, 'js'), { recursive: true })) {
    const source = name.replace(/(\.d\.ts|\.js(\.map)?)$/, '.ts')
    if (source !== name && !existsSync(join(root, source))) rmSync(join(build, 'js', name))
  }
  // It is started for each step that it is killed at: emulated processors take seconds to find and read a hundred files each time.
  const { build: bundled } = await import('esbuild')
  await bundled({
    absWorkingDir: root,
    entryPoints: ['build/js/test/kernel/proxy/dying.js'],
    outfile: 'build/js/test/kernel/dying.bundle.mjs', // as far from the addon as what looks for it
    bundle: true,
    packages: 'external',
    preserveSymlinks: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
  })
}

mkdirSync(build, { recursive: true })
try {
  await once('dist', join(root, 'dist'), ['lib', 'tsconfig.dist.json', 'scripts/bundle.mjs', 'package-lock.json'], buildPackage)
  if (process.argv.includes('--examples'))
    await once('examples', join(build, 'examples'), ['lib', 'examples', 'scripts/bundle.mjs'], bundleExamples)
  if (process.argv.includes('--tests')) await once('tests', join(build, 'js'), ['lib', 'examples', 'scripts', 'test'], buildTests)
} catch (error) {
  if (!error.status) throw error
  process.exitCode = 1 // the compiler has said what is wrong
}
