/**
 * Which option of the kernel's configuration, and which module, each expression, stateful object and family comes with
 * (net/netfilter/Kconfig, net/{ipv4,ipv6,bridge}/netfilter/Kconfig, Linux 6.1 to 6.18).
 */
import type { Family, ObjectType } from './types.js'

/** What has to be switched on in a kernel, or loaded. */
export interface KernelOption {
  /** Without `CONFIG_`: `NFT_QUEUE`. */
  readonly option: string
  /** Undefined for what is part of nf_tables itself: there is nothing to load. */
  readonly module: string | undefined
}

const part = (option: string, module?: string): KernelOption => ({ option, module })
/** Most modules have the name of their option. */
const module = (option: string): KernelOption => part(option, option.toLowerCase())

const CORE = part('NF_TABLES')

/** What is part of nf_tables (net/netfilter/nf_tables_core.c). `inner` came with Linux 6.2. */
const BUILT_IN = 'bitwise byteorder cmp counter dynset exthdr immediate inner last lookup meta payload range rt'

/** Expressions of one module for all families. */
const EXPRESSIONS: Readonly<Record<string, KernelOption>> = {
  ...Object.fromEntries(BUILT_IN.split(' ').map(name => [name, CORE])),
  connlimit: module('NFT_CONNLIMIT'),
  ct: module('NFT_CT'),
  flow_offload: module('NFT_FLOW_OFFLOAD'),
  hash: module('NFT_HASH'),
  limit: module('NFT_LIMIT'),
  log: module('NFT_LOG'),
  match: module('NFT_COMPAT'),
  nat: module('NFT_NAT'),
  notrack: module('NFT_CT'),
  numgen: module('NFT_NUMGEN'),
  /** Part of nf_tables from Linux 6.2 on. */
  objref: module('NFT_OBJREF'),
  osf: module('NFT_OSF'),
  queue: module('NFT_QUEUE'),
  quota: module('NFT_QUOTA'),
  socket: module('NFT_SOCKET'),
  target: module('NFT_COMPAT'),
  tproxy: module('NFT_TPROXY'),
  xfrm: module('NFT_XFRM'),
}

const routed = (option: KernelOption): Partial<Record<Family, KernelOption>> => ({ inet: option, ip: option, ip6: option })

/** Expressions that only some families have, often from modules of their own. */
const BY_FAMILY: Readonly<Record<string, Partial<Record<Family, KernelOption>>>> = {
  dup: { ip: module('NFT_DUP_IPV4'), ip6: module('NFT_DUP_IPV6'), netdev: module('NFT_DUP_NETDEV') },
  fib: {
    inet: module('NFT_FIB_INET'),
    ip: module('NFT_FIB_IPV4'),
    ip6: module('NFT_FIB_IPV6'),
    netdev: module('NFT_FIB_NETDEV'),
  },
  fwd: { netdev: module('NFT_FWD_NETDEV') },
  masq: routed(module('NFT_MASQ')),
  redir: routed(module('NFT_REDIR')),
  reject: {
    inet: module('NFT_REJECT_INET'),
    ip: module('NFT_REJECT_IPV4'),
    ip6: module('NFT_REJECT_IPV6'),
    bridge: part('NFT_BRIDGE_REJECT', 'nft_reject_bridge'),
    netdev: module('NFT_REJECT_NETDEV'),
  },
  synproxy: routed(module('NFT_SYNPROXY')),
  tunnel: { netdev: module('NFT_TUNNEL') },
}

const OBJECTS: Readonly<Record<ObjectType, KernelOption>> = {
  counter: CORE,
  quota: module('NFT_QUOTA'),
  limit: module('NFT_LIMIT'),
  connlimit: module('NFT_CONNLIMIT'),
  tunnel: module('NFT_TUNNEL'),
  'ct helper': module('NFT_CT'),
  'ct timeout': part('NF_CONNTRACK_TIMEOUT', 'nft_ct'),
  'ct expectation': module('NFT_CT'),
  secmark: part('NETWORK_SECMARK'),
  synproxy: module('NFT_SYNPROXY'),
}

/** Families in which there are objects of a type; undefined for all of them. */
export function familiesOfObject(type: ObjectType): readonly Family[] | undefined {
  return type === 'tunnel' || type === 'synproxy' ? familiesOfExpression(type) : undefined
}

/** What chains of type nat come with. */
export const NAT_CHAINS: KernelOption = part('NF_NAT', 'nft_chain_nat')

/** What chains at the hooks of interfaces come with. */
export const DEVICE_HOOKS: Readonly<Record<'ingress' | 'egress', KernelOption>> = {
  ingress: part('NETFILTER_INGRESS'),
  egress: part('NETFILTER_EGRESS'),
}

/** Flowtables of every family come with a module of the family (nf-flowtable-FAMILY); this is that of inet. */
export const FLOWTABLES: KernelOption = part('NF_FLOW_TABLE_INET', 'nf_flow_table_inet')

const FAMILIES: Readonly<Record<Family, KernelOption>> = {
  inet: part('NF_TABLES_INET'),
  ip: part('NF_TABLES_IPV4'),
  ip6: part('NF_TABLES_IPV6'),
  arp: part('NF_TABLES_ARP'),
  netdev: part('NF_TABLES_NETDEV'),
  bridge: part('NF_TABLES_BRIDGE'),
}

/** Names of all expressions that are known here. */
export const EXPRESSION_NAMES: readonly string[] = [...Object.keys(EXPRESSIONS), ...Object.keys(BY_FAMILY)].sort()

/** Types of all stateful objects that are known here. */
export const OBJECT_TYPES = Object.keys(OBJECTS) as readonly ObjectType[]

/** Families in which there is an expression; undefined for all of them. */
export function familiesOfExpression(name: string): readonly Family[] | undefined {
  return Object.hasOwn(BY_FAMILY, name) ? (Object.keys(BY_FAMILY[name] as object) as Family[]) : undefined
}

/** What an expression comes with in a family; undefined for one that is not known here, or that the family does not have. */
export function optionOfExpression(name: string, family: Family): KernelOption | undefined {
  if (Object.hasOwn(BY_FAMILY, name)) return BY_FAMILY[name]?.[family]
  return Object.hasOwn(EXPRESSIONS, name) ? EXPRESSIONS[name] : undefined
}

/** What a type of stateful objects comes with; undefined for one that is not known here. */
export function optionOfObject(type: ObjectType): KernelOption | undefined {
  return Object.hasOwn(OBJECTS, type) ? OBJECTS[type] : undefined
}

/** What a family comes with. */
export const optionOfFamily = (family: Family): KernelOption => FAMILIES[family]
