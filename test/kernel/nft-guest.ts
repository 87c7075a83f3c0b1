/** nftables' conformance suite under this kernel: `node nft-guest.js [WORD…]`, only the cases whose name contains one of the words. */
import { clientsOf } from './nft/case.js'
import { nft } from './nft/index.js'
import { runOnLinux } from './support/on-linux.js'

process.setSourceMapsEnabled(true)
process.exit(await runOnLinux(nft, clientsOf, process.argv.slice(2)))
