/** What a person sees of a look, and what keys change in it. */
import type { Key } from 'node:readline'
import { count, human, seconds, styled } from '../format.js'
import { type Column, columnsFor, SORT_KEYS, type Sorting, type SortKey, widthOf } from './columns.js'
import type { Look, Row } from './look.js'

export interface View {
  readonly sorting: Sorting
  /** Rows above the first one that is seen. */
  readonly scrolled: number
  readonly paused: boolean
  readonly help: boolean
  readonly ended: boolean
}

/** Characters. */
export interface Size {
  readonly columns: number
  readonly rows: number
}

/** What is seen besides the rows. */
export interface Frame {
  readonly look: Look
  readonly host: string
  readonly namespace: string | undefined
  /** Seconds. */
  readonly interval: number
  /** When the look was. */
  readonly time: Date
  /** Why the last look failed. */
  readonly failure: string | undefined
  readonly colours: boolean
}

export const startView = (by: SortKey): View => ({
  sorting: { by, reversed: false },
  scrolled: 0,
  paused: false,
  help: false,
  ended: false,
})

/** Lines of the screen that show no rows: two of summary, the headings, and one for help or a failure. */
const AROUND = 4

/** Rows that fit on the screen. */
export const pageOf = ({ rows }: Size): number => Math.max(1, rows - AROUND)

const HELP = '← → < > sorted by   r reverse   n name   ↑ ↓ PgUp PgDn Home End scroll   space pause   ? help   q Esc ^C quit'

/** The view after a key, with a page of so many rows out of all. */
export function press(view: View, key: Key, page: number, rows: number): View {
  const last = Math.max(0, rows - page)
  const scroll = (to: number): View => ({ ...view, scrolled: Math.max(0, Math.min(last, to)) })
  const sort = (by: SortKey): View => ({ ...view, sorting: { by, reversed: false } })
  const beside = (step: number): View =>
    sort(SORT_KEYS[(SORT_KEYS.indexOf(view.sorting.by) + step + SORT_KEYS.length) % SORT_KEYS.length] ?? 'name')
  if (key.ctrl) return key.name === 'c' ? { ...view, ended: true } : view
  switch (key.sequence) {
    case '<':
      return beside(-1)
    case '>':
      return beside(1)
    case '\x1c': // Ctrl-\, which asks for SIGQUIT
      return { ...view, ended: true }
    case '?':
      return { ...view, help: !view.help }
  }
  switch (key.name) {
    case 'left':
      return beside(-1)
    case 'right':
      return beside(1)
    case 'r':
      return { ...view, sorting: { ...view.sorting, reversed: !view.sorting.reversed } }
    case 'n':
      return sort('name')
    case 'up':
      return scroll(view.scrolled - 1)
    case 'down':
      return scroll(view.scrolled + 1)
    case 'pageup':
      return scroll(view.scrolled - page)
    case 'pagedown':
      return scroll(view.scrolled + page)
    case 'home':
      return scroll(0)
    case 'end':
      return scroll(last)
    case 'space':
      return { ...view, paused: !view.paused }
    case 'q':
    case 'escape':
      return { ...view, ended: true }
    default:
      return view
  }
}

/** Characters of the longest names: `sctp [IPv6 address]:65535`, and two that nothing needs. */
const NAME = 54

/** The lines of the screen. Of the rows, which are sorted, only those are looked at that are seen. */
export function draw(rows: readonly Row[], view: View, size: Size, frame: Frame): string[] {
  const { colours } = frame
  const page = pageOf(size)
  const columns = columnsFor(size.columns, view.sorting.by)
  // The name takes what the others leave.
  const wide = size.columns - widthOf(columns)
  const width = (column: Column): number =>
    column.sort === 'name' ? Math.max(8, Math.min(NAME, column.width + wide)) : column.width
  const line = (texts: readonly string[]): string =>
    cut(columns.map((column, i) => fit(texts[i] ?? '', width(column), column)).join(' '), size)
  const scrolled = Math.max(0, Math.min(view.scrolled, rows.length - page))
  const body = rows.slice(scrolled, scrolled + page).map(row => {
    const text = line(columns.map(column => column.text(row, view.sorting)))
    return row.kind === 'virtual-server' ? styled(text, 'bold', colours) : text
  })
  const blank = Array.from({ length: page - body.length }, () => '')
  return [
    cut(summary(view, frame), size),
    cut(total(frame.look), size),
    styled(line(columns.map(column => heading(column, view.sorting))).padEnd(size.columns), 'inverse', colours),
    ...body,
    ...blank,
    frame.failure === undefined ? cut(view.help ? HELP : '', size) : styled(cut(frame.failure, size), 'red', colours),
  ].slice(0, size.rows)
}

const cut = (text: string, { columns }: Size): string => text.slice(0, columns)

function fit(text: string, width: number, { align, sort }: Column): string {
  if (sort === 'name') return shorten(text, width).padEnd(width)
  return align === 'left' ? text.slice(0, width).padEnd(width) : text.padStart(width)
}

/** Leaves out the middle of an address, never of its port. */
function shorten(text: string, width: number): string {
  if (text.length <= width) return text
  const port = /:\d+$/.exec(text)?.[0] ?? ''
  const rest = text.slice(0, text.length - port.length)
  const room = Math.max(0, width - 1 - port.length)
  const end = Math.floor(room / 2)
  return `${rest.slice(0, room - end)}…${rest.slice(rest.length - end)}${port}`
}

/** With an arrow down where most comes first. */
function heading({ heading, sort, align }: Column, { by, reversed }: Sorting): string {
  if (sort !== by) return heading
  const arrow = reversed === (sort === 'name') ? '↓' : '↑'
  return align === 'left' ? `${heading} ${arrow}` : `${arrow}${heading}`
}

function summary({ paused }: View, { look, host, namespace, interval, time }: Frame): string {
  return [
    host,
    namespace && `namespace ${namespace}`,
    `${count(look.groups.size, 'virtual server')}, ${count(look.realServers, 'real server')}`,
    `every ${seconds(interval)}`,
    time.toLocaleTimeString('en-GB'),
    paused && 'PAUSED',
    '? help',
  ]
    .filter(Boolean)
    .join('   ')
}

function total({ total }: Look): string {
  const { active, inactive, connections, incomingPackets, incomingBytes, outgoingPackets, outgoingBytes } = total
  return [
    `total: ${human(active)} active, ${human(inactive)} inactive, ${human(connections)} conn/s`,
    `in ${human(incomingPackets)} pkt/s, ${human(incomingBytes)}B/s`,
    `out ${human(outgoingPackets)} pkt/s, ${human(outgoingBytes)}B/s`,
  ].join('   ')
}
