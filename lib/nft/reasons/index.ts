/** What the kernel means by each errno, by the command and by the place where it points. */
import { errnoName } from '../../netlink/error.js'
import type { Around } from '../around.js'
import type { Refused } from '../place.js'
import { alreadyThere, full, inUse, loop, owned } from './conflict.js'
import { familyMismatch, invalid, outOfRange, overflow, tooLong, untracked, unwritten } from './invalid.js'
import { missing } from './missing.js'
import type { Meaning } from './reason.js'
import { unsupported } from './unsupported.js'

export { meaningOfWhole, NO_NFTABLES } from './whole.js'
export type { Meaning }

type Reader = (refused: Refused, around: Around) => Meaning | Promise<Meaning>

const TOO_MANY: Meaning = {
  problem: 'other',
  why: 'too many rules or elements refer to one object: the kernel counts 4,294,967,295',
}
const MEMORY: Meaning = { problem: 'no-memory', why: 'the kernel has no memory for it' }
const DEVICE: Meaning = {
  problem: 'no-such-interface',
  why: 'there is no such interface in this network namespace: `ip link` shows those that there are',
}

const READERS: Readonly<Record<string, Reader>> = {
  ENOENT: missing,
  EEXIST: alreadyThere,
  EBUSY: inUse,
  EPERM: owned,
  ENOTSUP: unsupported,
  EINVAL: invalid,
  ERANGE: outOfRange,
  ENODATA: unwritten,
  EAFNOSUPPORT: familyMismatch,
  EOVERFLOW: overflow,
  EPROTO: untracked,
  EMLINK: () => loop,
  ELOOP: () => loop,
  ENFILE: full,
  EMFILE: () => TOO_MANY,
  EFBIG: () => tooLong,
  ENODEV: () => DEVICE,
  ENOMEM: () => MEMORY,
  ENOBUFS: () => MEMORY,
}

/** Why a command was refused. */
export async function meaningOf(refused: Refused, around: Around): Promise<Meaning> {
  const read = READERS[errnoName(refused.acknowledgement.errno)]
  return read
    ? read(refused, around)
    : { problem: 'other', why: refused.acknowledgement.kernelMessage ?? 'the kernel refused it' }
}
