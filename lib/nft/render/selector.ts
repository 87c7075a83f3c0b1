/** What is read from packets, as nft's text writes it: one function for each word of the JSON. */
import type * as json from '../json/index.js'
import { UNQUALIFIED_META } from '../vocabulary/meta.js'
import { type RenderOptions, renderExpression } from './expression.js'
import { list, words } from './words.js'

/** What stands behind a word of the JSON. */
type Given<S, K extends string> = S extends Readonly<Record<K, infer G>> ? G : never
type Inside<K extends string> = Given<json.Selector, K>
interface Named {
  readonly name: string
  readonly field?: string | undefined
}
function payload(given: Inside<'payload'>): string {
  if (!('protocol' in given)) return words(given.tunnel, `@${given.base},${given.offset},${given.len}`)
  return words(given.protocol === given.tunnel ? undefined : given.tunnel, given.protocol, given.field)
}

function exthdr({ name, field, offset = 0 }: Inside<'exthdr'>): string {
  if (field === undefined) return `exthdr ${name}`
  return `${name} ${field.replace(/\[(\d+)\]/, (_, index) => `[${Number(index) + offset}]`)}`
}

const named =
  (word: string) =>
  ({ name, field }: Named): string =>
    words(word, name, field)

/** The first byte stands for whether an option is there. */
function tcpOption(given: Inside<'tcp option'>): string {
  if ('name' in given) return named('tcp option')(given)
  const { base, offset, len } = given
  return offset === 0 && len === 8 ? `tcp option ${base}` : `tcp option @${base},${offset},${len}`
}

function meta({ key }: Inside<'meta'>): string {
  return UNQUALIFIED_META.has(key) ? key : `meta ${key}`
}

/** Addresses have the family of the table where they say none. */
function ct({ dir, family, key }: Inside<'ct'>, options: RenderOptions): string {
  const address = key === 'saddr' || key === 'daddr'
  return words('ct', dir, address ? (family ?? (options.family === 'ip6' ? 'ip6' : 'ip')) : undefined, key)
}
const shift = (offset: number | undefined): string | undefined => (offset ? `offset ${offset}` : undefined)

function jhash({ expr, mod, seed, offset }: Inside<'jhash'>, options: RenderOptions): string {
  return words(
    'jhash',
    renderExpression(expr, options),
    `mod ${mod}`,
    seed === undefined ? undefined : `seed 0x${seed.toString(16)}`,
    shift(offset),
  )
}

/** `check` is what libnftables-json(5) calls `oif` that is compared with true or false. */
const fib = ({ flags, result }: Inside<'fib'>): string => `fib ${list(flags).join(' . ')} ${result === 'check' ? 'oif' : result}`

/** With the type of a set nft keeps no level, and shows one all the same. */
const socket = ({ key, level = key === 'cgroupv2' ? 0 : undefined }: Inside<'socket'>): string =>
  words('socket', key, level === undefined ? undefined : `level ${level}`)
const osf = ({ key, ttl }: Inside<'osf'>): string => words('osf', ttl && `ttl ${ttl}`, key)
const ipsec = ({ dir, spnum, family, key }: Inside<'ipsec'>): string =>
  words('ipsec', dir, spnum ? `spnum ${spnum}` : undefined, family, key)

/** By the words of the JSON. */
const SELECTORS: { readonly [K in Selected]: (given: Inside<K>, options: RenderOptions) => string } = {
  payload,
  exthdr,
  'tcp option': tcpOption,
  'ip option': named('ip option'),
  'sctp chunk': named('sctp chunk'),
  'dccp option': ({ type }) => `dccp option ${type}`,
  meta,
  ct,
  rt: ({ family, key }) => words('rt', family, key),
  numgen: ({ mode, mod, offset }) => words('numgen', mode, `mod ${mod}`, shift(offset)),
  jhash,
  symhash: ({ mod, offset }) => words('symhash', `mod ${mod}`, shift(offset)),
  fib,
  socket,
  osf,
  ipsec,
  tunnel: ({ key }) => `tunnel ${key}`,
}
type Selected = json.Selector extends infer S ? (S extends unknown ? keyof S : never) : never

/** What is read from packets; undefined for expressions of other kinds. */
export function renderSelector(word: string, given: unknown, options: RenderOptions): string | undefined {
  const render = Object.hasOwn(SELECTORS, word)
    ? (SELECTORS[word as Selected] as (given: never, options: RenderOptions) => string)
    : undefined
  return render?.(given as never, options)
}
