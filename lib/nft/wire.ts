/** nftables' messages and attributes (include/uapi/linux/netfilter/nf_tables.h), with the names that they have here. */
import { list, nest, record } from '../netlink/record.js'
import { be32, be64, be64Number, bytes, sbe32, text } from '../netlink/values.js'
import { data } from './data.js'
import { expression, statefulExpression } from './expressions/index.js'
import { deviceName, deviceNames } from './objects/devices.js'
import { userData } from './user-data.js'

export const NFNL_SUBSYS_NFTABLES = 10
/** Of all subsystems. */
export const BATCH_BEGIN = 0x10
export const BATCH_END = 0x11
/** The multicast group of all changes. */
export const NFNLGRP_NFTABLES = 7
export const NFNLGRP_NFTRACE = 9

/** NFT_MSG_* */
export const message = {
  newTable: 0,
  getTable: 1,
  deleteTable: 2,
  newChain: 3,
  getChain: 4,
  deleteChain: 5,
  newRule: 6,
  getRule: 7,
  deleteRule: 8,
  newSet: 9,
  getSet: 10,
  deleteSet: 11,
  newElements: 12,
  getElements: 13,
  deleteElements: 14,
  newGeneration: 15,
  getGeneration: 16,
  trace: 17,
  newObject: 18,
  getObject: 19,
  deleteObject: 20,
  getObjectReset: 21,
  newFlowtable: 22,
  getFlowtable: 23,
  deleteFlowtable: 24,
  /** Linux 6.2 */
  getRuleReset: 25,
  /** The destroying ones: Linux 6.3 */
  destroyTable: 26,
  destroyChain: 27,
  destroyRule: 28,
  destroySet: 29,
  destroyElements: 30,
  destroyObject: 31,
  destroyFlowtable: 32,
  /** Linux 6.5 */
  getElementsReset: 33,
} as const

/** The type of a netlink message. */
export const messageType = (number: number): number => (NFNL_SUBSYS_NFTABLES << 8) | number

/** NFT_NAME_MAXLEN less the NUL. */
export const NAME = 255
/** NFT_OBJ_MAXATTR… the kernel takes 256 bytes of user data, and nft's own limit of a comment is 128. */
const name = text(NAME)

export const tableAttributes = record({
  name: [1, name],
  flags: [2, be32],
  use: [3, be32],
  handle: [4, be64Number],
  userData: [6, userData],
  owner: [7, be32],
})

const hookAttributes = record({
  number: [1, be32],
  priority: [2, sbe32],
  device: [3, deviceName],
  devices: [4, deviceNames],
})

const counterAttributes = record({ bytes: [1, be64], packets: [2, be64] })

export const chainAttributes = record({
  table: [1, name],
  handle: [2, be64Number],
  name: [3, name],
  hook: [4, nest(hookAttributes)],
  policy: [5, be32],
  use: [6, be32],
  type: [7, text(NAME)],
  counters: [8, nest(counterAttributes)],
  flags: [10, be32],
  id: [11, be32],
  userData: [12, userData],
})

const compatAttributes = record({ protocol: [1, be32], flags: [2, be32] })

export const ruleAttributes = record({
  table: [1, name],
  chain: [2, name],
  handle: [3, be64Number],
  expressions: [4, list(expression)],
  compat: [5, nest(compatAttributes)],
  position: [6, be64Number],
  userData: [7, userData],
  id: [9, be32],
  positionId: [10, be32],
  chainId: [11, be32],
})

const fieldAttributes = record({ length: [1, be32] })
const descriptionAttributes = record({ size: [1, be32], concatenation: [2, list(nest(fieldAttributes))] })

export const setAttributes = record({
  table: [1, name],
  name: [2, name],
  flags: [3, be32],
  keyType: [4, be32],
  keyLength: [5, be32],
  dataType: [6, be32],
  dataLength: [7, be32],
  policy: [8, be32],
  description: [9, nest(descriptionAttributes)],
  id: [10, be32],
  timeout: [11, be64Number],
  gcInterval: [12, be32],
  userData: [13, userData],
  objectType: [15, be32],
  handle: [16, be64Number],
  expression: [17, statefulExpression],
  expressions: [18, list(statefulExpression)],
  /** The data structure that the kernel chose (Linux 6.16). */
  backend: [19, text(NAME)],
  /** Elements (Linux 6.16). */
  count: [20, be32],
})

/** Most elements go past this table: objects/elements.ts and objects/element-reader.ts, made for speed, know its first three rows. */
export const elementAttributes = record({
  key: [1, data],
  keyEnd: [10, data],
  data: [2, data],
  flags: [3, be32],
  timeout: [4, be64Number],
  expires: [5, be64Number],
  userData: [6, userData],
  expression: [7, statefulExpression],
  object: [9, name],
  expressions: [11, list(statefulExpression)],
})

/** NFT_SET_ELEM_INTERVAL_END */
export const INTERVAL_END = 1

export const setElementListAttributes = record({
  table: [1, name],
  set: [2, name],
  setId: [4, be32],
  elements: [3, list(nest(elementAttributes))],
})

export const objectAttributes = record({
  table: [1, name],
  name: [2, name],
  type: [3, be32],
  data: [4, bytes],
  use: [5, be32],
  handle: [6, be64Number],
  userData: [8, userData],
})

export const flowtableAttributes = record({
  table: [1, name],
  name: [2, name],
  hook: [3, nest(record({ number: [1, be32], priority: [2, sbe32], devices: [3, deviceNames] }))],
  use: [4, be32],
  handle: [5, be64Number],
  flags: [7, be32],
})

export const generationAttributes = record({ id: [1, be32], processId: [2, be32], processName: [3, text(NAME)] })

/** Only on BATCH_BEGIN (NFNL_BATCH_GENID). */
export const batchAttributes = record({ generation: [1, be32] })
