/**
 * The conformance suites of routes and connection tracking under this kernel: `node network-guest.js [WORD…]`, only the cases whose name
 * contains one of the words.
 */
import { clientsOf } from './network/case.js'
import { cases } from './network/index.js'
import { runOnLinux } from './support/on-linux.js'

process.setSourceMapsEnabled(true)
process.exit(await runOnLinux(cases, clientsOf, process.argv.slice(2)))
