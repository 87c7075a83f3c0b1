/** `ts-ipvs nft apply`, `check` and `diff`: documents of libnftables JSON. */
import type { NftClient } from '../../nft/index.js'
import type { Document } from '../../nft/json/index.js'
import { documentOfText, documentToText } from '../../nft/json/number.js'
import { planDocument } from '../../nft/plan/plan.js'
import { readBytes } from '../document/file.js'
import { styled } from '../format.js'
import { CommandError, FAILURE, hasColours, type Io, SUCCESS, USAGE, write } from '../io.js'
import { commandLine } from './command-line.js'
import type { NftOptions } from './index.js'

export async function apply(io: Io, client: NftClient, { json }: NftOptions, file: string): Promise<number> {
  const document = await readDocument(io, file)
  const { answers, document: echoed } = await asGiven(file, () => client.apply(document, { echo: json === true }))
  const printed = echoed ? [echoed, ...answers] : answers
  await write(io.stdout, printed.map(answer => `${documentToText(answer)}\n`).join(''))
  return SUCCESS
}

export async function check(io: Io, client: NftClient, _options: NftOptions, file: string): Promise<number> {
  const document = await readDocument(io, file)
  await asGiven(file, () => client.check(document))
  return SUCCESS
}

/** Whatever goes wrong is status 2, as with diff(1): 1 says that there are differences. */
export async function diff(io: Io, client: NftClient, { json }: NftOptions, file: string): Promise<number> {
  try {
    const wanted = await readDocument(io, file)
    const plan = await asGiven(file, async () => planDocument(wanted, await client.ruleset({ whole: true })))
    const colours = hasColours(io, io.stdout)
    const lines = json ? [documentToText(plan)] : plan.nftables.map(command => coloured(commandLine(command), colours))
    await write(io.stdout, lines.map(line => `${line}\n`).join(''))
    return plan.nftables.length > 0 ? FAILURE : SUCCESS
  } catch (error) {
    throw Object.assign(error as Error, { status: USAGE })
  }
}

const coloured = (line: string, colours: boolean): string =>
  styled(line, /^(delete|destroy|flush)/.test(line) ? 'red' : /^(add|create|insert)/.test(line) ? 'green' : 'yellow', colours)

async function readDocument(io: Io, file: string): Promise<Document> {
  const text = (await readBytes(io, file)).toString()
  try {
    return documentOfText(text)
  } catch (error) {
    throw new CommandError(`${nameOf(file)}: is no JSON: ${(error as Error).message}`)
  }
}

const nameOf = (file: string): string => (file === '-' ? 'standard input' : file)

/** What is wrong with the document is the user's to mend, and nothing was done; what the kernel refuses is told as it is. */
async function asGiven<T>(file: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw new CommandError(`${nameOf(file)}: ${error.message}`)
    throw error
  }
}
