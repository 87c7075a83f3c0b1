/** Stateful objects. */
import { message as M } from '../../../../lib/nft/wire.js'
import {
  ACK,
  APPEND,
  type Attribute,
  batch,
  be16,
  CREATE,
  chain,
  dump,
  ECHO,
  EXCL,
  expression,
  get,
  hex,
  object,
  REPLACE,
  rule,
  type Spec,
  spec,
  table,
  u8,
} from './messages.js'
import type { Scenario, Step } from './scenario.js'

const NEW = CREATE | ACK
const make = (name: string, type: number, flags: number, data: readonly Attribute[], ...more: Attribute[]): Step =>
  batch(object('ip', 't', name, type, flags, data, ...more))
const use = (name: string, type: number): Step =>
  batch(
    rule('ip', 't', 'a', NEW | APPEND, [
      expression('objref', [
        [1, type],
        [2, name],
      ]),
    ]),
  )
const of = (number: number, flags: number, ...attributes: Attribute[]): Spec => spec(number, 'ip', flags, attributes)
const expectation: readonly Attribute[] = [
  [2, u8(6)],
  [3, be16(80)],
  [4, hex('05000000')],
  [5, u8(3)],
]

/** Of quotas. */
const refused: readonly (readonly Attribute[])[] = [
  [[4, 1n]],
  [[1, 1n << 63n]],
  [
    [1, 1n],
    [4, 2n],
  ],
  [
    [1, 1n],
    [2, 2],
  ],
]

export const objects: readonly Scenario[] = [
  {
    name: 'stateful objects',
    steps: [
      batch(table('ip', 't'), chain('ip', 't', 'a'), table('inet', 'i')),
      make('c', 1, NEW | ECHO, [], [8, hex('0001')]),
      make('c', 1, NEW | EXCL, []),
      make('c', 1, NEW, [[1, 9n]]),
      make('c', 1, ACK | REPLACE, []),
      make('q', 2, NEW | ECHO, [
        [1, 100n],
        [4, 7n],
      ]),
      make('q', 2, NEW | ECHO, [
        [1, 200n],
        [2, 1],
      ]),
      make('full', 2, NEW | ECHO, [
        [1, 100n],
        [4, 100n],
      ]),
      ...refused.map(data => make('bad', 2, NEW, data)),
      make('l', 4, NEW | ECHO, [
        [1, 10n],
        [2, 60n],
      ]),
      make('k', 5, NEW | ECHO, [
        [1, 10],
        [2, 1],
      ]),
      ...[6, 17, 1, 33, 47, 132, 255].flatMap(protocol => [
        make(`t${protocol}`, 7, NEW | ECHO, [
          [2, u8(protocol)],
          [3, []],
        ]),
        make(`u${protocol}`, 7, NEW | ECHO, [
          [2, u8(protocol)],
          [1, be16(10)],
          [
            3,
            [
              [1, 5],
              [2, 7],
            ],
          ],
        ]),
      ]),
      make('e', 9, NEW | ECHO, expectation),
      batch(object('inet', 'i', 'e', 9, NEW, expectation)),
      make('y', 10, NEW | ECHO, []),
      make('y', 10, NEW | ECHO, [
        [1, be16(1460)],
        [2, u8(7)],
        [3, 3],
      ]),
      make('x', 11, NEW, []),
      batch(of(M.newObject, NEW, [1, 't'], [2, 'x'], [3, 1])),
      use('c', 1),
      use('c', 2),
      use('nope', 1),
      ...[M.deleteObject, M.destroyObject].flatMap(number => [
        batch(of(number, ACK, [1, 't'], [2, 'c'], [3, 1])),
        batch(of(number, ACK, [1, 't'], [2, 'c'], [3, 2])),
        batch(of(number, ACK, [1, 'tt'], [2, 'c'], [3, 2])),
        batch(of(number, ACK, [1, 't'], [2, 'c'])),
      ]),
      [
        dump(M.getObject, 'ip', [
          [1, 't'],
          [3, 1],
        ]),
      ],
      [
        get(M.getObject, 'ip', [
          [1, 't'],
          [2, 'c'],
          [3, 1],
        ]),
      ],
      [
        get(M.getObject, 'ip', [
          [1, 't'],
          [2, 'c'],
          [3, 2],
        ]),
      ],
      [
        get(M.getObject, 'ip', [
          [1, 't'],
          [2, 'c'],
        ]),
      ],
      [
        get(M.getObjectReset, 'ip', [
          [1, 't'],
          [2, 'full'],
          [3, 2],
        ]),
      ],
      [dump(M.getObject)],
      batch(of(M.deleteRule, ACK, [1, 't'], [2, 'a']), of(M.deleteObject, ACK | ECHO, [1, 't'], [2, 'c'], [3, 1])),
      [dump(M.getObject)],
    ],
  },
]
