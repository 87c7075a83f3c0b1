/** Makes the program: dist/cli/bin.cjs, one file with all that it needs but the addon, the licences of what is in it, and its man page. */
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileFunction } from 'node:vm'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** Node.js starts CommonJS sooner than ES modules. */
const common = {
  absWorkingDir: root,
  bundle: true,
  preserveSymlinks: true,
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
  // createRequire, which is all that import.meta.url is for here, takes a path as well.
  define: { VERSION: JSON.stringify(version), 'import.meta.url': '__filename' },
}

/** @param folder where the files go; it is there */
export async function bundle(folder) {
  const file = join(folder, 'bin.cjs')
  const { metafile } = await build({
    ...common,
    entryPoints: ['lib/cli/bin.ts'],
    outfile: file,
    format: 'cjs',
    // Names stay: shorter ones would not make it start sooner, and stacks would tell nothing.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    metafile: true,
  })
  chmodSync(file, 0o755)
  writeFileSync(join(folder, 'LICENSES.txt'), licenses(Object.keys(metafile.inputs)))
  writeFileSync(join(folder, 'ts-ipvs.8'), await manual())
}

/** The licences of the packages that these files are of. */
function licenses(files) {
  const folders = new Set(files.map(file => /.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]).filter(Boolean))
  const texts = [...folders].sort().map(folder => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    const file = readdirSync(join(root, folder)).find(file => /^licen[cs]e/i.test(file))
    if (file === undefined) throw new Error(`${folder} has no file with its licence: bin.cjs can not be shipped with it`)
    return `${name} ${version} (${license})\n\n${readFileSync(join(root, folder, file), 'utf8').trim()}\n`
  })
  return `bin.cjs contains these packages.\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`
}

/** The page is written by the program's own sources: they are made to run first. */
async function manual() {
  const { outputFiles } = await build({ ...common, entryPoints: ['lib/cli/man.ts'], format: 'cjs', write: false })
  const module = { exports: {} }
  compileFunction(outputFiles[0].text, ['require', 'module'])(createRequire(import.meta.url), module)
  return module.exports.manPage(process, { version, date: new Date() })
}
