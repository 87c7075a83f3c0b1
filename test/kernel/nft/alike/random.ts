/** Transactions made at random, over a few names, so that many of them refer to each other, and many are refused. */
import { message as M } from '../../../../lib/nft/wire.js'
import type { Random } from '../../support/random.js'
import {
  ACK,
  APPEND,
  type Attribute,
  batch,
  CREATE,
  catchAll,
  chain,
  counter,
  dump,
  ECHO,
  type Element,
  EXCL,
  elements,
  expression,
  GOTO,
  hex,
  hook,
  JUMP,
  list,
  loadAddress,
  object,
  REPLACE,
  rule,
  type Spec,
  set,
  spec,
  table,
} from './messages.js'
import type { Step } from './scenario.js'

const VERDICT = 0xffff_ff00
const NAMES = ['s', 'm', 'v', 'o', 'i', 'iv', 'r', 'x']

/** Flags, length of the key, and the rest of each set. */
const SETS: Readonly<Record<string, readonly [flags: number, keyLength: number, ...more: Attribute[]]>> = {
  s: [0, 4],
  m: [8, 4, [6, 5], [7, 4]],
  v: [8, 4, [6, VERDICT]],
  o: [0x40, 4, [15, 1]],
  i: [4, 4],
  iv: [0xc, 4, [6, VERDICT]],
  r: [0x84, 8, [9, [[2, list([[1, 4]], [[1, 2]])]]]],
  x: [0, 4, [9, [[1, 3]]]],
  '__set%d': [3, 4],
  '__map%d': [0xb, 4, [6, VERDICT]],
  '__int%d': [7, 4],
}

/** What all begin with. */
export const beginning: readonly Spec[] = batch(
  table('ip', 't'),
  ...['a', 'b', 'c'].map(name => chain('ip', 't', name)),
  chain('ip', 't', 'base', CREATE, hook(1, 0)),
  ...NAMES.map(name => newSet(name, CREATE, 1)),
  ...['p', 'q'].map(name => object('ip', 't', name, 1, CREATE, [])),
)

function newSet(name: string, flags: number, id: number): Spec {
  const [setFlags = 0, keyLength = 4, ...more] = SETS[name] ?? []
  const made = set('ip', 't', name, flags, setFlags, keyLength, ...more)
  return { ...made, attributes: made.attributes.map(attribute => (attribute[0] === 10 ? [10, id] : attribute)) }
}

/** Everything there is. */
export const everything: readonly Step[] = [
  ...[M.getTable, M.getChain, M.getRule, M.getSet, M.getObject].map(number => [dump(number)]),
  ...NAMES.map(name => [
    dump(M.getElements, 'ip', [
      [1, 't'],
      [2, name],
    ]),
  ]),
]

export class RandomTransactions {
  readonly #random: Random
  #nextId = 2

  constructor(random: Random) {
    this.#random = random
  }

  transaction(): Spec[] {
    const wanted = 1 + this.#random.below(this.#chance(0.6) ? 1 : 4)
    const messages: Spec[] = []
    while (messages.length < wanted) messages.push(...this.#random.of(this.#operations)())
    const whole = batch(...messages)
    return this.#chance(0.93) ? whole : whole.slice(0, -1)
  }

  /** Whether something that happens so often happens now. */
  #chance(share: number): boolean {
    return this.#random.below(1000) < share * 1000
  }

  readonly #chain = (): string => (this.#chance(0.95) ? this.#random.of(['a', 'b', 'c', 'base']) : 'nope')
  readonly #object = (): string => this.#random.of(['p', 'q'])
  readonly #set = (): string => this.#random.of(NAMES)
  readonly #handle = (): bigint => BigInt(1 + this.#random.below(60))
  readonly #flags = (): number => this.#random.of([0, 0, ACK]) | (this.#chance(0.2) ? ECHO : 0)
  readonly #created = (): number => CREATE | this.#flags() | (this.#chance(0.15) ? EXCL : 0)
  readonly #named = (names: () => string, nameId: number, handleId: number): Attribute =>
    this.#chance(0.85) ? [nameId, names()] : [handleId, this.#handle()]

  /** Those that make something come more often. */
  readonly #operations: readonly (() => Spec[])[] = [
    () => [table('ip', 't', this.#created(), ...(this.#chance(0.3) ? [[2, this.#random.below(2)] as const] : []))],
    () => [chain('ip', 't', this.#chain(), this.#created(), ...(this.#chance(0.1) ? [[11, 1] as const] : []))],
    () => [chain('ip', 't', 'base', this.#created(), hook(this.#random.of([1, 1, 0]), 0), [5, this.#random.below(2)])],
    () => [this.#remove([M.deleteChain, M.destroyChain], this.#named(this.#chain, 3, 2))],
    () => [this.#rule()],
    () => [this.#rule()],
    () => [this.#rule()],
    () => this.#anonymousSet(),
    () => this.#boundChain(),
    () => [this.#removeRule()],
    () => [newSet(this.#set(), this.#created(), 1)],
    () => [this.#remove([M.deleteSet, M.destroySet], this.#named(this.#set, 2, 16))],
    () => [this.#addElements()],
    () => [this.#addElements()],
    () => [this.#removeElements()],
    () => [object('ip', 't', this.#object(), 1, this.#created(), [])],
    () => [this.#remove([M.deleteObject, M.destroyObject], [2, this.#object()], [3, 1])],
    () => [
      spec(M.newChain, 'ip', this.#flags(), [
        [1, 't'],
        [2, this.#handle()],
        [3, this.#chain()],
      ]),
    ],
  ]

  #remove(numbers: readonly number[], ...attributes: Attribute[]): Spec {
    return spec(this.#random.of(numbers), 'ip', this.#flags(), [[1, 't'], ...attributes])
  }

  #verdict(): readonly Attribute[] {
    const chosen = this.#random.of<readonly Attribute[]>([
      [[1, 1]],
      [[1, 0]],
      [
        [1, JUMP],
        [2, this.#chain()],
      ],
      [
        [1, GOTO],
        [2, this.#chain()],
      ],
      [
        [1, JUMP],
        [3, 1],
      ],
    ])
    return [[2, chosen]]
  }

  #expressions(): readonly (readonly Attribute[])[] {
    const immediate = expression('immediate', [
      [1, 0],
      [2, this.#verdict()],
    ])
    const lookup = (name: string, ...more: Attribute[]) => expression('lookup', [[1, name], [2, 1], ...more])
    return this.#random.of([
      [counter],
      [immediate],
      [counter, immediate],
      [loadAddress, lookup(this.#random.of(['s', 'i', 'x', 'r', 'nope']))],
      [loadAddress, lookup(this.#random.of(['v', 'iv']), [3, 0])],
      [
        expression('objref', [
          [1, 1],
          [2, this.#object()],
        ]),
      ],
      [
        loadAddress,
        expression('objref', [
          [3, 1],
          [4, 'o'],
        ]),
      ],
    ])
  }

  #rule(): Spec {
    const flags = this.#random.of([CREATE | APPEND, CREATE | APPEND, CREATE, REPLACE, EXCL | CREATE])
    const place: Attribute[] = []
    if (flags === REPLACE) place.push([3, this.#handle()])
    else if (this.#chance(0.3)) place.push([6, this.#handle()])
    else if (this.#chance(0.1)) place.push([10, 1])
    if (this.#chance(0.2)) place.push([9, 1])
    if (this.#chance(0.2)) place.push([7, hex('0001')])
    return rule('ip', 't', this.#chain(), flags | this.#flags(), this.#expressions(), ...place)
  }

  #removeRule(): Spec {
    const which: Attribute[] = this.#chance(0.9) ? [[2, this.#chain()]] : []
    if (this.#chance(0.8)) which.push([3, this.#handle()])
    else if (this.#chance(0.3)) which.push([9, 1])
    return this.#remove([M.deleteRule, M.deleteRule, M.destroyRule], ...which)
  }

  /** Most are used by a rule. */
  #anonymousSet(): Spec[] {
    const id = this.#nextId++
    const name = this.#random.of(['__set%d', '__map%d', '__int%d'])
    const given = this.#elements(name, 3)
    const lookup = expression('lookup', [[1, name], [2, 1], [4, id], ...(name === '__map%d' ? [[3, 0] as const] : [])])
    return [
      newSet(name, CREATE | this.#flags(), id),
      spec(M.newElements, 'ip', CREATE | this.#flags(), [
        [1, 't'],
        [2, name],
        [4, id],
        [3, list(...given)],
      ]),
      ...(this.#chance(0.9) ? [rule('ip', 't', this.#chain(), CREATE | APPEND | this.#flags(), [loadAddress, lookup])] : []),
    ]
  }

  #boundChain(): Spec[] {
    const id = this.#nextId++
    const jump = expression('immediate', [
      [1, 0],
      [
        2,
        [
          [
            2,
            [
              [1, JUMP],
              [3, id],
            ],
          ],
        ],
      ],
    ])
    const inside = this.#random.of([
      counter,
      expression('immediate', [
        [1, 0],
        [2, this.#verdict()],
      ]),
    ])
    return [
      spec(M.newChain, 'ip', CREATE | this.#flags(), [
        [1, 't'],
        [10, 4],
        [11, id],
      ]),
      spec(M.newRule, 'ip', CREATE | APPEND | this.#flags(), [
        [1, 't'],
        [11, id],
        [4, list(inside)],
      ]),
      ...(this.#chance(0.9) ? [rule('ip', 't', this.#chain(), CREATE | APPEND | this.#flags(), [jump])] : []),
    ]
  }

  #addElements(): Spec {
    const name = this.#set()
    return elements(M.newElements, 'ip', 't', name, this.#created(), ...this.#elements(name, 4))
  }

  #removeElements(): Spec {
    const name = this.#set()
    const given = this.#elements(name, 2).map(element => element.filter(([id]) => id !== 2 && id !== 9))
    return elements(this.#random.of([M.deleteElements, M.destroyElements]), 'ip', 't', name, this.#flags(), ...given)
  }

  #elements(name: string, most: number): Element[] {
    return Array.from({ length: 1 + this.#random.below(most) }, () => (name === 'r' ? this.#range() : this.#element(name)))
  }

  #range(): Element {
    const first = Uint8Array.of(0, 0, 0, this.#random.below(6), 0, this.#random.below(4), 0, 0)
    if (this.#chance(0.4)) return [[1, [[1, first]]]]
    const last = Uint8Array.from(first)
    last[3] = this.#chance(0.05) ? 0 : (first[3] ?? 0) + this.#random.below(3)
    last[5] = (first[5] ?? 0) + this.#random.below(2)
    return [
      [1, [[1, first]]],
      [10, [[1, last]]],
    ]
  }

  #element(name: string): Element {
    const named = this.#chance(0.95)
    const end = named && ['i', 'iv', '__int%d'].includes(name) && this.#chance(0.45)
    const element: Attribute[] = named ? [[1, [[1, Uint8Array.of(0, 0, 0, this.#random.below(10))]]]] : [...catchAll]
    if (end) return [...element, [3, 1]]
    if (name === 'm') element.push([2, [[1, Uint8Array.of(0, 0, 0, this.#random.below(2))]]])
    if (['v', 'iv', '__map%d'].includes(name)) element.push([2, this.#verdict()])
    if (name === 'o') element.push([9, this.#object()])
    return element
  }
}
