/** nftables' conformance suite on the memory kernel. Under real kernels nft-guest.ts runs the same cases. */
import { clientsOf } from './nft/case.js'
import { nft } from './nft/index.js'
import { runInMemory } from './support/in-memory.js'

await runInMemory(nft, clientsOf, 'need Linux: the nft command, packets or processes')
