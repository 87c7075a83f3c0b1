/** ipvsadm: its command line on this library. */
import type { IpvsClient } from '../../ipvs/index.js'
import { type Io, write } from '../io.js'
import { version } from '../version.js'
import { change, problemOf } from './change.js'
import { Refused } from './entry.js'
import { list, save } from './list.js'
import { uninitialised } from './messages.js'
import { parse, type Request, TRY_HELP } from './parse.js'
import { Restore } from './restore.js'

/** What `ipvsadm` alone asks for. */
const EVERYTHING: readonly string[] = ['--list']

/** Carries out a command line in ipvsadm's grammar. Returns its exit status. */
export async function ipvsadm(argv: readonly string[], io: Io): Promise<number> {
  let request: Request
  try {
    request = await parse(argv.length === 0 ? EVERYTHING : argv)
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    const { program } = io
    const help = `Try \`${program} -h' or '${program} --help' for more information.`
    await write(io.stderr, `${error === TRY_HELP ? help : error.message}\n`)
    return error.status
  }
  if (request.command === 'help' || request.command === 'version') return tell(request.command, io)
  const lvs = await io.open(request.netns ? { netns: request.netns } : {})
  try {
    return await execute(lvs, request, io)
  } catch (error) {
    const message = uninitialised(error)
    if (message === undefined) throw error
    await write(io.stderr, `${message}\n`)
    return 2
  } finally {
    await lvs.close()
  }
}

/** The version of ipvsadm whose command line this is: scripts look for it. */
const LIKE = 'ipvsadm v1.31 2019/12/24 (compiled with popt and IPVS v1.2.1)'

async function tell(what: 'help' | 'version', io: Io): Promise<number> {
  const text =
    what === 'help' ? (await import('../help.js')).helpText(io) : `${io.program === 'ipvsadm' ? LIKE : `ts-ipvs ${version}`}\n`
  await write(io.stdout, text)
  return 0
}

async function execute(lvs: IpvsClient, request: Request, io: Io): Promise<number> {
  switch (request.command) {
    case 'list':
      return list(lvs, request, io)
    case 'save':
      if (request.json) return (await import('../commands/save.js')).saveFrom(lvs, 'json', io)
      return save(lvs, request, io)
    case 'restore':
      await lvs.info() // whether IPVS can be used is told even where there is nothing to restore
      return new Restore(lvs, io, inner => execute(lvs, inner, io)).run()
    default: {
      const result = await change(lvs, request, io.signal)
      if (!result.ok && uninitialised(result.error)) throw result.error
      const problem = await problemOf(lvs, request, result)
      if (problem === undefined) return 0
      await write(io.stderr, `${problem}\n`)
      return 255
    }
  }
}
