/** `ts-ipvs nft watch`: changes of the ruleset, a line each. */
import type { NftClient } from '../../nft/index.js'
import { localTime, styled } from '../format.js'
import { hasColours, type Io, SUCCESS, write } from '../io.js'
import { toJson } from '../json.js'
import { ChangeWriter } from './change-lines.js'
import type { NftOptions } from './index.js'

const COLOURS = { added: 'green', changed: 'yellow', removed: 'red' } as const

export async function watch(io: Io, client: NftClient, { family, table, json }: NftOptions): Promise<number> {
  const colours = hasColours(io, io.stdout)
  const events = client.watch({ family, table, signal: io.signal })
  const writer = new ChangeWriter(await client.sets({ family, table }))
  for await (const { changes, process, generation } of events) {
    const time = localTime(new Date())
    const lines = writer
      .lines(changes)
      .map(({ type, text }) =>
        json
          ? toJson({ time, generation, ...(process && { process }), type, change: text })
          : `${time} ${styled(text, COLOURS[type], colours)}${process ? ` # ${process.name}` : ''}`,
      )
    await write(io.stdout, lines.map(line => `${line}\n`).join(''))
  }
  return SUCCESS
}
