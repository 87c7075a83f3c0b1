/** Rules, jumps, and chains that belong to rules. */
import { message as M } from '../../../../lib/nft/wire.js'
import {
  ACK,
  APPEND,
  type Attribute,
  batch,
  CREATE,
  chain,
  counter,
  dump,
  ECHO,
  EXCL,
  expression,
  GOTO,
  get,
  hex,
  hook,
  immediate,
  JUMP,
  list,
  REPLACE,
  rule,
  type Spec,
  spec,
  table,
} from './messages.js'
import type { Scenario, Step } from './scenario.js'

const NEW = CREATE | ACK
const APPENDED = NEW | APPEND
const all: readonly Step[] = [[dump(M.getTable)], [dump(M.getChain)], [dump(M.getRule)]]
const one = (flags: number, expressions: readonly (readonly Attribute[])[], ...more: Attribute[]): Step =>
  batch(rule('ip', 't', 'a', flags, expressions, ...more))
const jump = (from: string, to: string): Spec => rule('ip', 't', from, APPENDED, [immediate(JUMP, to)])
const of = (number: number, flags: number, ...attributes: Attribute[]): Spec => spec(number, 'ip', flags, attributes)
const chains = ['a', 'b'].map(name => chain('ip', 't', name))
const base = chain('ip', 't', 'base', CREATE, hook(1, 0), [7, 'filter'])

const refused: readonly Step[] = [
  one(APPENDED, [counter, expression('nope', [])]),
  one(APPENDED, [expression('x'.repeat(60), [])]),
  one(APPENDED, [expression('cmp', [])]),
  one(APPENDED, [
    expression('cmp', [
      [1, 1],
      [2, 0],
      [3, [[1, hex('01020304')]]],
    ]),
  ]),
  one(APPENDED, [[[2, []]]]),
  one(APPENDED, [
    expression('payload', [
      [1, 1],
      [2, 9],
      [3, 0],
      [4, 1],
    ]),
  ]),
  one(APPENDED, [
    expression('payload', [
      [1, 1],
      [2, 1],
      [3, 0],
      [4, 256],
    ]),
  ]),
  one(APPENDED, [
    expression('payload', [
      [1, 4],
      [2, 1],
      [3, 0],
      [4, 17],
    ]),
  ]),
  one(APPENDED, [
    expression('payload', [
      [1, 5],
      [2, 1],
      [3, 0],
      [4, 17],
    ]),
  ]),
  batch(
    spec(M.newRule, 'ip', APPENDED, [
      [1, 't'],
      [2, 'a'],
      [4, { type: 2, list: [counter] }],
    ]),
  ),
  one(
    APPENDED,
    Array.from({ length: 129 }, () => counter),
  ),
  one(
    APPENDED,
    Array.from({ length: 128 }, () => counter),
  ),
  batch(of(M.newRule, APPENDED, [1, 't'], [2, 'a'])),
  one(APPENDED, [], [7, new Uint8Array(257)]),
  one(APPENDED, [], [7, new Uint8Array(0)]),
  ...[3, 7, 0xff].map(code => one(APPENDED, [immediate(code)])),
  one(APPENDED, [counter, immediate(JUMP)]),
  one(APPENDED, [immediate(JUMP, 'nope')]),
]

export const rules: readonly Scenario[] = [
  {
    name: 'rules and their places',
    steps: [
      batch(table('ip', 't'), ...chains),
      one(APPENDED | ECHO, [counter], [7, hex('0001')]),
      one(APPENDED | ECHO, [counter]),
      one(NEW | ECHO, [counter]),
      one(NEW | ECHO, [counter], [6, 3n]),
      one(APPENDED | ECHO, [counter], [6, 3n]),
      one(APPENDED, [counter], [6, 99n]),
      ...all,
      one(REPLACE | ACK | ECHO, [counter, counter], [3, 3n]),
      one(NEW, [counter], [3, 3n]),
      one(EXCL | REPLACE | ACK, [counter], [3, 3n]),
      one(REPLACE | ACK, [counter]),
      one(APPEND | ACK, [counter]),
      one(REPLACE | ACK, [counter], [3, 99n]),
      ...all,
      batch(
        rule('ip', 't', 'a', APPENDED, [counter], [9, 1]),
        rule('ip', 't', 'a', NEW, [counter], [10, 1]),
        rule('ip', 't', 'b', NEW, [counter], [10, 1]),
      ),
      batch(rule('ip', 't', 'a', APPENDED | ECHO, [counter], [9, 1]), rule('ip', 't', 'a', NEW | ECHO, [counter], [10, 1])),
      batch(of(M.deleteRule, ACK, [1, 't'], [2, 'a'], [3, 3n]), of(M.deleteRule, ACK, [1, 't'], [2, 'a'], [3, 3n])),
      batch(of(M.deleteRule, ACK | ECHO, [1, 't'], [2, 'a'], [3, 3n])),
      ...[M.deleteRule, M.destroyRule].flatMap(number => [
        batch(of(number, ACK, [1, 't'], [2, 'a'], [3, 3n])),
        batch(of(number, ACK, [1, 't'], [2, 'a'], [9, 3])),
        batch(of(number, ACK, [1, 't'], [2, 'zz'], [3, 3n])),
        batch(of(number, ACK, [1, 'tz'], [2, 'zz'], [3, 3n])),
      ]),
      [
        dump(M.getRule, 'ip', [
          [1, 't'],
          [2, 'a'],
        ]),
      ],
      [dump(M.getRule, 'ip', [[2, 'b']])],
      [dump(M.getRule, 'ip6')],
      [
        get(M.getRule, 'ip', [
          [1, 't'],
          [2, 'a'],
          [3, 4n],
        ]),
      ],
      [
        get(M.getRule, 'ip', [
          [1, 't'],
          [2, 'a'],
          [3, 99n],
        ]),
      ],
      [
        get(M.getRule, 'ip', [
          [1, 't'],
          [2, 'a'],
        ]),
      ],
      [
        get(M.getRule, 'ip', [
          [1, 't'],
          [3, 4n],
        ]),
      ],
      [dump(M.getRuleReset, 'ip')],
      [dump(M.getRule, 'ip')],
      batch(jump('a', 'b')),
      batch(of(M.deleteChain, ACK, [1, 't'], [3, 'b'])),
      batch(of(M.deleteChain, ACK | ECHO, [1, 't'], [3, 'a']), of(M.deleteChain, ACK | ECHO, [1, 't'], [3, 'b'])),
      ...all,
    ],
  },
  { name: 'rules that are refused', steps: [batch(table('ip', 't'), ...chains), ...refused, [dump(M.getRule)]] },
  {
    name: 'loops of jumps, and jumps that are too many',
    steps: [
      batch(table('ip', 't'), ...chains, base),
      batch(jump('a', 'b'), jump('b', 'a')),
      batch(jump('base', 'a')),
      batch(jump('base', 'a')).slice(0, 2),
      batch(jump('a', 'base')),
      batch(table('ip', 'd'), ...Array.from({ length: 18 }, (_, i) => chain('ip', 'd', `c${i}`))),
      batch(
        chain('ip', 'd', 'base', CREATE, hook(1, 0)),
        rule('ip', 'd', 'base', APPENDED, [immediate(JUMP, 'c0')]),
        ...Array.from({ length: 17 }, (_, i) => rule('ip', 'd', `c${i}`, APPENDED, [immediate(GOTO, `c${i + 1}`)])),
      ),
      batch(...Array.from({ length: 14 }, (_, i) => rule('ip', 'd', `c${i}`, APPENDED, [immediate(GOTO, `c${i + 1}`)]))),
    ],
  },
  {
    name: 'chains that belong to a rule',
    steps: [
      batch(table('ip', 't'), ...chains),
      batch(of(M.newChain, NEW, [1, 't'], [11, 4], [10, 4])),
      batch(
        of(M.newChain, NEW | ECHO, [1, 't'], [11, 4], [10, 4]),
        of(M.newRule, APPENDED | ECHO, [1, 't'], [11, 4], [4, list(counter)]),
        rule('ip', 't', 'a', APPENDED | ECHO, [
          expression('immediate', [
            [1, 0],
            [
              2,
              [
                [
                  2,
                  [
                    [1, JUMP],
                    [3, 4],
                  ],
                ],
              ],
            ],
          ]),
        ]),
      ),
      ...all,
      batch(of(M.deleteRule, ACK | ECHO, [1, 't'], [2, 'a'])),
      ...all,
    ],
  },
]
