/** Sets, maps, and their elements. */
import { message as M } from '../../../../lib/nft/wire.js'
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
  get,
  hex,
  hook,
  intervalEnd,
  JUMP,
  key,
  list,
  loadAddress,
  object,
  range,
  rule,
  type Spec,
  set,
  spec,
  table,
  value,
  verdict,
} from './messages.js'
import type { Scenario, Step } from './scenario.js'

const NEW = CREATE | ACK
const data: readonly Attribute[] = [
  [6, 5],
  [7, 4],
]
const verdicts: Attribute = [6, 0xffff_ff00]
const fields = (...lengths: number[]): Attribute => [9, [[2, list(...lengths.map(length => [[1, length]] as const))]]]
const size = (count: number): Attribute => [9, [[1, count]]]
const make = (name: string, flags: number, keyLength: number, ...more: Attribute[]): Spec =>
  set('ip', 't', name, NEW, flags, keyLength, ...more)
const added = (name: string, ...given: Element[]): Spec => elements(M.newElements, 'ip', 't', name, NEW, ...given)
const removed = (name: string, ...given: Element[]): Spec => elements(M.deleteElements, 'ip', 't', name, ACK, ...given)
const add = (name: string, ...given: Element[]): Step => batch(added(name, ...given))
const create = (name: string, ...given: Element[]): Step => batch(elements(M.newElements, 'ip', 't', name, NEW | EXCL, ...given))
const remove = (name: string, ...given: Element[]): Step => batch(removed(name, ...given))
const read = (name: string, ...given: Element[]): Step => [elements(M.getElements, 'ip', 't', name, ACK, ...given)]
const all = (name: string): Step => [
  dump(M.getElements, 'ip', [
    [1, 't'],
    [2, name],
  ]),
]
const sets: Step = [dump(M.getSet)]
const of = (number: number, flags: number, ...attributes: Attribute[]): Spec => spec(number, 'ip', flags, attributes)

/** Flags, length of the key, and what else: some are refused. */
const kinds: readonly (readonly [flags: number, keyLength: number, ...more: Attribute[]])[] = [
  ...[0, 1, 2, 3, 4, 8, 64, 65].map(length => [0, length] as const),
  ...[2, 4, 16].map(length => [4, length] as const),
  [0x84, 8, fields(4, 4)],
  [0x84, 8, fields(4, 2)],
  [0x84, 6, fields(4, 2)],
  [0x84, 8],
  [4, 8, fields(4, 4)],
  [0x84, 8, fields(8)],
  [0x84, 8, fields(0, 2)],
  [0x84, 8, fields(300, 2)],
  [0x84, 64, fields(...Array.from({ length: 16 }, () => 4))],
  [0x84, 64, fields(...Array.from({ length: 17 }, () => 4))],
  [0x80, 8, fields(4, 4)],
  [0x10, 4, [11, 5001n], [12, 77]],
  [0x10, 4, [11, 0n]],
  [0x10, 4, [11, 1n << 62n]],
  [0, 4, [11, 5000n]],
  [0, 4, [12, 50]],
  [0x12, 4],
  [0x11, 4],
  [8, 4, verdicts],
  [8, 4, ...data],
  [8, 4],
  [8, 4, [6, 5]],
  [0, 4, ...data],
  [8, 4, [6, 5], [7, 65]],
  [0x40, 4, [15, 1]],
  [0x40, 4],
  [0x40, 4, [15, 11]],
  [0x48, 4, [15, 1], ...data],
  [0x60, 4, [15, 1]],
  [0x20, 4],
  [0x24, 4],
  [0x30, 4],
  [0x20, 4, [17, counter]],
  [
    0x100,
    4,
    [
      18,
      list(
        counter,
        expression('limit', [
          [1, 1n],
          [2, 1n],
        ]),
      ),
    ],
  ],
  [0, 4, [18, list(counter)]],
  [0x100, 4, [18, list(counter, counter, counter)]],
  [
    0x100,
    4,
    [
      17,
      expression('meta', [
        [1, 1],
        [2, 1],
      ]),
    ],
  ],
  [0x10, 4, [17, expression('connlimit', [[1, 5]])]],
  [4, 4, [17, expression('connlimit', [[1, 5]])]],
  [0, 4, [8, 1]],
  [0, 4, [8, 2]],
  [0, 4, size(5)],
  [4, 4, size(5)],
  [0x200, 4],
  [0, 4, [13, hex('000101')]],
  [0, 4, [13, new Uint8Array(257)]],
]

const ofSets: Scenario = {
  name: 'sets of all kinds',
  steps: [
    batch(table('ip', 't')),
    ...kinds.map(([flags, length, ...more], i) => batch(make(`s${i}`, flags, length, ...more))),
    sets,
    ...['x%d', 'x%d', 'x%s', 'xxxxxxxxxxxxxx%d', 'y%d%d', 'x'.repeat(255)].map(name => batch(make(name, 0, 4))),
    batch(make('s4', 0, 4, size(9))),
    batch(make('s4', 0, 8)),
    batch(set('ip', 't', 's4', NEW | EXCL, 0, 4)),
    batch(set('ip', 'tt', 's4', NEW, 0, 4)),
    batch(set('ip', 't', 'new', ACK, 0, 4)),
    ...[M.deleteSet, M.destroySet].map(number => batch(of(number, ACK, [1, 't'], [2, 'nope']))),
    batch(of(M.deleteSet, ACK | ECHO, [1, 't'], [16, 1n])),
    batch(
      spec(M.deleteSet, 'unspecified', ACK, [
        [1, 't'],
        [16, 2n],
      ]),
    ),
    [
      get(M.getSet, 'ip', [
        [1, 't'],
        [2, 's2'],
      ]),
    ],
    [
      get(M.getSet, 'ip', [
        [1, 't'],
        [2, 'nope'],
      ]),
    ],
    [get(M.getSet, 'unspecified', [[2, 's2']])],
    [dump(M.getSet, 'ip', [[1, 'nope']])],
    [dump(M.getSet, 'ip', [[1, 't']])],
    sets,
  ],
}

const ofElements: Scenario = {
  name: 'elements',
  steps: [
    batch(table('ip', 't'), make('s', 0, 4)),
    add('s', key('00000001'), key('00000002')),
    create('s', key('00000003'), key('00000001')),
    add('s', key('0001')),
    add('s', key('0000000102')),
    add('s', []),
    add('s', key('00000005', [2, value('00')])),
    add('s', key('00000005', [3, 1])),
    add('s', key('00000005', [3, 2])),
    add('s', key('00000005', [3, 4])),
    add('s', key('00000005', [9, 'x'])),
    add('s', key('00000005', [4, 5n])),
    add('s', key('00000005', [6, new Uint8Array(257)])),
    add('s', key('00000005', [6, hex('000141')])),
    add('s', catchAll),
    create('s', catchAll),
    all('s'),
    read('s', key('00000001'), key('00000005')),
    read('s', key('00000001'), key('00000009')),
    read('s', catchAll),
    read('s', []),
    read('nope', key('00000001')),
    [of(M.getElements, ACK, [1, 't'], [2, 's'])],
    [
      dump(M.getElements, 'ip', [
        [1, 't'],
        [2, 'nope'],
      ]),
    ],
    // What stands before the one that is refused is there until the transaction is taken back.
    batch(added('s', key('00000041'), key('0001')), removed('s', key('00000041'))),
    remove('s', key('00000001'), key('00000009')),
    batch(elements(M.destroyElements, 'ip', 't', 's', ACK, key('00000009'), key('00000002'))),
    remove('s', catchAll),
    batch(
      elements(M.newElements, 'ip', 't', 's', NEW | ECHO, key('00000031')),
      elements(M.deleteElements, 'ip', 't', 's', ACK | ECHO, key('00000031')),
    ),
    batch(of(M.deleteElements, ACK, [1, 't'], [2, 's'])),
    all('s'),
    sets,
  ],
}

const ofMaps: Scenario = {
  name: 'maps',
  steps: [
    batch(
      table('ip', 't'),
      ...['a', 'b'].map(name => chain('ip', 't', name)),
      chain('ip', 't', 'base', CREATE, hook(1, 0)),
      make('m', 8, 4, ...data),
      make('v', 8, 4, verdicts),
      object('ip', 't', 'c', 1, CREATE, []),
      make('o', 0x40, 4, [15, 1]),
    ),
    add('m', key('00000001', [2, value('01020304')])),
    add('m', key('00000001', [2, value('01020304')])),
    add('m', key('00000001', [2, value('01020305')])),
    add('m', key('00000002')),
    add('m', key('00000002', [2, value('0102')])),
    add('v', key('00000001', [2, verdict(JUMP, 'a')])),
    add('v', key('00000001', [2, verdict(JUMP, 'b')])),
    add('v', key('00000002', [2, verdict(1)]), key('00000003', [2, verdict(JUMP, 'nope')])),
    add('v', key('00000002', [2, verdict(JUMP, 'base')])),
    [dump(M.getChain)],
    batch(of(M.deleteChain, ACK, [1, 't'], [3, 'a'])),
    batch(
      removed('v', key('00000001')),
      added('v', key('00000001', [2, verdict(JUMP, 'b')])),
      of(M.deleteChain, ACK, [1, 't'], [3, 'a']),
    ),
    [dump(M.getChain)],
    add('o', key('00000001', [9, 'c'])),
    add('o', key('00000002', [9, 'd'])),
    [dump(M.getObject)],
    batch(of(M.deleteObject, ACK, [1, 't'], [2, 'c'], [3, 1])),
    batch(of(M.deleteSet, ACK | ECHO, [1, 't'], [2, 'o']), of(M.deleteObject, ACK | ECHO, [1, 't'], [2, 'c'], [3, 1])),
    ...['m', 'v'].map(all),
    [dump(M.getTable)],
  ],
}

const overlapping: readonly (readonly [from: string, to: string])[] = [
  ['0a000010', '0a000020'],
  ['09ffff00', '0a000010'],
  ['0a000080', '0a000180'],
  ['09000000', '0b000000'],
  ['0a000100', '0a000200'],
]

const ofIntervals: Scenario = {
  name: 'intervals',
  steps: [
    batch(table('ip', 't'), make('i', 4, 4), make('small', 4, 4, size(2))),
    add('i', intervalEnd('00000000'), key('0a000000'), intervalEnd('0a000100')),
    create('i', key('0a000000')),
    create('i', intervalEnd('0a000100')),
    create('i', intervalEnd('00000000')),
    ...overlapping.map(([from, to]) => add('i', key(from), intervalEnd(to))),
    add('i', key('ff000000')),
    all('i'),
    sets,
    ...['0a000000', '0a000005', '08000000'].flatMap(digits => [read('i', key(digits)), read('i', intervalEnd(digits))]),
    remove('i', key('0a000005')),
    remove('i', key('0a000000'), intervalEnd('0a000100')),
    all('i'),
    ...Array.from({ length: 6 }, (_, i) => add('small', key(`0000000${i}`, ...(i % 2 ? [[3, 1] as const] : [])))),
    sets,
    batch(of(M.deleteElements, ACK | ECHO, [1, 't'], [2, 'i'])),
  ],
}

const ofRanges: Scenario = {
  name: 'concatenated ranges',
  steps: [
    batch(table('ip', 't'), make('r', 0x84, 8, fields(4, 2))),
    add('r', range('0a00000000500000', '0affffff005a0000')),
    add('r', range('0a00000000500000', '0affffff005a0000')),
    create('r', range('0a00000000500000', '0affffff005a0000')),
    add('r', range('0a00000000510000', '0a00000000520000')),
    add('r', range('0900000000500000', '0a00000000500000')),
    add('r', range('0900000000400000', '0b00000000600000')),
    add('r', range('0c00000000020000', '0b00000000020000')),
    add('r', key('0c00000000010000', [3, 1])),
    add('r', key('0b00000000010000'), catchAll),
    all('r'),
    read('r', key('0a00000100510000')),
    read('r', key('0d00000100510000')),
    remove('r', key('0a00000000510000')),
    all('r'),
  ],
}

const lookUp = (name: string, ...more: Attribute[]): Spec =>
  rule('ip', 't', 'a', NEW | APPEND, [loadAddress, expression('lookup', [[1, name], [2, 1], ...more])])

const ofUses: Scenario = {
  name: 'sets that rules use',
  steps: [
    batch(
      table('ip', 't'),
      chain('ip', 't', 'a'),
      make('s', 0, 4),
      make('d', 0x30, 4),
      of(M.newSet, NEW, [1, 't'], [2, '__set%d'], [3, 7], [4, 7], [5, 4], [10, 7]),
      of(M.newElements, NEW, [1, 't'], [2, '__set%d'], [4, 7], [3, list(key('00000001'), intervalEnd('00000007'))]),
      lookUp('__set%d', [4, 7]),
      lookUp('s', [5, 1]),
      rule('ip', 't', 'a', NEW | APPEND, [
        loadAddress,
        expression('dynset', [
          [1, 'd'],
          [3, 1],
          [4, 1],
          [6, 5000n],
        ]),
      ]),
    ),
    [dump(M.getRule)],
    sets,
    [dump(M.getTable)],
    add('__set0', key('00000020')),
    remove('__set0', key('00000001')),
    batch(of(M.deleteSet, ACK, [1, 't'], [2, 's'])),
    batch(lookUp('__set0')),
    batch(make('__set%d', 3, 4)),
    batch(of(M.deleteRule, ACK | ECHO, [1, 't'], [2, 'a']), of(M.deleteSet, ACK | ECHO, [1, 't'], [2, 's'])),
    sets,
    [dump(M.getTable)],
  ],
}

const numbered = (i: number): Element => key((i * 16).toString(16).padStart(8, '0'), ...(i % 2 ? [[3, 1] as const] : []))

const ofMore: Scenario = {
  name: 'sizes, expressions of elements, and many of them',
  steps: [
    batch(table('ip', 't'), make('a', 0, 4, size(2)), make('c', 0x20, 4, [17, counter]), make('n', 0x20, 4), make('i', 4, 4)),
    add('a', key('00000001'), key('00000002'), key('00000003')),
    add('a', key('00000001'), key('00000002'), catchAll),
    batch(removed('a', key('00000001')), added('a', key('00000005'))),
    add('a', key('00000006')),
    all('a'),
    add('c', key('00000001'), key('00000002', [7, counter]), key('00000003', [11, list(counter)])),
    add('c', key('00000004', [7, expression('quota', [[1, 5n]])])),
    add('c', key('00000004', [11, list(counter, counter)])),
    all('c'),
    [
      dump(M.getElementsReset, 'ip', [
        [1, 't'],
        [2, 'c'],
      ]),
    ],
    all('c'),
    add('n', key('00000001', [7, counter]), key('00000002', [11, list(counter, expression('quota', [[1, 5n]]))])),
    add('n', key('00000003', [11, list(counter, counter, counter)])),
    add('n', key('00000004', [7, expression('nope', [])])),
    all('n'),
    add('i', ...Array.from({ length: 1000 }, (_, i) => numbered(i))),
    all('i'),
  ],
}

export const setsAndElements: readonly Scenario[] = [ofSets, ofElements, ofMaps, ofIntervals, ofRanges, ofUses, ofMore]
