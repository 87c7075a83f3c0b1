/** Machines for the doctor. */
import type { Facts, Host, Loadable } from '../../../lib/cli/doctor/facts.js'
import { type Capabilities, SCHEDULERS } from '../../../lib/ipvs/index.js'

/** What `capabilities` says where all is well. */
export const ALL: Capabilities = {
  available: true,
  version: '1.2.1',
  ipv6: true,
  schedulers: SCHEDULERS,
  persistenceEngines: ['sip'],
  tunnels: ['ipip', 'gue', 'gre'],
  tunnelChecksums: true,
  mixedFamilies: true,
  statistics64: true,
}

/** Sysctls as the kernel starts with, but for forwarding. */
const SYSCTLS: Readonly<Record<string, number>> = {
  'ipv4.ip_forward': 1,
  'ipv4.vs.conntrack': 0,
  'ipv4.vs.conn_reuse_mode': 1,
  'ipv4.vs.expire_nodest_conn': 0,
  'ipv4.vs.expire_quiescent_template': 0,
  'ipv4.conf.all.rp_filter': 0,
  'ipv4.conf.all.arp_ignore': 0,
  'ipv4.conf.all.arp_announce': 0,
  'ipv6.conf.all.forwarding': 0,
}

/** Facts of a machine where IPVS works, with changes. */
export function facts(change: Partial<Facts> = {}, sysctls: Readonly<Record<string, number | undefined>> = {}): Facts {
  const all: Readonly<Record<string, number | undefined>> = { ...SYSCTLS, ...sysctls }
  return {
    host: { node: 'v22.12.0', nodeServes: true, release: '6.12.1', root: true },
    netns: undefined,
    refused: undefined,
    modular: true,
    helper: '/sbin/modprobe',
    container: false,
    kernelPackage: undefined,
    reversePath: {},
    installed: true,
    modules: { ip_vs: 'loaded', nf_tables: 'loaded' },
    netAdmin: true,
    userNamespace: false,
    capabilities: ALL,
    virtualServers: [],
    sysctl: name => all[name],
    loopback: 'up',
    ...change,
  }
}

/** A machine with these files, and modules that modprobe knows. */
export function machine(files: Readonly<Record<string, string>> = {}, modules: Readonly<Record<string, Loadable>> = {}): Host {
  const all: Readonly<Record<string, string>> = {
    '/proc/self/status': 'Name:\tnode\nCapInh:\t0000000000000000\nCapEff:\t000001ffffffffff\n',
    '/proc/self/uid_map': '         0          0 4294967295\n',
    '/proc/modules': 'ip_vs_rr 16384 1 - Live 0x0\nip_vs 172032 3 ip_vs_rr, Live 0x0\n',
    '/proc/sys/kernel/modprobe': '/sbin/modprobe\n',
    '/lib/modules/6.12.1/modules.builtin': 'kernel/net/netfilter/nf_tables.ko\n',
    ...files,
  }
  return {
    node: 'v22.12.0',
    nodeServes: true,
    release: '6.12.1',
    root: true,
    arch: 'x64',
    read: path => all[path],
    modprobe: async name => modules[name] ?? 'absent',
  }
}
