/** Network devices as rtnetlink lists them (net/core/rtnetlink.c, rtnl_dump_ifinfo): their numbers and names. */
import { beginMessage, endMessage, NLM_F_MULTI } from '../netlink/message.js'
import { cstring, writeAttribute } from '../netlink/schema.js'
import { EOPNOTSUPP, Errno } from './errno.js'
import type { Dump, Handler } from './netlink.js'

const RTM_NEWLINK = 16
const RTM_GETLINK = 18
/** struct ifinfomsg */
const HEADER = 16
const INDEX = 4
const IFLA_IFNAME = 3

/** Answers RTM_GETLINK. The devices have the numbers from 1 on, in their order. */
export function linkHandler(names: readonly string[]): Handler {
  return ({ socket, message }) => {
    if (message.type !== RTM_GETLINK) throw new Errno(EOPNOTSUPP)
    return socket.startDump(message.sequence, () => dump(names, message.sequence))
  }
}

function dump(names: readonly string[], sequence: number): Dump {
  let next = 0
  return page => {
    while (next < names.length && page.put(writer => {
      const start = beginMessage(writer, RTM_NEWLINK, NLM_F_MULTI, sequence)
      writer.reserve(HEADER)
      writer.bytes.fill(0, writer.offset, writer.offset + HEADER)
      writer.u32[(writer.offset + INDEX) >> 2] = next + 1
      writer.offset += HEADER
      writeAttribute(writer, IFLA_IFNAME, cstring, names[next] as string)
      endMessage(writer, start)
    })) next++
  }
}
