import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { bin, cloneProject, nodeOfLine, output, root, run } from './support.js'

/** Outside of the project, whose own node_modules must not be found. */
const folder = mkdtempSync(join(tmpdir(), 'ts-ipvs-package.'))
const clone = join(folder, 'clone')
const user = join(folder, 'user')
const installed = join(user, 'node_modules/ts-ipvs')
let tarball = ''

t.setTimeout(0)
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
t.before(async () => {
  await cloneProject(clone)
  mkdirSync(user)
  writeFileSync(join(user, 'package.json'), '{}')
})

/** The lines of Node.js that the package is for. */
const lines = [20, 22, 24]
const nodeOf = async (line: number): Promise<string> =>
  Number(process.versions.node.split('.')[0]) === line ? process.execPath : (await nodeOfLine(line)).node

t.test('packing fails when the addon for one of the processors cannot be made', async t => {
  mkdirSync(join(folder, 'broken'))
  for (const tool of ['gcc', 'g++', 'strip']) {
    const program = join(folder, `broken/aarch64-linux-gnu-${tool}`)
    writeFileSync(program, '#!/bin/sh\n[ "$1" = --version ] && echo broken\n', { mode: 0o755 })
  }
  const { status, stderr } = await run(
    { cwd: clone, env: { PATH: `${join(folder, 'broken')}:${process.env.PATH}` } },
    'npm',
    'pack',
  )
  t.not(status, 0)
  t.match(stderr, /The native addon does not compile/)
  t.strictSame(readdirSync(join(clone, 'prebuilds')), ['linux-x64'])
  t.strictSame(
    readdirSync(clone).filter(name => name.endsWith('.tgz')),
    [],
  )
})

t.test('packing builds what is missing, and leaves no binding.gyp where npm would look for it', async t => {
  const printed = await output({ cwd: clone }, 'npm', 'pack', '--silent')
  tarball = join(clone, printed.trim().split('\n').at(-1) ?? '')
  t.ok(existsSync(tarball))
  t.strictSame(readdirSync(join(clone, 'prebuilds')).sort(), ['linux-arm64', 'linux-x64'])
  t.notOk(existsSync(join(clone, 'native/binding.gyp')))
})

t.test('the tarball holds what users need, and nothing else', async t => {
  const names = (await output({ cwd: folder }, 'tar', 'tzf', tarball)).trim().split('\n')
  const files = names.map(name => name.replace(/^package\//, ''))
  for (const file of [
    'package.json',
    'README.md',
    'LICENSE',
    'CHANGELOG.md',
    'addon.cjs',
    'addon.d.cts',
    'native/binding.gyp',
    'native/addon.cc',
    'schema/virtual-servers.schema.json',
    'prebuilds/linux-x64/ts-ipvs.node',
    'prebuilds/linux-arm64/ts-ipvs.node',
    ...['.', './conntrack', './ipvs', './netlink', './nft', './proxy', './route', './service', './testing'].flatMap(entry =>
      ['js', 'd.ts', 'cjs', 'd.cts'].map(kind => join('dist', entry, `index.${kind}`)),
    ),
  ])
    t.ok(files.includes(file), `it has ${file}`)
  const program = ['dist/cli/LICENSES.txt', 'dist/cli/bin.cjs', 'dist/cli/subcommands.cjs', 'dist/cli/ts-ipvs.8']
  t.strictSame(files.filter(file => file.startsWith('dist/cli/')).sort(), program)
  const expected =
    /^(package\.json|schema\/virtual-servers\.schema\.json|\w+\.md|LICENSE|addon\.(d\.cts|cjs)|(dist|native|prebuilds)\/.*\.(js|cjs|d\.ts|d\.cts|cc|h|gyp|node))$/
  t.strictSame(
    files.filter(file => !expected.test(file) && !program.includes(file)),
    [],
  )
})

t.test('publint and Are The Types Wrong find nothing, for any way to resolve modules', async t => {
  await output({ cwd: folder }, bin('publint'), 'run', '--strict', tarball)
  await output({ cwd: folder }, bin('attw'), '--no-color', tarball)
  t.pass()
})

t.test('installing runs no script and compiles nothing, with npm install as with npm ci', async t => {
  for (const args of [['install', '--prefer-offline', tarball], ['ci']]) {
    const { status, stdout, stderr } = await run({ cwd: user }, 'npm', ...args)
    t.equal(status, 0, 'it ends well', { stderr })
    t.notMatch(stdout + stderr, /script|gyp/)
  }
  const { scripts, gypfile } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) t.notOk(name in scripts, `no script ${name}`)
  t.equal(gypfile, false)
  const lock = JSON.parse(readFileSync(join(user, 'package-lock.json'), 'utf8'))
  t.strictSame(Object.keys(lock.packages).sort(), ['', 'node_modules/node-gyp-build', 'node_modules/ts-ipvs'])
  t.notOk(lock.packages['node_modules/ts-ipvs'].hasInstallScript)
  for (const name of ['binding.gyp', 'build', 'native/build']) t.notOk(existsSync(join(installed, name)), `no ${name}`)
})

t.test('its types hold, for ES modules and CommonJS', async t => {
  const consumer = join(root, 'test/package/consumer')
  for (const name of readdirSync(consumer)) cpSync(join(consumer, name), join(user, name))
  symlinkSync(join(root, 'node_modules/@types'), join(user, 'node_modules/@types'))
  for (const [module, moduleResolution] of [
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['preserve', 'bundler'],
  ]) {
    const compilerOptions = {
      ...{ module, moduleResolution, target: 'ES2022', lib: ['ES2022'], types: ['node'], outDir: module },
      ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false },
    }
    writeFileSync(join(user, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['esm.mts', 'commonjs.cts'] }))
    t.match(
      await run({ cwd: user }, bin('tsc')),
      { status: 0, stdout: '' },
      `module ${module}, moduleResolution ${moduleResolution}`,
    )
  }
})

t.test('it works in ES modules and in CommonJS, which share one set of classes', async t => {
  for (const line of lines) {
    const node = await nodeOf(line)
    for (const program of ['node16/esm.mjs', 'node16/commonjs.cjs']) {
      const outcome = await run({ cwd: user }, node, program)
      t.match(
        outcome,
        { status: 0, stdout: /^the kernel answered: (as asked|family-unavailable|not-permitted)\n$/, stderr: '' },
        `${program} on Node.js ${line}`,
      )
    }
  }
})

t.test('npx runs its program, on each Node.js', async t => {
  const { version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  t.equal(await output({ cwd: user }, 'npx', 'ts-ipvs', '--version'), `ts-ipvs ${version}\n`)
  for (const line of lines) {
    const program = (...args: readonly string[]) =>
      nodeOf(line).then(node => run({ cwd: user }, node, 'node_modules/.bin/ts-ipvs', ...args))
    t.match(await program('--version'), { status: 0, stdout: `ts-ipvs ${version}\n`, stderr: '' }, `--version on Node.js ${line}`)
    t.match(await program('help'), { status: 0, stdout: /^Usage: ts-ipvs/, stderr: '' }, `help on Node.js ${line}`)
    t.match(await program('completion', 'fish'), { status: 0, stderr: '' }, `completion on Node.js ${line}`)
  }
})

t.test('npm finds its man page', async t => {
  const {
    man: [page],
  } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  t.match(readFileSync(join(installed, page), 'utf8'), /^\.TH TS\\-IPVS 8 /)
  await output({ cwd: folder }, 'npm', 'install', '--global', '--prefer-offline', '--prefix', join(folder, 'global'), tarball)
  t.ok(existsSync(join(folder, 'global/share/man/man8/ts-ipvs.8')), 'and installs it where man looks')
  t.match(await output({ cwd: folder }, join(folder, 'global/bin/ts-ipvs'), 'help'), /^Usage: ts-ipvs/)
})

t.test('an old Node.js that requires it is told which one is needed', async t => {
  const { node } = await nodeOfLine(18)
  for (const part of ['', '/conntrack', '/ipvs', '/netlink', '/nft', '/proxy', '/route', '/service', '/testing']) {
    const entry = `ts-ipvs${part}`
    const { status, stderr } = await run({ cwd: user }, node, '-e', `require('${entry}')`)
    t.equal(status, 1)
    t.match(stderr, /^Error: ts-ipvs needs Node\.js 20\.19, 22\.12 or newer, and this is 18\.\d+\.\d+$/m)
  }
})

t.test('where no prebuilt addon fits, the error says how to compile it, and that works', async t => {
  const bare = join(folder, 'bare')
  cpSync(join(user, 'node_modules'), join(bare, 'node_modules'), { recursive: true, verbatimSymlinks: true })
  rmSync(join(bare, 'node_modules/ts-ipvs/prebuilds'), { recursive: true })
  cpSync(join(user, 'node16'), join(bare, 'node16'), { recursive: true })
  const { status, stderr } = await run({ cwd: bare }, process.execPath, 'node16/commonjs.cjs')
  t.equal(status, 1)
  t.match(stderr, /unsupported-platform/)
  const [, command] = /To compile it: (npx node-gyp rebuild -C .*)/.exec(stderr) ?? []
  t.equal(command, `npx node-gyp rebuild -C ${join(bare, 'node_modules/ts-ipvs/native')}`)

  // A copy, because installing would prune what npm did not put there.
  const tools = join(folder, 'tools')
  mkdirSync(tools)
  const wanted = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies['node-gyp']
  await output({ cwd: tools }, 'npm', 'install', '--prefer-offline', `node-gyp@${wanted}`)
  const { node, headers } = await nodeOfLine(22)
  await output(
    { cwd: tools },
    'npx',
    'node-gyp',
    'rebuild',
    '-C',
    join(bare, 'node_modules/ts-ipvs/native'),
    `--nodedir=${headers}`,
  )
  t.match(await run({ cwd: bare }, node, 'node16/commonjs.cjs'), { status: 0, stdout: /^the kernel answered/ })
})
