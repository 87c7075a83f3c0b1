/** The same command lines, by ipvsadm in one namespace and by us in another: they have to say the same, and to leave the same behind. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { open } from '../../../lib/ipvs/index.js'
import { type Outcome, runCli } from '../../cli/support.js'
import type { LinuxContext } from '../support/case.js'

const exec = promisify(execFile)

/** Words of one command line; with what it gets on standard input. */
export interface Line {
  readonly words: readonly string[]
  readonly stdin?: string
}

/** A command line from a text: words between blanks, `''` is an empty one. */
export function line(text: string, stdin?: string): Line {
  const words = text.split(' ').filter(word => word !== '')
  return { words: words.map(word => (word === "''" ? '' : word)), ...(stdin !== undefined && { stdin }) }
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

/** Runs them all in one shell in the namespace, a process a line: starting one is what takes the time. */
export async function byIpvsadm(netns: string, lines: readonly Line[]): Promise<Outcome[]> {
  const folder = await mkdtemp(join(tmpdir(), 'differential-'))
  try {
    const commands = await Promise.all(
      lines.map(async ({ words, stdin }, i) => {
        const input = stdin === undefined ? '/dev/null' : `${i}.in`
        if (stdin !== undefined) await writeFile(join(folder, input), stdin)
        return `ipvsadm ${words.map(quoted).join(' ')} <${input} >${i}.out 2>${i}.err; echo $? >>status`
      }),
    )
    await writeFile(join(folder, 'script'), [`cd ${folder}`, ...commands].join('\n'))
    await exec('ip', ['netns', 'exec', netns, 'sh', join(folder, 'script')])
    const statuses = (await readFile(join(folder, 'status'), 'utf8')).trim().split('\n').map(Number)
    const printed = (name: string): Promise<string> => readFile(join(folder, name), 'utf8')
    return await Promise.all(
      lines.map(async (_, i) => ({
        status: statuses[i] ?? -1,
        stdout: await printed(`${i}.out`),
        stderr: await printed(`${i}.err`),
      })),
    )
  } finally {
    await rm(folder, { recursive: true })
  }
}

export async function byUs(netns: string, { words, stdin }: Line): Promise<Outcome> {
  return runCli(words, {
    program: 'ipvsadm',
    ...(stdin !== undefined && { stdin }),
    open: options => open({ ...options, netns: options.netns ?? { name: netns } }),
  })
}

/** Thresholds are saved by us alone, on purpose (see differences.ts). */
const withoutThresholds = (ours: Outcome): Outcome => ({
  ...ours,
  stdout: ours.stdout.replaceAll(/^(-a .*? -w \d+)(?: -x \d+)?(?: -y \d+)?/gm, '$1'),
})

/** Runs lines by both, one after the other, on states that begin equal. */
export async function sameAsIpvsadm(context: LinuxContext, lines: readonly Line[]): Promise<void> {
  const other = await context.another()
  const theirs = await byIpvsadm(other, lines)
  const different: string[] = []
  for (const [i, one] of lines.entries()) {
    const expected = theirs[i] as Outcome
    const ours = withoutThresholds(await byUs(context.netns, one))
    if (JSON.stringify(ours) !== JSON.stringify(expected))
      different.push(`ipvsadm ${one.words.map(quoted).join(' ')}\n  theirs ${show(expected)}\n  ours   ${show(ours)}`)
  }
  assert.equal(different.length, 0, `${different.length} of ${lines.length} differ:\n${different.join('\n')}`)
  const [left, right] = [await byIpvsadm(other, STATE), await byIpvsadm(context.netns, STATE)]
  assert.deepEqual(right, left, 'the states that they left behind')
}

const show = ({ status, stdout, stderr }: Outcome): string => `${status} ${JSON.stringify(stdout)} ${JSON.stringify(stderr)}`

/** All that ipvsadm can tell of a namespace. */
const STATE = ['-Ln', '-Ln --thresholds', '-Ln --tun-info', '-Sn', '-L --timeout', '-L --daemon'].map(text => line(text))

/** The time that a connection has left goes on from one look to the next: only its form is compared. */
const withoutExpiry = (outcome: Outcome): Outcome => ({
  ...outcome,
  stdout: outcome.stdout.replaceAll(/^(\w+ +)\d\d:\d\d {2}/gm, '$1MM:SS  '),
})

/** Both read the same namespace. What counts on meanwhile is read again until nothing has changed between two looks of theirs. */
export async function listsTheSame(netns: string, texts: readonly string[]): Promise<readonly Outcome[]> {
  const asked = texts.map(text => line(text))
  for (let tries = 0; ; tries++) {
    const before = (await byIpvsadm(netns, asked)).map(withoutExpiry)
    const ours: Outcome[] = []
    for (const one of asked) ours.push(withoutExpiry(await byUs(netns, one)))
    const after = (await byIpvsadm(netns, asked)).map(withoutExpiry)
    const quiet = JSON.stringify(before) === JSON.stringify(after)
    if (!quiet && tries < 20) continue
    for (const [i, text] of texts.entries()) assert.deepEqual(ours[i], after[i], `ipvsadm ${text}`)
    return ours
  }
}
