/** The conformance suites of routes and connection tracking on the memory kernel. Under real kernels network-guest.ts runs the same cases. */
import { clientsOf } from './network/case.js'
import { cases } from './network/index.js'
import { runInMemory } from './support/in-memory.js'

await runInMemory(cases, clientsOf, 'need Linux: the ip command, packets or other namespaces')
