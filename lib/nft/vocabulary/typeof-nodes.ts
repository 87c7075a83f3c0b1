/** The user data that nft keeps with sets whose types were given by an expression: a tree of `u8 type, u8 length, value` (src/netlink.c, *_udata). */

/** An expression: EXPR_*, and what it consists of. */
export interface Node {
  readonly kind: number
  /** Numbers by their type; of a concatenation its fields. */
  readonly numbers: readonly (readonly [type: number, value: number])[]
  readonly fields?: readonly Node[] | undefined
}

/** EXPR_CONCAT */
export const CONCAT = 13
const KIND = 0
const DATA = 1

const datum = (type: number, value: Uint8Array): number[] => [type, value.length, ...value]
const number = (value: number): Uint8Array => new Uint8Array(new Uint32Array([value]).buffer)

export function encodeNode({ kind, numbers, fields }: Node): Uint8Array {
  const inside = fields
    ? fields.flatMap((field, i) => datum(i, encodeNode(field)))
    : numbers.flatMap(([type, value]) => datum(type, number(value)))
  return Uint8Array.from([...datum(KIND, number(kind)), ...datum(DATA, Uint8Array.from(inside))])
}

/** Undefined for bytes that are no such tree. */
export function decodeNode(bytes: Uint8Array): Node | undefined {
  const parts = partsOf(bytes)
  const kind = numberOf(parts?.find(([type]) => type === KIND)?.[1])
  const data = parts?.find(([type]) => type === DATA)?.[1]
  const inside = data && partsOf(data)
  if (kind === undefined || !inside) return undefined
  if (kind !== CONCAT) {
    const numbers = inside.map(([type, value]) => [type, numberOf(value) ?? 0] as const)
    return { kind, numbers }
  }
  const fields = inside.map(([, value]) => decodeNode(value)).filter(field => field !== undefined)
  return fields.length === inside.length ? { kind, numbers: [], fields } : undefined
}

function partsOf(bytes: Uint8Array): (readonly [type: number, value: Uint8Array])[] | undefined {
  const parts: (readonly [number, Uint8Array])[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + (bytes[at + 1] ?? 0)
    if (at + 2 > bytes.length || end > bytes.length) return undefined
    parts.push([bytes[at] as number, bytes.subarray(at + 2, end)])
    at = end
  }
  return parts
}

const numberOf = (bytes: Uint8Array | undefined): number | undefined =>
  bytes?.length === 4 ? new Uint32Array(Uint8Array.from(bytes).buffer)[0] : undefined
