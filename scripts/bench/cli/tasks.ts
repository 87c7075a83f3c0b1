/** What is measured of the program: whole runs of it, from a shell, as people start it. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fleet, type Size } from '../ipvs/fleet.js'
import { inNewNamespace, loadModules, type Namespace, save } from '../ipvs/guest.js'
import { type Pairs, pairs } from '../pairs.js'
import { say, shell, timed } from '../shell.js'

export interface TaskOptions {
  /** The program, and the Node.js that runs it. */
  readonly bin: string
  readonly node: string
  readonly size: Size
  readonly pairs: number
}

export type TaskName = 'restore' | 'list' | 'version'
export const TASKS: Readonly<Record<TaskName, (options: TaskOptions) => Promise<Pairs>>> = { restore, list, version }

/** A restore of everything into a new namespace, against ipvsadm's; both have to make the same tables. */
async function restore({ bin, node, size, pairs: count }: TaskOptions): Promise<Pairs> {
  await loadModules()
  const file = join(mkdtempSync(join(tmpdir(), 'bench-')), 'rules')
  writeFileSync(file, rules(size))
  let expected: string | undefined
  const run = (program: string) => (): Promise<number> =>
    inNewNamespace(async netns => {
      const time = await timed(`${within(netns)} ${program} -R <${file}`)
      const made = await save(netns)
      expected ??= made
      if (made !== expected || linesOf(made) !== linesOf(rules(size)))
        throw new Error(`${program} -R has not made the tables of the file: ${linesOf(made)} of ${linesOf(rules(size))} lines`)
      return time
    })
  say(`-R and ipvsadm -R, ${count} pairs`)
  return pairs(count, run(`${node} ${bin}`), run('ipvsadm'))
}

/** A listing of the same, less the time in which Node.js starts and does nothing, against ipvsadm's; both have to print the same. */
async function list({ bin, node, size, pairs: count }: TaskOptions): Promise<Pairs> {
  await loadModules()
  return inNewNamespace(async netns => {
    const file = join(mkdtempSync(join(tmpdir(), 'bench-')), 'rules')
    writeFileSync(file, rules(size))
    await shell.run(`${within(netns)} ipvsadm -R <${file}`)
    const ours = `${within(netns)} ${node} ${bin} -Ln`
    const theirs = `${within(netns)} ipvsadm -Ln`
    if ((await shell.run(ours)) !== (await shell.run(theirs)))
      throw new Error('ts-ipvs -Ln prints something else than ipvsadm -Ln')
    say(`-Ln and ipvsadm -Ln, ${count} pairs`)
    const beyondStart = async (): Promise<number> => {
      const start = await timed(`${within(netns)} ${node} -e 0`)
      return (await timed(`${ours} >/dev/null`)) - start
    }
    return pairs(count, beyondStart, () => timed(`${theirs} >/dev/null`))
  })
}

/** Start and end of the program, against those of Node.js alone. */
async function version({ bin, node, pairs: count }: TaskOptions): Promise<Pairs> {
  say(`--version and node -e 0, ${count} pairs`)
  return pairs(
    count,
    () => timed(`${node} ${bin} --version >/dev/null`),
    () => timed(`${node} -e 0`),
  )
}

const within = (netns: Namespace): string => `nsenter --net=${netns.path}`

/** As `ipvsadm -S` writes them. */
function rules(size: Size): string {
  return fleet(size)
    .map(desired => {
      if (!('address' in desired)) throw new TypeError('the fleet has addresses')
      const service = `-t ${desired.address}:${desired.port}`
      const servers = (desired.realServers ?? []).map(({ address, port }) => `-a ${service} -r ${address}:${port} -m -w 1\n`)
      return `-A ${service} -s ${desired.scheduler}\n${servers.join('')}`
    })
    .join('')
}

const linesOf = (text: string): number => text.split('\n').length
