/** rtnetlink's messages and attributes (include/uapi/linux/rtnetlink.h, if_link.h, if_addr.h, fib_rules.h), with the names that they have here. */
import { hardwareAddress, ipAddress } from '../netlink/address-values.js'
import { deviceName } from '../netlink/interfaces.js'
import { nest, record } from '../netlink/record.js'
import { struct } from '../netlink/struct.js'
import { bytes, text, u8, u32 } from '../netlink/values.js'

export { DEVICE_NAME, deviceName, linkHeader } from '../netlink/interfaces.js'

/** RTM_* */
export const message = {
  newLink: 16,
  deleteLink: 17,
  getLink: 18,
  setLink: 19,
  newAddress: 20,
  deleteAddress: 21,
  getAddress: 22,
  newRoute: 24,
  deleteRoute: 25,
  getRoute: 26,
  newRule: 32,
  deleteRule: 33,
  getRule: 34,
} as const

/** RTNLGRP_* */
export const group = {
  link: 1,
  ipv4Address: 5,
  ipv4Route: 7,
  ipv4Rule: 8,
  ipv6Address: 9,
  ipv6Route: 11,
  ipv6Rule: 19,
} as const

/** Flags of a request that makes something. */
export const NLM_F_REPLACE = 0x100
export const NLM_F_EXCL = 0x200
export const NLM_F_CREATE = 0x400

/** `struct ifaddrmsg` */
export const addressHeader = struct(8, {
  family: [0, 'u8'],
  length: [1, 'u8'],
  flags: [2, 'u8'],
  scope: [3, 'u8'],
  index: [4, 'u32'],
})
/** `struct rtmsg` */
export const routeHeader = struct(12, {
  family: [0, 'u8'],
  destinationLength: [1, 'u8'],
  sourceLength: [2, 'u8'],
  tos: [3, 'u8'],
  table: [4, 'u8'],
  protocol: [5, 'u8'],
  scope: [6, 'u8'],
  type: [7, 'u8'],
  flags: [8, 'u32'],
})
/** `struct fib_rule_hdr` */
export const ruleHeader = struct(12, {
  family: [0, 'u8'],
  toLength: [1, 'u8'],
  fromLength: [2, 'u8'],
  tos: [3, 'u8'],
  table: [4, 'u8'],
  action: [7, 'u8'],
  flags: [8, 'u32'],
})

const linkInfo = record({ kind: [1, text(63)], data: [2, bytes] })

/** IFLA_* */
export const linkAttributes = record({
  address: [1, hardwareAddress],
  broadcast: [2, hardwareAddress],
  name: [3, deviceName],
  mtu: [4, u32],
  link: [5, u32],
  master: [10, u32],
  state: [16, u8],
  info: [18, nest(linkInfo)],
  netnsPid: [19, u32],
  group: [27, u32],
  netnsFd: [28, u32],
})

/** VETH_INFO_PEER holds a `struct ifinfomsg` and IFLA_*. */
export const VETH_INFO_PEER = 1

/** `struct ifa_cacheinfo`: seconds, and when it was made and changed, in hundredths of seconds since the start. */
export const addressTimes = struct(16, { preferred: [0, 'u32'], valid: [4, 'u32'], made: [8, 'u32'], changed: [12, 'u32'] })

/** IFA_* */
export const addressAttributes = record({
  address: [1, ipAddress],
  local: [2, ipAddress],
  label: [3, deviceName],
  broadcast: [4, ipAddress],
  times: [6, bytes],
  flags: [8, u32],
  metric: [9, u32],
  protocol: [11, u8],
})

/** RTAX_* */
const routeMetrics = record({ mtu: [2, u32], advertisedMss: [8, u32] })

/** RTA_* */
export const routeAttributes = record({
  destination: [1, ipAddress],
  source: [2, ipAddress],
  inputDevice: [3, u32],
  device: [4, u32],
  gateway: [5, ipAddress],
  metric: [6, u32],
  preferredSource: [7, ipAddress],
  metrics: [8, nest(routeMetrics)],
  nexthops: [9, bytes],
  table: [15, u32],
  mark: [16, u32],
  via: [18, bytes],
})

/** FRA_* */
export const ruleAttributes = record({
  to: [1, ipAddress],
  from: [2, ipAddress],
  inputDevice: [3, deviceName],
  goto: [4, u32],
  priority: [6, u32],
  mark: [10, u32],
  suppressPrefixLength: [14, u32],
  table: [15, u32],
  mask: [16, u32],
  outputDevice: [17, deviceName],
  users: [20, bytes],
  protocol: [21, u8],
  ipProtocol: [22, u8],
  sourcePorts: [23, bytes],
  destinationPorts: [24, bytes],
})
