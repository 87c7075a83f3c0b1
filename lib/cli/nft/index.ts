/** `ts-ipvs nft`: the ruleset of nftables, with documents of libnftables JSON. */
import type { NftClient } from '../../nft/index.js'
import type { Family } from '../../nft/types.js'
import { CommandError, type Io } from '../io.js'
import type { CommonOptions } from '../program.js'
import { parseNetns } from '../words.js'
import { apply, check, diff } from './documents.js'
import { list } from './list.js'
import { watch } from './watch.js'

export interface NftOptions extends CommonOptions {
  readonly family?: Family
  readonly table?: string
}

/** What each action does. Those that need a document get its file. */
const ACTIONS = { list, apply, check, diff, watch } as const

const WITH_FILE: readonly string[] = ['apply', 'check', 'diff']

export async function nft(io: Io, action: keyof typeof ACTIONS, file: string | undefined, options: NftOptions): Promise<number> {
  const needsFile = WITH_FILE.includes(action)
  if (needsFile && file === undefined) throw new CommandError(`nft ${action}: give a file, or - for the standard input`)
  if (!needsFile && file !== undefined) throw new CommandError(`nft ${action} ${file}: takes no file`)
  await using client = await openClient(io, options)
  return await ACTIONS[action](io, client, options, file ?? '-')
}

function openClient(io: Io, { netns }: CommonOptions): Promise<NftClient> {
  return io.openNft(netns === undefined ? {} : { netns: parseNetns(netns) })
}
