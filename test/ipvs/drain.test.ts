/** The kernel hands out its table of connections in pieces: where connections come and go meanwhile, some are told twice or not at all. */
import t from 'tap'
import { ipvs } from '../../lib/index.js'
import { memoryKernel } from '../../lib/testing/index.js'

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
const server = { address: '10.1.0.1', port: 80 } as const
const connection = { protocol: 'tcp', virtual: web, destination: server, expires: 900 }
const over = { ...connection, client: { address: '192.0.2.9', port: 40000 }, state: 'TIME_WAIT' }
const OTHER = 40001

type Told = (rows: string[], other: string) => string[]

const tables: [words: string, state: string, told: Told[]][] = [
  ['told twice', 'SYN_RECV', [(rows, other) => [...rows, other]]],
  ['established and missed, three times', 'ESTABLISHED', Array<Told>(3).fill((rows, other) => rows.filter(row => row !== other))],
  [
    'half closed and missed, twice in a row',
    'CLOSE_WAIT',
    Array<Told>(2).fill((rows, other) => rows.filter(row => row !== other)),
  ],
]

for (const [words, state, told] of tables)
  t.test(`a drain waits for a connection that is ${words}, as one`, async t => {
    const kernel = memoryKernel()
    const whole = kernel.readFile.bind(kernel)
    const left = [...told]
    kernel.readFile = async function* (path) {
      let text = ''
      for await (const piece of whole(path)) text += Buffer.from(piece).toString('latin1')
      const change = path.endsWith('ip_vs_conn') && left.shift()
      if (!change) return yield Buffer.from(text)
      const rows = text.trimEnd().split('\n')
      const other = rows.find(row => row.includes(OTHER.toString(16).toUpperCase())) ?? t.fail('the connection is in the table')
      yield Buffer.from(`${change(rows, String(other)).join('\n')}\n`)
    }
    const lvs = await ipvs.open({ transport: kernel })
    t.teardown(() => lvs.close())
    await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
    await lvs.addRealServer(web, server)
    kernel.addConnection(over)
    const open = kernel.addConnection({ ...connection, client: { address: '192.0.2.9', port: OTHER }, state })
    const seen: number[] = []
    const result = await lvs.drain(web, server, {
      interval: 0.01,
      onProgress: ({ remaining }) => {
        if (seen.push(remaining) === 3) open.end()
      },
    })
    t.strictSame(seen, [1, 1, 1, 0])
    t.strictSame(left, [], 'the table was told otherwise')
    t.match(result, { outcome: 'drained', removed: true, remaining: 0 })
  })
