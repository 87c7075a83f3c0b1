/** `ts-ipvs doctor`: what IPVS lacks here, and the command that mends it. */
import { type Check, examine, usable } from '../doctor/checks.js'
import { gather, type Host, thisHost } from '../doctor/facts.js'
import { styled } from '../format.js'
import { FAILURE, hasColours, type Io, SUCCESS, write } from '../io.js'
import { toJson } from '../json.js'
import { type CommonOptions, openClient } from '../program.js'

const COLOURS = { ok: 'green', warning: 'yellow', missing: 'red' } as const

/** Status 0 when IPVS can be used. */
export async function doctor(io: Io, options: CommonOptions, host: Host = thisHost()): Promise<number> {
  const facts = await gather(host, options.netns, () => openClient(io, options))
  const checks = examine(facts)
  const works = usable(facts)
  const text = options.json ? toJson({ usable: works, checks }, 2) : report(checks, works, hasColours(io, io.stdout))
  await write(io.stdout, `${text}\n`)
  return works ? SUCCESS : FAILURE
}

function report(checks: readonly Check[], works: boolean, colours: boolean): string {
  const width = Math.max(...checks.map(({ name }) => name.length))
  const lines = checks.flatMap(({ name, status, text, remedy }) => [
    `${styled(status.padEnd(7), COLOURS[status], colours)}  ${name.padEnd(width)}  ${text}`,
    ...(remedy === undefined ? [] : [`${' '.repeat(width + 11)}${styled(`$ ${remedy}`, 'bold', colours)}`]),
  ])
  return [...lines, '', works ? 'IPVS can be used here.' : 'IPVS can not be used here.'].join('\n')
}
