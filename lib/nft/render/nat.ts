/** Statements that give packets other addresses and ports, or hand them on. */
import type * as json from '../json/index.js'
import { knownType } from '../vocabulary/types.js'
import { type RenderOptions, renderExpression } from './expression.js'
import type { Shapes } from './types.js'
import { list, words } from './words.js'

const shapeOf = (name: string): Shapes => {
  const type = knownType(name)
  return [{ type, bits: type.bits, order: type.order }]
}
const PORT = shapeOf('inet_service')
const DEVICE = shapeOf('iface_index')

/** Addresses of IPv6 before a port stand in brackets, each bound of a range for itself. */
function address(given: json.Expression, before: boolean, options: RenderOptions): string {
  const text = renderExpression(given, options)
  const constant = typeof given === 'string' || (typeof given === 'object' && given !== null && 'range' in given)
  if (!before || !constant || !text.includes(':')) return text
  return text
    .split('-')
    .map(bound => `[${bound}]`)
    .join('-')
}

const destination = (addr: json.Expression | undefined, port: json.Expression | undefined, options: RenderOptions): string => {
  const where = addr === undefined ? '' : address(addr, port !== undefined, options)
  return port === undefined ? where : `${where}:${renderExpression(port, options, PORT)}`
}

/** `netmap` is what the kernel calls `prefix`. */
const translation =
  (word: string) =>
  (given: json.Nat | null, options: RenderOptions): string => {
    const { addr, family, port, flags, type_flags } = given ?? {}
    const target = destination(addr, port, options)
    const prefix = list(type_flags).includes('prefix') ? 'prefix' : undefined
    const shown = list(flags).filter(flag => flag !== 'netmap')
    return words(word, ...(target === '' ? [] : [family, prefix, 'to', target]), shown.join(','))
  }

/** Here addresses of IPv6 have brackets without a port, too. */
function tproxy({ family, addr, port }: json.TproxyStatement['tproxy'], options: RenderOptions): string {
  const where = addr === undefined ? '' : address(addr, true, options)
  return words('tproxy', family, 'to', port === undefined ? where : `${where}:${renderExpression(port, options, PORT)}`)
}

const device = (given: json.Expression | undefined, options: RenderOptions): string | undefined =>
  given === undefined ? undefined : `device ${renderExpression(given, options, DEVICE)}`

function fwd({ dev, family, addr }: json.FwdStatement['fwd'], options: RenderOptions): string {
  if (addr === undefined) return `fwd to ${renderExpression(dev, options, DEVICE)}`
  return words('fwd', family, 'to', renderExpression(addr, options), device(dev, options))
}

/** Of netdev the target is a device, elsewhere an address. */
function dup({ addr, dev }: json.DupStatement['dup'], options: RenderOptions): string {
  const shapes = options.family === 'netdev' ? DEVICE : []
  return words('dup to', renderExpression(addr, options, shapes), device(dev, options))
}

export const NAT = {
  snat: translation('snat'),
  dnat: translation('dnat'),
  masquerade: translation('masquerade'),
  redirect: translation('redirect'),
  tproxy,
  fwd,
  dup,
}
