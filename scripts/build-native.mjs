/**
 * Builds the native addon: build/Release/ts_ipvs.node, or with --asan build/Asan/ts_ipvs.node. Does nothing when nothing has changed.
 * @example node scripts/build-native.mjs --asan
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
export const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'ts-ipvs')

function files() {
  const native = readdirSync(join(root, 'native')).filter(name => /\.(cc|h)$/.test(name))
  return ['binding.gyp', ...native.sort().map(name => `native/${name}`)]
}

/** A digest of all that the addon is made from. */
export function sources(...flags) {
  const hash = createHash('sha256').update([process.versions.modules, process.versions.napi, process.arch, ...flags].join())
  for (const file of [...files(), 'node_modules/node-addon-api/package.json'])
    hash.update(file).update(readFileSync(join(root, file)))
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
    const archive = execFileSync('npm', ['pack', '--silent', `${name}@${process.versions.node}`], quiet)
      .trim()
      .split('\n')
      .at(-1)
    execFileSync('tar', ['xzf', archive, '--strip-components=1', 'package/include'], quiet)
    rmSync(join(unpacked, archive))
  }
  return unpacked
}

/**
 * Compiles in a folder of its own, so that nothing else in build/ changes.
 * @param program of node_modules, and its arguments
 * @returns the folder; `clean` removes it
 */
export function compile(name, [program, ...args], env = {}) {
  const folder = join(root, 'build', `.${name}`)
  const clean = () => rmSync(folder, { recursive: true, force: true })
  clean()
  mkdirSync(join(folder, 'native'), { recursive: true })
  for (const file of files()) copyFileSync(join(root, file), join(folder, file))
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'node_modules', program), ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, npm_config_nodedir: nodeHeaders(), ...env },
  })
  if (status !== 0) {
    process.stderr.write(`${stdout}${stderr.replace(/^gyp info.*\n/gm, '')}`)
    throw new Error('The native addon does not compile: what the compiler said is above')
  }
  return { folder, clean }
}

function build(configuration, flags) {
  const folder = join(root, 'build', configuration)
  const target = join(folder, 'ts_ipvs.node')
  const stamp = join(folder, '.stamp')
  const digest = sources(...flags)
  if (existsSync(target) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return

  const { folder: made, clean } = compile(configuration, ['node-gyp/bin/node-gyp.js', 'rebuild', ...flags])
  mkdirSync(folder, { recursive: true })
  rmSync(target, { force: true }) // a new file: a running process may have the old one mapped
  copyFileSync(join(made, 'build/Release/ts_ipvs.node'), target)
  writeFileSync(stamp, digest)
  clean()
  console.log(`built ${target}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--asan')) build('Asan', ['--sanitize=address,undefined'])
  else build('Release', [])
}
