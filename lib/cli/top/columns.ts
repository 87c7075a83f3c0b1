/** The columns of `top`: what stands in them, how rows are sorted by them, and which of them a narrow terminal does without. */
import { human } from '../format.js'
import { HISTORY, type Look, type Row, type Values } from './look.js'

/** What rows can be sorted by, as `--sort` calls it. */
export type SortKey = 'name' | 'active' | 'inactive' | 'connections' | 'in-packets' | 'out-packets' | 'in-bytes' | 'out-bytes'

export interface Sorting {
  readonly by: SortKey
  readonly reversed: boolean
}

export interface Column {
  readonly heading: string
  /** Characters; of the name: at least. */
  readonly width: number
  readonly align: 'left' | 'right'
  readonly sort?: SortKey
  text(row: Row, sorting: Sorting): string
}

/** What of a row is sorted by, and drawn as its history; names have none, and are drawn with connections a second. */
const VALUES: Readonly<Record<Exclude<SortKey, 'name'>, keyof Values>> = {
  active: 'active',
  inactive: 'inactive',
  connections: 'connections',
  'in-packets': 'incomingPackets',
  'out-packets': 'outgoingPackets',
  'in-bytes': 'incomingBytes',
  'out-bytes': 'outgoingBytes',
}

const number = (sort: Exclude<SortKey, 'name'>, heading: string): Column => ({
  heading,
  width: heading.length + 1, // and the arrow of the sorted one
  align: 'right',
  sort,
  text: ({ values }) => human(values[VALUES[sort]]),
})

/** From left to right. */
export const COLUMNS: readonly Column[] = [
  {
    heading: 'Server',
    width: 20,
    align: 'left',
    sort: 'name',
    text: ({ name, kind }) => (kind === 'real-server' ? `  ${name}` : name),
  },
  { heading: 'Sched/Fwd', width: 12, align: 'left', text: ({ forward }) => forward },
  {
    heading: 'Weight',
    width: 6,
    align: 'right',
    text: ({ weight }) => (weight === undefined ? '' : weight < 1e6 ? String(weight) : human(weight)),
  },
  number('active', 'Active'),
  number('inactive', 'Inactive'),
  number('connections', 'Conn/s'),
  number('in-packets', 'InPkt/s'),
  number('out-packets', 'OutPkt/s'),
  number('in-bytes', 'InB/s'),
  number('out-bytes', 'OutB/s'),
  {
    heading: 'History',
    width: HISTORY,
    align: 'left',
    text: ({ history }, { by }) => sparkline(history.map(values => values[by === 'name' ? 'connections' : VALUES[by]])),
  },
]

export const SORT_KEYS: readonly SortKey[] = COLUMNS.flatMap(({ sort }) => sort ?? [])

/** What a terminal that is too narrow leaves out, first to last; never what is sorted by. */
const DISPENSABLE = ['Weight', 'Inactive', 'OutPkt/s', 'InPkt/s', 'Sched/Fwd', 'History', 'Active', 'OutB/s', 'InB/s', 'Conn/s']

/** The columns that fit, with one space between them. */
export function columnsFor(width: number, by: SortKey): readonly Column[] {
  let columns = COLUMNS
  for (const heading of DISPENSABLE) {
    if (widthOf(columns) <= width) break
    columns = columns.filter(column => column.heading !== heading || column.sort === by)
  }
  return columns
}

export const widthOf = (columns: readonly Column[]): number => columns.reduce((sum, { width }) => sum + width + 1, -1)

const BARS = [...'▁▂▃▄▅▆▇█']

/** A bar for each value, as high as the highest of them allows; nothing for 0. */
export function sparkline(values: readonly number[]): string {
  const highest = Math.max(...values)
  const bar = (value: number): string => (value === 0 ? ' ' : (BARS[Math.ceil((value / highest) * BARS.length) - 1] ?? ' '))
  return values.map(bar).join('').padStart(HISTORY)
}

/** Numbers in names by their value: 10.0.0.9 comes before 10.0.0.10. */
const natural = new Intl.Collator('en', { numeric: true })

/** All rows in order: virtual servers by a column, below each its real servers by the same. Most comes first; of names the first. */
export function sorted({ groups }: Look, { by, reversed }: Sorting): readonly Row[] {
  const value = by === 'name' ? undefined : VALUES[by]
  const forwards = value
    ? (a: Row, b: Row): number => b.values[value] - a.values[value]
    : (a: Row, b: Row): number => natural.compare(a.name, b.name)
  const order = reversed ? (a: Row, b: Row): number => forwards(b, a) : forwards
  return [...groups.values()]
    .sort((a, b) => order(a.row, b.row))
    .flatMap(({ row, realServers }) => [row, ...[...realServers.values()].sort(order)])
}
