import type { Key } from 'node:readline'
import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import { sorted } from '../../../lib/cli/top/columns.js'
import { look, type Row } from '../../../lib/cli/top/look.js'
import { draw, type Frame, pageOf, press, type Size, startView, type View } from '../../../lib/cli/top/view.js'
import { NO_TRAFFIC, realServer, virtualServer } from './support.js'

const seen = look(
  undefined,
  [
    virtualServer('10.0.0.1', [realServer('10.1.0.1', { activeConnections: 12, weight: 3 })], {
      connectionRate: 34n,
      incomingPacketRate: 1234n,
      outgoingPacketRate: 5n,
      incomingByteRate: 98_765_432n,
      outgoingByteRate: 1n,
    }),
    virtualServer('10.0.0.2', [
      realServer('10.1.0.2', {
        inactiveConnections: 1,
        forwarding: 'direct-route',
        statistics: { ...NO_TRAFFIC, connectionRate: 1n },
      }),
    ]),
  ],
  0,
)
const frame: Frame = {
  look: seen,
  host: 'director',
  namespace: 'blue',
  interval: 2,
  time: new Date(2025, 10, 25, 18, 11, 33),
  failure: undefined,
  colours: false,
}
const start = startView('connections')
const rows = sorted(seen, start.sorting)
const text = (view: View, size: Size, change: Partial<Frame> = {}): string =>
  draw(rows, view, size, { ...frame, ...change })
    .map(line => line.trimEnd())
    .join('\n')

t.test('the screen', async t => {
  t.equal(
    text(start, { columns: 120, rows: 10 }),
    [
      'director   namespace blue   2 virtual servers, 2 real servers   every 2 s   18:11:33   ? help',
      'total: 12 active, 1 inactive, 34 conn/s   in 1.2K pkt/s, 99MB/s   out 5 pkt/s, 1B/s',
      'Server                        Sched/Fwd    Weight  Active  Inactive ↓Conn/s  InPkt/s  OutPkt/s  InB/s  OutB/s History',
      'tcp 10.0.0.1:80               rr                       12         0      34     1.2K         5    99M       1          █',
      '  10.1.0.1:80                 masquerade        3      12         0       0        0         0      0       0',
      'tcp 10.0.0.2:80               rr                        0         1       0        0         0      0       0',
      '  10.1.0.2:80                 direct-route      1       0         1       1        0         0      0       0          █',
      '',
      '',
      '',
    ].join('\n'),
  )
})

t.test('a narrow and low screen, scrolled down, with help', async t => {
  t.equal(
    text({ ...start, scrolled: 9, help: true, paused: true }, { columns: 60, rows: 6 }),
    [
      'director   namespace blue   2 virtual servers, 2 real server',
      'total: 12 active, 1 inactive, 34 conn/s   in 1.2K pkt/s, 99M',
      'Server                         Active ↓Conn/s  InB/s  OutB/s',
      'tcp 10.0.0.2:80                     0       0      0       0',
      '  10.1.0.2:80                       0       1      0       0',
      '← → < > sorted by   r reverse   n name   ↑ ↓ PgUp PgDn Home',
    ].join('\n'),
  )
})

t.test('the longest name has room; one that is too long loses its middle, never its port', async t => {
  const address = '2001:db8:1111:2222:3333:4444:5555:6666'
  const long = sorted(look(undefined, [{ ...virtualServer(address), port: 65_535 }], 0), start.sorting)
  const name = (columns: number): string | undefined => draw(long, start, { columns, rows: 5 }, frame)[3]?.split(/ {2,}/)[0]
  t.equal(name(200), `tcp [${address}]:65535`)
  t.equal(name(80), 'tcp [2001…555:6666]:65535 rr')
})

t.test('what is not usual is told', async t => {
  const size = { columns: 120, rows: 8 }
  t.match(text({ ...start, paused: true }, size), /^director .* PAUSED/)
  t.match(text(start, size, { failure: 'snapshot: no memory' }), /\nsnapshot: no memory$/)
  t.notMatch(text(start, size, { namespace: undefined }), /namespace/)
  t.match(text({ ...start, sorting: { by: 'active', reversed: true } }, size), /↑Active/)
})

t.test('it is as large as the terminal, whatever that is', async t => {
  const sizes = [1, 2, 3, 5, 24, 200].flatMap(rows => [1, 10, 40, 80, 300].map(columns => ({ columns, rows })))
  const wrong = sizes.filter(size => {
    const lines = draw(rows, start, size, frame)
    return lines.length !== size.rows && size.rows > 4 ? true : lines.some(line => line.length > size.columns)
  })
  t.strictSame(wrong, [])
})

t.test('colours are around the lines, not between them', async t => {
  const plain = draw(rows, start, { columns: 120, rows: 10 }, frame)
  const coloured = draw(rows, start, { columns: 120, rows: 10 }, { ...frame, colours: true })
  t.strictSame(
    coloured.map(line => stripVTControlCharacters(line)),
    plain,
  )
  for (const [i, style] of ['', '', '\x1b[7m', '\x1b[1m', '', '\x1b[1m'].entries()) {
    t.ok(coloured[i]?.startsWith(style), `line ${i}`)
    t.equal(coloured[i]?.endsWith('\x1b[0m'), style !== '')
  }
})

t.test('of 11,000 rows only those are looked at that are seen', async t => {
  const touched = new Set<string>()
  const many = Array.from({ length: 11_000 }, (_, i) => ({ ...(rows[0] as Row), name: `row ${i}` })).map(
    row =>
      new Proxy(row, {
        get: (target, property) => {
          touched.add(target.name)
          return Reflect.get(target, property)
        },
      }),
  )
  const size = { columns: 120, rows: 24 }
  draw(many, { ...start, scrolled: 5000 }, size, frame)
  t.strictSame(
    [...touched],
    Array.from({ length: pageOf(size) }, (_, i) => `row ${5000 + i}`),
  )
})

t.test('keys', async t => {
  const by = (by: View['sorting']['by'], reversed = false): Partial<View> => ({ sorting: { by, reversed } })
  // 100 rows, of which 20 are seen.
  const table: [words: string, before: Partial<View>, key: Key, after: Partial<View>][] = [
    ['right: the next column', {}, { name: 'right' }, by('in-packets')],
    ['>', {}, { sequence: '>' }, by('in-packets')],
    ['left: the column before', {}, { name: 'left' }, by('inactive')],
    ['<', {}, { sequence: '<' }, by('inactive')],
    ['right of the last is the first', by('out-bytes'), { name: 'right' }, by('name')],
    ['left of the first is the last', by('name'), { name: 'left' }, by('out-bytes')],
    ['another column is not reversed', by('name', true), { name: 'right' }, by('active')],
    ['r', {}, { name: 'r' }, by('connections', true)],
    ['r again', by('connections', true), { name: 'r' }, by('connections')],
    ['n', {}, { name: 'n' }, by('name')],
    ['down', {}, { name: 'down' }, { scrolled: 1 }],
    ['down at the end', { scrolled: 80 }, { name: 'down' }, { scrolled: 80 }],
    ['up', { scrolled: 5 }, { name: 'up' }, { scrolled: 4 }],
    ['up at the beginning', {}, { name: 'up' }, { scrolled: 0 }],
    ['up, when most rows went away', { scrolled: 500 }, { name: 'up' }, { scrolled: 80 }],
    ['page down', {}, { name: 'pagedown' }, { scrolled: 20 }],
    ['page down near the end', { scrolled: 70 }, { name: 'pagedown' }, { scrolled: 80 }],
    ['page up', { scrolled: 50 }, { name: 'pageup' }, { scrolled: 30 }],
    ['page up near the beginning', { scrolled: 5 }, { name: 'pageup' }, { scrolled: 0 }],
    ['End', {}, { name: 'end' }, { scrolled: 80 }],
    ['Home', { scrolled: 50 }, { name: 'home' }, { scrolled: 0 }],
    ['space', {}, { name: 'space' }, { paused: true }],
    ['space again', { paused: true }, { name: 'space' }, { paused: false }],
    ['?', {}, { sequence: '?' }, { help: true }],
    ['? again', { help: true }, { sequence: '?' }, { help: false }],
    ['q', {}, { name: 'q' }, { ended: true }],
    ['Esc', {}, { name: 'escape' }, { ended: true }],
    ['Ctrl-C', {}, { name: 'c', ctrl: true }, { ended: true }],
    ['Ctrl-\\', {}, { sequence: '\x1c' }, { ended: true }],
    ['c alone', {}, { name: 'c' }, {}],
    ['Ctrl-R', {}, { name: 'r', ctrl: true }, {}],
    ['any other key', {}, { name: 'x' }, {}],
  ]
  for (const [words, before, key, after] of table) {
    const view = { ...start, ...before }
    t.strictSame(press(view, key, 20, 100), { ...view, ...after }, words)
  }
})
