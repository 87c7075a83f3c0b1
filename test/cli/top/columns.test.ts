import t from 'tap'
import { makeProgram } from '../../../lib/cli/program.js'
import { COLUMNS, columnsFor, SORT_KEYS, type SortKey, sorted, sparkline, widthOf } from '../../../lib/cli/top/columns.js'
import { look } from '../../../lib/cli/top/look.js'
import { open } from '../../../lib/ipvs/index.js'
import { ioFor } from '../support.js'
import { NO_TRAFFIC, realServer, virtualServer } from './support.js'

const servers = [
  virtualServer(
    '10.0.0.10',
    [
      realServer('10.1.0.9', { activeConnections: 1, statistics: { ...NO_TRAFFIC, connectionRate: 9n } }),
      realServer('10.1.0.10', { activeConnections: 5, statistics: { ...NO_TRAFFIC, connectionRate: 1n } }),
    ],
    { connectionRate: 10n, incomingByteRate: 1000n },
  ),
  virtualServer('10.0.0.9', [realServer('10.1.0.1', { activeConnections: 20 })], { connectionRate: 2n, incomingByteRate: 5000n }),
]

t.test('virtual servers are sorted by a column, and below each its real servers by the same', async t => {
  const table: [by: SortKey, reversed: boolean, names: string][] = [
    ['connections', false, 'tcp 10.0.0.10:80, 10.1.0.9:80, 10.1.0.10:80, tcp 10.0.0.9:80, 10.1.0.1:80'],
    ['connections', true, 'tcp 10.0.0.9:80, 10.1.0.1:80, tcp 10.0.0.10:80, 10.1.0.10:80, 10.1.0.9:80'],
    ['active', false, 'tcp 10.0.0.9:80, 10.1.0.1:80, tcp 10.0.0.10:80, 10.1.0.10:80, 10.1.0.9:80'],
    ['in-bytes', false, 'tcp 10.0.0.9:80, 10.1.0.1:80, tcp 10.0.0.10:80, 10.1.0.9:80, 10.1.0.10:80'],
    ['name', false, 'tcp 10.0.0.9:80, 10.1.0.1:80, tcp 10.0.0.10:80, 10.1.0.9:80, 10.1.0.10:80'],
    ['name', true, 'tcp 10.0.0.10:80, 10.1.0.10:80, 10.1.0.9:80, tcp 10.0.0.9:80, 10.1.0.1:80'],
  ]
  for (const [by, reversed, names] of table)
    t.equal(
      sorted(look(undefined, servers, 0), { by, reversed })
        .map(({ name }) => name)
        .join(', '),
      names,
      `${by}${reversed ? ', reversed' : ''}`,
    )
})

t.test('a bar is as high as the highest of its row allows, and the newest stands at the right', async t => {
  for (const [values, bars] of [
    [[0, 0], '          '],
    [[5], '         █'],
    [[0, 1, 50, 100], '       ▁▄█'],
    [[1, 2, 3, 4, 5, 6, 7, 8, 0, 8], '▁▂▃▄▅▆▇█ █'],
  ] as const)
    t.equal(sparkline(values), bars, values.join(' '))
})

t.test('a narrow terminal does without some columns, but never without what is sorted by', async t => {
  const widths = Array.from({ length: 200 }, (_, i) => i + 1)
  for (const by of SORT_KEYS) {
    const wrong = widths.filter(width => {
      const columns = columnsFor(width, by)
      const narrowest = columns.every(({ sort }) => sort === by || sort === 'name')
      return !columns.some(({ sort }) => sort === by) || (widthOf(columns) > width && !narrowest)
    })
    t.strictSame(wrong, [], `sorted by ${by}, every width is kept to`)
  }
  t.strictSame(columnsFor(200, 'name'), COLUMNS)
  t.strictSame(
    columnsFor(80, 'connections').map(({ heading }) => heading),
    ['Server', 'Sched/Fwd', 'Active', 'Conn/s', 'InB/s', 'OutB/s', 'History'],
  )
})

t.test('--sort takes the columns that can be sorted by', async t => {
  const top = makeProgram(ioFor({ open })).commands.find(command => command.name() === 'top')
  const option = top?.options.find(({ long }) => long === '--sort')
  t.strictSame(option?.argChoices, SORT_KEYS)
})
