/** ctnetlink's messages and attributes (include/uapi/linux/netfilter/nfnetlink_conntrack.h), with the names that they have here. */
import { nest, record } from '../netlink/record.js'
import { struct } from '../netlink/struct.js'
import { be16, be32, be64, bytes, text, u8, u32 } from '../netlink/values.js'
import { tuple, tupleAttributes } from './tuple.js'

export const NFNL_SUBSYS_CTNETLINK = 1

/** IPCTNL_MSG_CT_* */
export const message = { new: 0, get: 1, delete: 2, getStatisticsCpu: 4, getStatistics: 5 } as const

/** NFNLGRP_CONNTRACK_* */
export const group = { new: 1, update: 2, destroy: 3 } as const

/** The type of a netlink message. */
export const messageType = (number: number): number => (NFNL_SUBSYS_CTNETLINK << 8) | number

/** `struct nfgenmsg`. Only with version 1 does the kernel look at the family of what is flushed (ctnetlink_del_conntrack). */
export const header = struct(4, { family: [0, 'u8'], version: [1, 'u8'], resource: [2, 'u16'] })

const tcpAttributes = record({
  state: [1, u8],
  scaleOriginal: [2, u8],
  scaleReply: [3, u8],
  flagsOriginal: [4, bytes],
  flagsReply: [5, bytes],
})
const dccpAttributes = record({ state: [1, u8], role: [2, u8], sequence: [3, be64] })
const sctpAttributes = record({ state: [1, u8], tagOriginal: [2, be32], tagReply: [3, be32] })
const stateAttributes = record({
  tcp: [1, nest(tcpAttributes)],
  dccp: [2, nest(dccpAttributes)],
  sctp: [3, nest(sctpAttributes)],
})

const counterAttributes = record({ packets: [1, be64], bytes: [2, be64] })
const helperAttributes = record({ name: [1, text(15)], info: [2, bytes] })
const timestampAttributes = record({ start: [1, be64], stop: [2, be64] })
/** CTA_FILTER_*: which parts of the tuples count, in the machine's byte order. */
const filterAttributes = record({ original: [1, u32], reply: [2, u32] })

/** CTA_* */
export const flowAttributes = record({
  original: [1, tuple],
  reply: [2, tuple],
  status: [3, be32],
  state: [4, nest(stateAttributes)],
  helper: [5, nest(helperAttributes)],
  timeout: [7, be32],
  mark: [8, be32],
  countersOriginal: [9, nest(counterAttributes)],
  countersReply: [10, nest(counterAttributes)],
  use: [11, be32],
  id: [12, be32],
  master: [14, tuple],
  zone: [18, be16],
  timestamp: [20, nest(timestampAttributes)],
  markMask: [21, be32],
  labels: [22, bytes],
})

/** The same of a question for those that are like this: tuples have only the parts that count. */
export const questionAttributes = record({
  original: [1, nest(tupleAttributes)],
  reply: [2, nest(tupleAttributes)],
  status: [3, be32],
  mark: [8, be32],
  zone: [18, be16],
  markMask: [21, be32],
  filter: [25, nest(filterAttributes)],
  statusMask: [26, be32],
})

/** CTA_STATS_GLOBAL_* */
export const globalAttributes = record({ entries: [1, be32], maximum: [2, be32] })

/** CTA_STATS_* */
export const cpuAttributes = record({
  found: [2, be32],
  invalid: [4, be32],
  insert: [8, be32],
  insertFailed: [9, be32],
  drop: [10, be32],
  earlyDrop: [11, be32],
  error: [12, be32],
  searchRestart: [13, be32],
  clashResolve: [14, be32],
  chainTooLong: [15, be32],
})
