import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { root } from './support.js'

/** addon.cjs as in an installed package, but with no addon. */
function install(t: { testdir(): string }): string {
  const folder = t.testdir()
  cpSync(join(root, 'addon.cjs'), join(folder, 'addon.cjs'))
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(join(root, 'node_modules/node-gyp-build'), join(folder, 'node_modules/node-gyp-build'))
  return folder
}

/** The error that loading it throws, in a process of its own; undefined when it loads. */
async function load(folder: string, { platform = process.platform, env = {} } = {}) {
  const script = `
    Object.defineProperty(process, 'platform', { value: ${JSON.stringify(platform)} })
    try {
      require(${JSON.stringify(join(folder, 'addon.cjs'))})
      console.log('{}')
    } catch ({ code, message, cause }) {
      console.log(JSON.stringify({ code, message, cause: cause?.code }))
    }`
  const { TS_IPVS_ADDON: _, ...inherited } = process.env
  const { stdout } = await promisify(execFile)('env', ['-u', 'NODE_OPTIONS', process.execPath, '-e', script], {
    env: { ...inherited, ...env },
  })
  return JSON.parse(stdout) as { code?: string; message?: string; cause?: string }
}

t.test('without an addon for this machine the error tells what to do', async t => {
  const { code, message } = await load(install(t))
  t.equal(code, 'ERR_ADDON_NOT_FOUND')
  for (const part of [process.arch, 'glibc', 'node-gyp rebuild -C', 'apk add libstdc++']) t.ok(message?.includes(part), part)
})

t.test('one that is there and does not load is the cause', async t => {
  const folder = install(t)
  mkdirSync(join(folder, `prebuilds/linux-${process.arch}`), { recursive: true })
  writeFileSync(join(folder, `prebuilds/linux-${process.arch}/ts-ipvs.node`), 'no addon')
  t.match(await load(folder), { code: 'ERR_ADDON_NOT_FOUND', cause: 'ERR_DLOPEN_FAILED' })
})

t.test('on another system than Linux it says what still works', async t => {
  t.match(await load(install(t), { platform: 'darwin' }), {
    code: 'ERR_ADDON_NOT_FOUND',
    message: 'memory kernel of ts-ipvs/testing',
  })
})

t.test('TS_IPVS_ADDON names another build', async t => {
  const folder = install(t)
  t.same(await load(folder, { env: { TS_IPVS_ADDON: join(root, 'build/Release/ts_ipvs.node') } }), {})
  t.match(await load(folder, { env: { TS_IPVS_ADDON: '/nowhere.node' } }), { code: 'MODULE_NOT_FOUND' })
})
