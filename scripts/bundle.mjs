/**
 * Makes the program: dist/cli/bin.cjs, all of ipvsadm's grammar in one file, and dist/cli/subcommands.cjs, which it reads for all else; what
 * is read of manifests with, dist/source/yaml.js; the licences of what is in them, and the man page. They need nothing but each other and
 * the addon. And the examples.
 */
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileFunction } from 'node:vm'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { version, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** Node.js starts CommonJS sooner than ES modules. */
const common = {
  absWorkingDir: root,
  bundle: true,
  preserveSymlinks: true,
  platform: 'node',
  target: 'node20',
  supported: { 'dynamic-import': false }, // require() is there already
  logLevel: 'warning',
  // They are the user's own, where he wants what they are for; what metrics need is small, and comes with the program.
  external: Object.keys(peerDependencies).filter(name => name !== 'prom-client'),
  // createRequire, which is all that import.meta.url is for here, takes a path as well.
  define: { VERSION: JSON.stringify(version), 'import.meta.url': '__filename' },
}

/** @param dist where the files go; it is there */
export async function bundle(dist) {
  const folder = join(dist, 'cli')
  const inputs = [
    ...(await one(folder, 'bin', [elsewhere])),
    ...(await one(folder, 'subcommands', [])),
    ...(await yaml(join(dist, 'source'))),
  ]
  chmodSync(join(folder, 'bin.cjs'), 0o755)
  writeFileSync(join(folder, 'LICENSES.txt'), licenses(inputs))
  writeFileSync(join(folder, 'ts-ipvs.8'), await manual())
}

/** An ES module, as all that imports it; of the package's files those for any platform are such. */
async function yaml(folder) {
  const { metafile } = await build({
    absWorkingDir: root,
    bundle: true,
    preserveSymlinks: true,
    entryPoints: ['lib/source/yaml.ts'],
    outfile: join(folder, 'yaml.js'),
    format: 'esm',
    platform: 'neutral',
    target: 'node20',
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  })
  return Object.keys(metafile.inputs)
}

/** The examples, a file each, with the package as it is in dist/. An emulator starts few files five times as fast as many. */
export async function examples(names, folder) {
  await build({
    ...{ absWorkingDir: root, bundle: true, platform: 'node', target: 'node20', format: 'esm', logLevel: 'warning' },
    external: Object.keys(peerDependencies),
    entryPoints: names.map(name => `examples/${name}.ts`),
    entryNames: '[name]',
    outdir: folder,
    minifyWhitespace: true,
    minifySyntax: true,
  })
}

/** One file with all that its source imports, except for what the plugins leave out. Returns the files that it was made of. */
async function one(folder, name, plugins) {
  const { metafile } = await build({
    ...common,
    entryPoints: [`lib/cli/${name}.ts`],
    outfile: join(folder, `${name}.cjs`),
    format: 'cjs',
    // Names stay: shorter ones would not make it start sooner, and stacks would tell nothing.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    metafile: true,
    plugins,
  })
  return Object.keys(metafile.inputs)
}

/** What lib/cli/subcommands.ts exports is taken from the file that is made of it. */
const elsewhere = {
  name: 'elsewhere',
  setup({ onResolve }) {
    onResolve({ filter: /\/(subcommands|program|help|commands\/save)\.js$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './subcommands.cjs', external: true } : undefined,
    )
  },
}

/** The licences of the packages that these files are of. */
function licenses(files) {
  const folders = new Set(files.map(file => /.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]).filter(Boolean))
  const texts = [...folders].sort().map(folder => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    const file = readdirSync(join(root, folder)).find(file => /^licen[cs]e/i.test(file))
    if (file === undefined) throw new Error(`${folder} has no file with its licence: the program can not be shipped with it`)
    return `${name} ${version} (${license})\n\n${readFileSync(join(root, folder, file), 'utf8').trim()}\n`
  })
  return `bin.cjs, subcommands.cjs and ../source/yaml.js contain these packages.\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`
}

/** The page is written by the program's own sources: they are made to run first. */
async function manual() {
  const { outputFiles } = await build({ ...common, entryPoints: ['lib/cli/man.ts'], format: 'cjs', write: false })
  const module = { exports: {} }
  compileFunction(outputFiles[0].text, ['require', 'module'])(createRequire(import.meta.url), module)
  return module.exports.manPage(process, { version, date: new Date() })
}
