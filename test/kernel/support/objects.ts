/** A virtual server, a real server and a daemon as payloads, with all that the kernel asks for. Cases spoil them. */
import { be16, flags, ipv4, ipv6, text, u16, u32 } from './bytes.js'
import type { DaemonPayloads, DestPayloads, ServicePayloads } from './raw.js'

const AF_INET = 2
const AF_INET6 = 10

/** TCP 10.0.0.1:80 */
export const KEY = { AF: u16(AF_INET), PROTOCOL: u16(6), ADDR: ipv4('10.0.0.1'), PORT: be16(80) } satisfies ServicePayloads

/** What a virtual server has besides its key. */
export const SETTINGS = {
  SCHED_NAME: text('rr'),
  FLAGS: flags(0),
  TIMEOUT: u32(0),
  NETMASK: ipv4('255.255.255.255', 4),
} satisfies ServicePayloads

export const SERVICE = { ...KEY, ...SETTINGS } satisfies ServicePayloads

/** TCP [2001:db8::1]:80 */
export const SERVICE6 = {
  ...SERVICE,
  AF: u16(AF_INET6),
  ADDR: ipv6('2001:db8:0:0:0:0:0:1'),
  NETMASK: u32(128),
} satisfies ServicePayloads
export const KEY6 = { AF: SERVICE6.AF, PROTOCOL: SERVICE6.PROTOCOL, ADDR: SERVICE6.ADDR, PORT: SERVICE6.PORT }

/** 10.1.0.1:80 */
export const DEST = {
  ADDR: ipv4('10.1.0.1'),
  PORT: be16(80),
  FWD_METHOD: u32(0),
  WEIGHT: u32(1),
  U_THRESH: u32(0),
  L_THRESH: u32(0),
} satisfies DestPayloads

export const TUNNEL = u32(2)

export const daemonOn = (link: string) => ({ STATE: u32(1), MCAST_IFN: text(link), SYNC_ID: u32(0) }) satisfies DaemonPayloads

/** The same without one of its attributes. */
export function without<T extends object>(payloads: T, name: keyof T): T {
  return { ...payloads, [name]: undefined }
}

export const namesOf = <T extends object>(payloads: T): (keyof T & string)[] => Object.keys(payloads) as (keyof T & string)[]
