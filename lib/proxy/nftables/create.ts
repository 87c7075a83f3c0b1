/** A table that is made by one who does not know whether there is one. */
import { type Command, TransactionError } from '../../nft/index.js'

/** Commands that add a table and what is in it: refused where there is such a table. */
export const creating = (commands: readonly Command[]): readonly Command[] =>
  commands.map(command => ('add' in command && 'table' in command.add ? { create: command.add } : command))

/** Whether there is such a table. */
export const isTaken = (error: unknown): boolean =>
  error instanceof TransactionError && error.problem === 'exists' && error.failures[0]?.index === 0
