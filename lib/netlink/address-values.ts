/** Attributes that hold addresses, as text. */
import { familyOf, formatAddress, writeAddress } from './address.js'
import { type AttributeType, BadValue, shown } from './schema.js'

/** An IPv4 or IPv6 address: its length says which. */
export const ipAddress: AttributeType<string> = {
  write(writer, value) {
    const family = familyOf(value)
    if (!writeAddress(value, family, writer.bytes, writer.offset)) throw new BadValue('range', `${shown(value)}: is no address`)
    writer.offset += family === 'ipv6' ? 16 : 4
  },
  read({ bytes }, offset, length) {
    if (length === 4) return formatAddress(bytes, offset, 'ipv4')
    return length === 16 ? formatAddress(bytes, offset, 'ipv6') : undefined
  },
}

/** `02:42:ac:11:00:02`; devices without have none. */
export const hardwareAddress: AttributeType<string> = {
  write(writer, value) {
    writer.append(Buffer.from(value.replaceAll(':', ''), 'hex'))
  },
  read({ bytes }, offset, length) {
    const hex = Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString('hex')
    return hex.replace(/..(?=.)/g, '$&:')
  },
}
