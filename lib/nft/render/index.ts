/** Text of nft from libnftables JSON. */
export { renderCommands } from './commands.js'
export { renderDocument } from './document.js'
export { type RenderOptions, renderExpression } from './expression.js'
export { renderStatement, renderStatements } from './statement.js'
