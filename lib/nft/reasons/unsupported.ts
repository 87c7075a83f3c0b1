/** EOPNOTSUPP: the kernel does not do it, or not there. */
import type { Around } from '../around.js'
import { priorityToWire } from '../family.js'
import type { Refused } from '../place.js'
import type { BaseChain, Chain, Element, Elements, NftSet, Rule, StatefulObject, Table } from '../types.js'
import { familyMismatch } from './invalid.js'
import { misplaced } from './misplaced.js'
import { expressionAt, type Meaning } from './reason.js'

const notSupported = (why: string): Meaning => ({ problem: 'not-supported', why })

export async function unsupported(refused: Refused, around: Around): Promise<Meaning> {
  switch (refused.word) {
    case 'table':
      return table(refused.object as Table, around)
    case 'chain':
      return chain(refused, around)
    case 'rule':
      return rule(refused, around)
    case 'set':
      return set(refused.object as NftSet)
    case 'elements':
      return elements(refused, around)
    case 'object':
      return notSupported(
        `an object of type ${(refused.object as StatefulObject).type} that is there can not be changed: delete it and add it anew`,
      )
    case 'flowtable':
      return notSupported(
        'hook, priority and flags of a flowtable that is there can not be changed; nor does every device offload to hardware',
      )
  }
}

async function table({ family, name, flags = [] }: Table, around: Around): Promise<Meaning> {
  const there = await around.table(family, name)
  if (there)
    return notSupported('of a table that is there, only `dormant` can be changed: delete it, and add it with these flags')
  return notSupported(
    flags.length === 0
      ? `this kernel has no tables of family ${family}`
      : `this kernel does not know one of the flags ${flags.join(', ')}: \`owner\` came with Linux 5.12, \`persist\` with 6.9`,
  )
}

async function chain({ object, field }: Refused, around: Around): Promise<Meaning> {
  const asked = object as Chain
  if (field === 'policy') return notSupported('only a base chain has a policy: give its hook as well')
  const there = await around.chain(asked.family, asked.table, asked.name)
  const other = there && isBase(there) && isBase(asked) ? difference(there, asked) : undefined
  if (other)
    return notSupported(
      `${other}, and this can not be changed: delete the chain and add it anew, with its rules, in one transaction`,
    )
  return notSupported(isBase(asked) ? newBaseChain(asked) : 'this kernel does not know one of its flags')
}

const isBase = (chain: Chain): chain is BaseChain => chain.hook !== undefined

/** What is not the same in the chain that is there. */
function difference(there: BaseChain, asked: BaseChain): string | undefined {
  const [before, after] = [there, asked].map(({ family, hook, priority = 0 }) => priorityToWire(family, hook, priority))
  if (there.hook !== asked.hook) return `it is there at hook ${there.hook}, not ${asked.hook}`
  if (before !== after) return `it is there with priority ${before}, not ${after}`
  return undefined
}

function newBaseChain({ family, hook, type = 'filter', flags = [] }: BaseChain): string {
  if (flags.includes('hardware-offload'))
    return 'none of its devices offloads rules to hardware, or not at this hook and priority'
  const option = hook === 'egress' ? 'NETFILTER_EGRESS (Linux 5.16)' : 'NETFILTER_INGRESS'
  if (hook === 'ingress' || hook === 'egress')
    return `this kernel has no hook ${hook} in family ${family}, which CONFIG_${option} gives, or \`devices\` is missing`
  return `this kernel has no chains of type ${type} at hook ${hook} of family ${family}, or not with this priority`
}

const UNKNOWN_PLACE =
  'one of the expressions that packets come to behind it may not stand where a base chain leads to it by jumps: ' +
  'nat, masq and redir need base chains of type nat at the right hook, reject and others have their hooks as well'

async function rule(refused: Refused, around: Around): Promise<Meaning> {
  const { object, expression } = refused
  const { expressions, family } = object as Rule
  const it = expression === undefined ? undefined : expressions[expression]
  if (!it || expression === undefined) return notSupported((await misplaced(refused, around)) ?? UNKNOWN_PLACE)
  const at = expressionAt(expressions, expression)
  if (it.kind === 'immediate' && 'data' in it && 'verdict' in it.data)
    return notSupported(`${at}: ${it.data.chain} is a base chain: only chains without a hook can be jumped to`)
  if (it.kind === 'dynset' && 'set' in it)
    return notSupported(`${at}: rules change only sets with the flag \`dynamic\`, and without intervals: ${it.set} is none`)
  if (it.kind === 'nat' && 'family' in it && family !== 'inet' && it.family !== family) return familyMismatch(refused)
  return notSupported(
    `${at}: this kernel does not do it in this family or chain, or does not know one of its attributes: it may be too old`,
  )
}

function set({ flags = [], policy, objects }: NftSet): Meaning {
  const asked = [
    flags.length > 0 && `flags ${flags.join(', ')}`,
    policy && `policy ${policy}`,
    objects && `objects ${objects}`,
  ].filter(Boolean)
  return notSupported(
    `this kernel has no data structure for such a set (${asked.join('; ')}): it may be too old, or the flags do not go together`,
  )
}

async function elements(refused: Refused, around: Around): Promise<Meaning> {
  const it = refused.element === undefined ? undefined : (refused.object as Elements).elements[refused.element]
  const place = it === undefined ? await misplaced(refused, around) : undefined
  return place === undefined ? element(it) : notSupported(place)
}

function element(it: Element | undefined): Meaning {
  if (it?.expires !== undefined && it.timeout === undefined) return notSupported('`expires` needs `timeout` beside it')
  if (it?.data !== undefined && typeof it.data === 'object' && 'verdict' in it.data && it.data.chain !== undefined)
    return notSupported(`${it.data.chain} is a base chain: only chains without a hook can be jumped to`)
  return notSupported('this kernel does not know one of its attributes: it may be too old')
}
