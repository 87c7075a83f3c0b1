/** Names of interfaces that chains and flowtables are bound to. */
import { align4, type MessageReader, type MessageWriter } from '../../netlink/buffer.js'
import { list } from '../../netlink/record.js'
import { type AttributeType, BadValue, shown, writeAttribute } from '../../netlink/schema.js'
import { text } from '../../netlink/values.js'

/** IFNAMSIZ less the NUL. */
const NAME = 15
export const deviceName = text(NAME)
/** NFTA_DEVICE_NAME; NFTA_DEVICE_PREFIX: all whose names begin so (Linux 6.17). */
const WHOLE = 1
const PREFIX = 2
const NLA_TYPE_MASK = 0x3fff

/** A list of names; one that ends in `*` stands for all that begin with what is before it. */
export const deviceNames: AttributeType<readonly string[]> = {
  ...list(deviceName),
  write(writer: MessageWriter, names) {
    if (!Array.isArray(names)) throw new BadValue('type', `${shown(names)}: give a list of names of interfaces`)
    for (const [i, name] of names.entries()) {
      const prefix = typeof name === 'string' && name.endsWith('*')
      try {
        writeAttribute(writer, prefix ? PREFIX : WHOLE, deviceName, prefix ? name.slice(0, -1) : name)
      } catch (error) {
        throw error instanceof BadValue ? error.within(i) : error
      }
    }
  },
  read(reader: MessageReader, start, length) {
    const names: string[] = []
    const end = start + length
    for (let offset = start; offset < end; ) {
      const size = offset + 4 <= end ? (reader.u16[offset >> 1] as number) : 0
      if (size < 4 || offset + size > end) return undefined
      const type = (reader.u16[(offset >> 1) + 1] as number) & NLA_TYPE_MASK
      const name = type === WHOLE || type === PREFIX ? deviceName.read(reader, offset + 4, size - 4) : undefined
      // One that really ends in \* has no form here.
      if (name === undefined || (type === WHOLE && name.endsWith('*'))) return undefined
      names.push(type === PREFIX ? `${name}*` : name)
      offset += align4(size)
    }
    return names
  },
}

/** Runs `write`; what it refuses in the hook's nest is a field of the object itself to the caller: `devices[1]`. */
export function hookFields(write: () => void, field = 'devices'): void {
  try {
    write()
  } catch (error) {
    if (error instanceof BadValue)
      error.path = error.path
        .replace(/^hook\.device$/, `${field}[0]`)
        .replace(/^hook\.devices/, field)
        .replace(/^hook\./, '')
    throw error
  }
}
