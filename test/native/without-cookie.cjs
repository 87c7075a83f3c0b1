'use strict'
// The addon as on a kernel before Linux 5.14; with NOTHING=1 on one that does not give the namespace of a socket either.
const { join } = require('node:path')
const addon = require('node-gyp-build')(join(__dirname, '../..'))

module.exports = {
  ...addon,
  open: options => ({ ...addon.open(options), netnsCookie: 0n }),
  namespaceOf: socket => (process.env.NOTHING ? -25 : addon.namespaceOf(socket)),
}
