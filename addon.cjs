'use strict'

const { readFileSync } = require('node:fs')
const { join } = require('node:path')
const nodeGypBuild = require('node-gyp-build')

/** Where a build may be: this repository's build/ or the package's prebuilds/, and what a user compiled from native/. */
const places = [__dirname, join(__dirname, 'native')]

function load() {
  if (process.env.TS_IPVS_ADDON) return require(process.env.TS_IPVS_ADDON)
  const causes = []
  for (const place of places) {
    try {
      return nodeGypBuild(place)
    } catch (cause) {
      if (cause.code !== undefined && cause.code !== 'ERR_DLOPEN_FAILED') throw cause
      causes.push(cause)
    }
  }
  throw unavailable(causes)
}

function unavailable(causes) {
  // A build that is there and does not load tells more than a place where there is none.
  const cause = causes.find(error => error.code === 'ERR_DLOPEN_FAILED') ?? causes[0]
  const message =
    process.platform === 'linux'
      ? [
          `ts-ipvs has no native addon for this platform (linux ${process.arch}, ${libc()}, Node.js ${process.versions.node}).`,
          `Prebuilt ones are for linux x64 and arm64, glibc and musl alike; libstdc++ must be installed (Alpine: apk add libstdc++).`,
          `To compile it: npx node-gyp rebuild -C ${join(__dirname, 'native')}`,
          `(needs Python, make and a C++17 compiler). What went wrong: ${cause.message}`,
        ].join('\n')
      : `ts-ipvs speaks to the Linux kernel: on ${process.platform} only its types and the memory kernel of ts-ipvs/testing work.`
  return Object.assign(new Error(message, { cause }), { code: 'ERR_ADDON_NOT_FOUND' })
}

function libc() {
  return readFileSync('/proc/self/maps', 'utf8').includes('/ld-musl-') ? 'musl' : 'glibc'
}

module.exports = load()
