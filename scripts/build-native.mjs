/**
 * Builds the native addon: build/Release/ts_ipvs.node, or with --asan build/Asan/ts_ipvs.node. Does nothing when nothing has changed.
 * @example node scripts/build-native.mjs --asan
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
export const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'ts-ipvs')

/** A digest of all that the addon is made from. */
export function sources(...flags) {
  const hash = createHash('sha256').update([process.versions.modules, process.versions.napi, process.arch, ...flags].join())
  for (const file of [
    'binding.gyp',
    ...readdirSync(join(root, 'native'))
      .sort()
      .map(name => `native/${name}`),
  ]) {
    if (/\.(cc|h|gyp)$/.test(file) && file !== 'native/binding.gyp') hash.update(file).update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

/** A folder with include/node: npm's setting, beside this Node, or from the npm package that carries it. node-gyp itself would download. */
export function nodeHeaders() {
  const beside = dirname(dirname(process.execPath))
  const has = folder => folder !== undefined && existsSync(join(folder, 'include/node/node_api.h'))
  for (const folder of [process.env.npm_config_nodedir, beside]) if (has(folder)) return folder

  const name = `node-linux-${process.arch}`
  const unpacked = join(cache, `${name}-${process.versions.node}`)
  if (!has(unpacked)) {
    mkdirSync(unpacked, { recursive: true })
    const quiet = { cwd: unpacked, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' }
    const archive = execFileSync('npm', ['pack', `${name}@${process.versions.node}`], quiet)
      .trim()
      .split('\n')
      .at(-1)
    execFileSync('tar', ['xzf', archive, '--strip-components=1', 'package/include'], quiet)
    rmSync(join(unpacked, archive))
  }
  return unpacked
}

/** Runs node-gyp in `folder`. Quiet, unless it fails. */
export function gyp(folder, ...flags) {
  const program = join(root, 'node_modules/node-gyp/bin/node-gyp.js')
  try {
    execFileSync(process.execPath, [program, 'rebuild', `--nodedir=${nodeHeaders()}`, ...flags], { cwd: folder, stdio: 'pipe' })
  } catch (error) {
    process.stderr.write(`${error.stdout ?? ''}${error.stderr ?? ''}`)
    throw new Error('The native addon does not compile; what the compiler said is above', { cause: error })
  }
}

/** Copies what is compiled to `folder`, so that a build there leaves this one's build/ alone. */
export function copySources(folder) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'native'), { recursive: true })
  for (const name of readdirSync(join(root, 'native'))) {
    if (/\.(cc|h)$/.test(name)) copyFileSync(join(root, 'native', name), join(folder, 'native', name))
  }
  for (const name of ['binding.gyp', 'package.json']) copyFileSync(join(root, name), join(folder, name))
}

function build(configuration, flags) {
  const folder = join(root, 'build', configuration)
  const addon = join(folder, 'ts_ipvs.node')
  const stamp = join(folder, '.stamp')
  const digest = sources(...flags)
  if (existsSync(addon) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return

  const work = join(root, 'build', `.${configuration}`)
  copySources(work)
  gyp(work, ...flags)
  mkdirSync(folder, { recursive: true })
  // A new file: a running process may have the old one mapped.
  rmSync(addon, { force: true })
  copyFileSync(join(work, 'build/Release/ts_ipvs.node'), addon)
  writeFileSync(stamp, digest)
  rmSync(work, { recursive: true })
  console.log(`built ${addon}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--asan')) build('Asan', ['--asan=1'])
  else build('Release', [])
}
