/**
 * `prepack` writes native/binding.gyp, for people who compile the addon themselves: `node-gyp rebuild -C node_modules/ts-ipvs/native`.
 * `postpack` removes it. The one at the root stays out of the package: npm would run node-gyp on every machine that installs it.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './build-native.mjs'

const target = join(root, 'native/binding.gyp')
const steps = {
  prepack: () => writeFileSync(target, readFileSync(join(root, 'binding.gyp'), 'utf8').replaceAll("'native/", "'")),
  postpack: () => rmSync(target, { force: true }),
}
const step = steps[process.argv[2]]
if (step === undefined) throw new Error(`node scripts/pack.mjs ${Object.keys(steps).join('|')}`)
step()
