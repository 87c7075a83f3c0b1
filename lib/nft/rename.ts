/** The kernel renames a chain by its handle, for the name in the message is the new one (nf_tables_api.c, nf_tables_updchain). */
import type { Limit } from '../netlink/channel.js'
import { BadValue } from '../netlink/schema.js'
import { describe } from './describe.js'
import { rolledBack } from './explain.js'
import { isFamily } from './family.js'
import type { Kernel } from './kernel.js'
import { chains, find } from './read.js'
import type { ChainKey, Command } from './types.js'

type Rename = Extract<Command, { readonly rename: unknown }>

/** What is malformed is left to what writes commands: it says where. */
function lacksHandle(command: Command): command is Rename {
  if (command === null || typeof command !== 'object' || !('rename' in command)) return false
  const { family, table, name, handle, newName } = (command.rename?.chain ?? {}) as Partial<Rename['rename']['chain']>
  return handle === undefined && isFamily(family) && [table, name, newName].every(it => typeof it === 'string')
}

/** Whether handles have to be looked up, which is true of one generation only. */
export const needsHandles = (commands: readonly Command[]): boolean => commands.some(lacksHandle)

/** The commands, with the handles of chains that are renamed. Throws a `BadValue`, or a `TransactionError` where there is no such chain. */
export async function withHandles(kernel: Kernel, commands: readonly Command[], limit: Limit): Promise<readonly Command[]> {
  const complete = commands.slice()
  for (const [index, command] of commands.entries()) {
    if (!lacksHandle(command)) continue
    const { chain } = command.rename
    const found = await find(kernel, chains, { family: chain.family, table: chain.table, name: chain.name }, limit).catch(
      error => {
        throw error instanceof BadValue ? error.within(`[${index}].rename.chain`).within('commands') : error
      },
    )
    if (found?.handle === undefined) throw missing(commands, index, command)
    complete[index] = { rename: { chain: { ...chain, handle: found.handle } } }
  }
  return complete
}

function missing(commands: readonly Command[], index: number, command: Rename): Error {
  const { chain } = command.rename
  if (commands.slice(0, index).some(earlier => adds(earlier, chain)))
    return new BadValue('type', 'is added by the same transaction: add it with its new name instead')
      .within(`[${index}].rename.chain.name`)
      .within('commands')
  const target = describe('chain', chain)
  return rolledBack([
    {
      index,
      command,
      element: undefined,
      expression: undefined,
      path: 'rename.chain.name',
      target,
      problem: 'no-such-object',
      code: 'ENOENT',
      errno: -2,
      kernelMessage: undefined,
      cascaded: false,
      reason: `${target} can not be renamed: it is not there`,
    },
  ])
}

function adds(command: Command, { family, table, name }: ChainKey): boolean {
  const added = 'add' in command ? command.add : 'create' in command ? command.create : undefined
  if (!added || !('chain' in added)) return false
  return added.chain.family === family && added.chain.table === table && added.chain.name === name
}
