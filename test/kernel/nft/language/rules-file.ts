/** The files of test/nft/language/rules: rules as text, and what they stand in (see the README there). */
import { readdirSync, readFileSync } from 'node:fs'
import type { Family } from '../../../../lib/nft/index.js'

/** A rule of a file. */
export interface RuleLine {
  /** From 1 on. */
  readonly line: number
  readonly text: string
  /** Whether nft 1.0.6 loads it, too. */
  readonly old: boolean
  /** Only in these. */
  readonly families?: readonly string[] | undefined
}

export interface RulesFile {
  readonly name: string
  readonly families: readonly Family[]
  readonly hook: string
  readonly type: string
  readonly priority: string
  /** What the table needs: `set ports { type inet_service; }`. */
  readonly table: readonly string[]
  /** What a kernel may lack. */
  readonly needs: readonly string[]
  /** Made at random: nft may refuse some of them. */
  readonly random?: boolean | undefined
  readonly rules: readonly RuleLine[]
}

/** A rule in the chain where it was put. */
export interface Placed {
  readonly family: Family
  readonly rule: RuleLine
}

const MARK = /\s+# (nft 1\.1)?(?:, )?(?:in ([a-z0-9 ]+))?$/

export function readRules(name: string, text: string): RulesFile {
  const head = new Map<string, string[]>()
  const rules: RuleLine[] = []
  text.split('\n').forEach((line, index) => {
    if (line === '' || line.startsWith('# ')) return
    const [, key, value] = line.match(/^@(families|hook|type|priority|table|needs) (.*)$/) ?? []
    if (key !== undefined && value !== undefined) head.set(key, [...(head.get(key) ?? []), value])
    else rules.push(ruleOf(line, index + 1))
  })
  const one = (key: string): string | undefined => head.get(key)?.[0]
  return {
    name,
    families: (one('families') ?? 'inet').split(' ') as Family[],
    hook: one('hook') ?? 'input',
    type: one('type') ?? 'filter',
    priority: one('priority') ?? '0',
    table: head.get('table') ?? [],
    needs: head.get('needs') ?? [],
    rules,
  }
}

function ruleOf(line: string, number: number): RuleLine {
  const [mark, newer, families] = line.match(MARK) ?? ['']
  return {
    line: number,
    text: line.slice(0, line.length - mark.length),
    old: newer === undefined,
    families: families?.split(' '),
  }
}

/** The rules that a file has for each of its families. */
export function place(file: RulesFile): Placed[] {
  return file.families.flatMap(family =>
    file.rules.filter(({ families }) => families?.includes(family) ?? true).map(rule => ({ family, rule })),
  )
}

/** The commands that make what the rules stand in, a line each. */
export function surroundings(file: RulesFile): string[] {
  return file.families.flatMap(family => [
    `add table ${family} t`,
    `add chain ${family} t other`,
    ...file.table.map(object => inTable(object, family)),
    `add chain ${family} t c { type ${file.type} ${hookOf(file, family)} priority ${file.priority}; }`,
  ])
}

/** `set ports {…}` as `add set inet t ports {…}`; kinds of two words are those of ct. */
const inTable = (object: string, family: string): string => {
  const [, kind, rest] = object.match(/^((?:ct )?\S+) (.*)$/) ?? []
  return `add ${kind} ${family} t ${rest}`
}

function hookOf({ hook }: RulesFile, family: Family): string {
  if (family === 'netdev') return `hook ${hook === 'egress' ? hook : 'ingress'} device lo`
  if (family === 'arp' && hook !== 'output') return 'hook input'
  return `hook ${hook}`
}

export const addRule = ({ family, rule }: Placed): string => `add rule ${family} t c ${rule.text}`

const CORPUS = new URL('../../../../../../test/nft/language/', import.meta.url)

/** The files of the corpus that end in `ending`, by their names from `folder` on. */
export function corpusFiles(folder: string, ending: string): { readonly name: string; readonly text: string }[] {
  const names = readdirSync(new URL(`${folder}/`, CORPUS), { recursive: true }).map(String)
  return names
    .filter(name => name.endsWith(ending))
    .sort()
    .map(name => ({ name: `${folder}/${name}`, text: readFileSync(new URL(`${folder}/${name}`, CORPUS), 'utf8') }))
}
