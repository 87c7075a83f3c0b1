/** Types whose constants the machine itself has names for: devices, control groups, labels of connections. */
import { readdirSync, statSync } from 'node:fs'
import { BadValue, shown } from '../../../netlink/schema.js'
import type { Devices, ValueType } from '../value-type.js'
import { integerOf, jsonNumber, numberType } from './number.js'
import { numberOf, wordOf } from './symbols.js'
import { connectionLabels } from './system.js'

const index = numberType({ name: 'iface_index', number: 20, bits: 32, order: 'host' })

/** The index of a network device, written as its name. */
export const DEVICE: ValueType = {
  ...index,
  parse(given, bits, devices?: Devices) {
    const found = typeof given === 'string' ? devices?.indexOf(given) : undefined
    if (found !== undefined) return BigInt(found)
    if (integerOf(given) !== undefined) return index.parse(given, bits)
    throw new BadValue(
      'type',
      `${shown(given)}: there is no such network device: add it first, or match its name with iifname or oifname`,
    )
  },
  json: (value, _bits, devices) => devices?.nameOf(Number(value)) ?? value.toString(),
  print(value, _bits, devices) {
    const name = devices?.nameOf(Number(value))
    return name === undefined ? value.toString() : `"${name}"`
  },
}

/** The number of the lowest bit that is set; of zero what GMP's scan for it returns. */
function lowestBit(value: bigint): bigint {
  if (value === 0n) return (1n << 64n) - 1n
  let bit = 0n
  while (((value >> bit) & 1n) === 0n) bit++
  return bit
}

const labelOf = (value: bigint): string | undefined => wordOf(connectionLabels(), lowestBit(value))

/** A label of a connection: one bit of 128, written as its name or its number. */
export const LABEL: ValueType = {
  ...numberType({ name: 'ct_label', number: 30, bits: 128, order: 'host', flags: true }),
  parse(given) {
    const bit = (typeof given === 'string' ? numberOf(connectionLabels(), given) : undefined) ?? integerOf(given)
    if (bit !== undefined && bit < 128n) return 1n << bit
    throw new BadValue('type', `${shown(given)} is no ct_label: give a name of /etc/xtables/connlabel.conf, or 0 to 127`)
  },
  json: value => labelOf(value) ?? jsonNumber(lowestBit(value)),
  print(value) {
    const label = labelOf(value)
    return label === undefined ? lowestBit(value).toString() : `"${label}"`
  },
  printNumber: value => lowestBit(value).toString(),
  names(value) {
    const bits = Array.from({ length: 128 }, (_, bit) => 1n << BigInt(bit)).filter(bit => (value & bit) !== 0n)
    const names = bits.map(labelOf)
    return names.every(name => name !== undefined) ? names : undefined
  },
}

const CONTROL_GROUPS = '/sys/fs/cgroup'

/**
 * The path of a control group below the root, by its id, which is its inode. Other file systems mounted there are not looked
 * into.
 */
function groupPath(id: bigint, device: bigint, below = ''): string | undefined {
  try {
    for (const entry of readdirSync(`${CONTROL_GROUPS}/${below}`, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue
      const path = below === '' ? entry.name : `${below}/${entry.name}`
      const { dev, ino } = statSync(`${CONTROL_GROUPS}/${path}`, { bigint: true })
      if (dev !== device) continue
      const found = ino === id ? path : groupPath(id, device, path)
      if (found !== undefined) return found
    }
  } catch {
    return undefined // gone meanwhile, or not to be read
  }
  return undefined
}

function pathOfGroup(id: bigint): string | undefined {
  try {
    return groupPath(id, statSync(CONTROL_GROUPS, { bigint: true }).dev)
  } catch {
    return undefined
  }
}

function groupId(path: string): bigint | undefined {
  try {
    return statSync(`${CONTROL_GROUPS}/${path}`, { bigint: true }).ino
  } catch {
    return undefined
  }
}

/** A control group, written as its path. */
export const CONTROL_GROUP: ValueType = {
  ...numberType({ name: 'cgroupsv2', number: 46, bits: 64, order: 'host' }),
  parse(given) {
    const id = (typeof given === 'string' ? groupId(given) : undefined) ?? integerOf(given)
    if (id !== undefined) return id
    throw new BadValue('type', `${shown(given)}: there is no such control group below ${CONTROL_GROUPS}`)
  },
  json: value => pathOfGroup(value) ?? value.toString(),
  print(value) {
    const path = pathOfGroup(value)
    return path === undefined ? value.toString() : `"${path}"`
  },
}

const classes = numberType({ name: 'classid', number: 23, bits: 32, order: 'host' })

function printClass(value: bigint): string {
  if (value === 0n) return 'none'
  if (value === 0xffff_ffffn) return 'root'
  return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`
}

/** A handle of traffic control: `aaaa:bbbb`, hexadecimal. */
export const CLASS: ValueType = {
  ...classes,
  parse(given, bits) {
    if (given === 'root') return 0xffff_ffffn
    if (given === 'none') return 0n
    const [, major, minor] = (typeof given === 'string' && /^([0-9a-f]{0,4}):([0-9a-f]{0,4})$/i.exec(given)) || []
    if (major === undefined) return classes.parse(given, bits)
    return (BigInt(`0x${major || 0}`) << 16n) | BigInt(`0x${minor || 0}`)
  },
  json: printClass,
  print: printClass,
  printNumber: printClass,
}
