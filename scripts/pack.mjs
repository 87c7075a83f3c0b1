/**
 * `prepack` makes native/ whole, for people who compile the addon themselves: `node-gyp rebuild -C node_modules/ts-ipvs/native`. It
 * writes a binding.gyp there, and the headers of node-addon-api, which nobody else has to install. `postpack` removes them. The
 * binding.gyp at the root stays out of the package: npm would run node-gyp on every machine that installs it.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './build-native.mjs'

const native = join(root, 'native')
const headers = join(native, 'node-addon-api')
const lookup = `'<!(node -p "require(\\'node-addon-api\\').include_dir")'`
const removeAll = () => {
  for (const made of [join(native, 'binding.gyp'), headers]) rmSync(made, { recursive: true, force: true })
}

function prepack() {
  const gyp = readFileSync(join(root, 'binding.gyp'), 'utf8')
  if (!gyp.includes(lookup)) throw new Error(`binding.gyp does not have ${lookup}`)
  writeFileSync(join(native, 'binding.gyp'), gyp.replace(lookup, "'node-addon-api'").replaceAll("'native/", "'"))

  const from = name => readFileSync(join(root, 'node_modules/node-addon-api', name), 'utf8')
  mkdirSync(headers, { recursive: true })
  for (const name of ['napi.h', 'napi-inl.h', 'napi-inl.deprecated.h'])
    writeFileSync(join(headers, name), `/*\n${from('LICENSE.md')}*/\n${from(name)}`)
}

const steps = { prepack, postpack: removeAll }
const step = steps[process.argv[2]]
if (step === undefined) throw new Error(`node scripts/pack.mjs ${Object.keys(steps).join('|')}`)
step()
