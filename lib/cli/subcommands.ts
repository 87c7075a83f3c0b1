/**
 * Everything that ipvsadm's grammar alone does not need. The build makes a file of its own of it, with a copy of all that it imports: what
 * only reads a long list of ipvsadm's lines does not read this.
 */
import type { saveFrom as save } from './commands/save.js'
import type { Io } from './io.js'

export { helpText } from './help.js'
export { main } from './main.js'
export { runProcess } from './process.js'
export { runSubcommand } from './program.js'

export const openNft: Io['openNft'] = async options => (await import('../nft/open.js')).open(options)

export const saveFrom: typeof save = async (...parameters) => (await import('./commands/save.js')).saveFrom(...parameters)
