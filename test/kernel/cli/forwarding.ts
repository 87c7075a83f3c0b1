/** As the kernel's own test of IPVS does it: a client, a director and a server, and nothing but commands to set the director up. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Family } from '../../../lib/ipvs/index.js'
import type { Case } from '../support/case.js'
import { addressOf, CLIENT, FAMILIES, nameOf, network, SERVER_PORT, target, VIRTUAL } from '../traffic/network.js'
import { PROGRAM } from './program.js'

const exec = promisify(execFile)

/** Runs it in a process of its own. */
async function command(netns: string, text: string): Promise<string> {
  const { stdout } = await exec(process.execPath, [PROGRAM, '--netns', netns, ...text.split(' ')])
  return stdout
}

const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address)

/** Words, option, virtual port, how the listing names it, and where the server sees the question come to. */
const METHODS: readonly (readonly [string, string, number, string, (family: Family) => string])[] = [
  ['NAT', '-m', 80, 'Masq', family => addressOf(1, family)],
  ['tunnelling (ipip)', '-i', SERVER_PORT, 'Tunnel', family => VIRTUAL[family]],
  ['direct routing', '-g', SERVER_PORT, 'Route', family => VIRTUAL[family]],
]

export const cases: readonly Case[] = METHODS.flatMap(([words, option, port, listed, seenAt]) =>
  FAMILIES.map(
    (family): Case => ({
      name: `three namespaces, ${words} over ${family}: set up with commands, the payload is received`,
      needs: 'linux',
      async run(context) {
        const { client } = await network(context)
        const service = `-t ${bracketed(VIRTUAL[family])}:${port}`
        const server = `${bracketed(addressOf(1, family))}:${SERVER_PORT}`
        await command(context.netns, `-A ${service} -s rr`)
        await command(context.netns, `-a ${service} -r ${server} ${option}`)
        const from = CLIENT[family][0]
        const answer = { server: nameOf(1), to: seenAt(family), from }
        assert.deepEqual(await client.ask({ ...target('tcp', family, port), from }, 2), [answer, answer])
        const listing = await command(context.netns, '-Ln')
        const row = new RegExp(`^ {2}-> \\S+:${SERVER_PORT} +${listed} +1 +(\\d+) +(\\d+) *$`, 'm').exec(listing)
        assert.equal(Number(row?.[1]) + Number(row?.[2]), 2, `two connections are listed:\n${listing}`)
      },
    }),
  ),
)
