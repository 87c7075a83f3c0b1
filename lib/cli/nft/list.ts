/** `ts-ipvs nft list`: the ruleset, as nft prints it. */
import type { NftClient } from '../../nft/index.js'
import { documentToText } from '../../nft/json/number.js'
import { type Io, SUCCESS, write } from '../io.js'
import type { NftOptions } from './index.js'

export async function list(io: Io, client: NftClient, { family, table, json }: NftOptions): Promise<number> {
  const filter = { family, table }
  const text = json ? `${documentToText(await client.ruleset(filter))}\n` : await client.rulesetText(filter)
  await write(io.stdout, text)
  return SUCCESS
}
