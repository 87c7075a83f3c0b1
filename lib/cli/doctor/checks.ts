/** What the doctor says to the facts: for each thing that IPVS needs, whether it is there, and the command that mends it. */
import { SCHEDULERS } from '../../ipvs/index.js'
import type { Facts, ModuleState } from './facts.js'

export interface Check {
  readonly name: string
  /** `warning`: IPVS works, and something that many want does not. `missing`: it does not work without. */
  readonly status: 'ok' | 'warning' | 'missing'
  /** One sentence. */
  readonly text: string
  /** The command that mends it. */
  readonly remedy?: string | undefined
}

type Finding = Omit<Check, 'name'>

const ok = (text: string): Finding => ({ status: 'ok', text })
const warning = (text: string, remedy?: string): Finding => ({ status: 'warning', text, remedy })
const missing = (text: string, remedy?: string): Finding => ({ status: 'missing', text, remedy })

/** In the order in which they depend on each other. One that has nothing to say here says nothing. */
const CHECKS: Readonly<Record<string, (facts: Facts) => Finding | undefined>> = {
  'Node.js': ({ host }) =>
    host.nodeServes ? ok(host.node) : warning(`${host.node} is too old: ts-ipvs needs 20.19, 22.12 or newer`),
  addon,
  namespace,
  privileges,
  kernel: ({ host }) => ok(`Linux ${host.release}`),
  module: ipvsModule,
  autoload,
  IPVS: ipvs,
  schedulers,
  'persistence engines': engines,
  IPv6: ipv6,
  loopback,
  forwarding,
  'IPv6 forwarding': ipv6Forwarding,
  conntrack,
  rp_filter: reversePath,
  ARP: arp,
  conn_reuse_mode: connReuseMode,
  expire_nodest_conn: expireNodestConn,
  expire_quiescent_template: expireQuiescentTemplate,
  nf_tables: nfTables,
}

export function examine(facts: Facts): Check[] {
  return Object.entries(CHECKS).flatMap(([name, check]) => {
    const finding = check(facts)
    return finding ? [{ name, ...finding }] : []
  })
}

/** Whether IPVS can be used. */
export const usable = ({ capabilities }: Facts): boolean => capabilities?.available === true

function addon({ refused }: Facts): Finding {
  if (refused?.problem !== 'unsupported-platform') return ok('the native addon loads')
  const [first = '', ...rest] = refused.reason.split('\n')
  return missing(first, /To compile it: (.*)/.exec(rest.join('\n'))?.[1])
}

function namespace({ netns, refused }: Facts): Finding | undefined {
  if (netns === undefined || refused?.problem === 'unsupported-platform') return undefined
  if (!refused) return ok(`${netns} can be entered`)
  const name = refused.problem === 'no-such-namespace' && /^[^/\d][^/]*$/.test(netns)
  return missing(`${netns}: ${refused.reason}`, name ? `ip netns add ${quoted(netns)}` : undefined)
}

function privileges({ host, netAdmin, userNamespace }: Facts): Finding {
  if (userNamespace)
    return missing(
      'this is a user namespace, and IPVS takes orders from the initial one only, even to read: run on the host, or in a container without user namespaces',
      'docker run --userns=host --cap-add NET_ADMIN',
    )
  if (netAdmin) return ok('CAP_NET_ADMIN in the initial user namespace')
  return host.root
    ? missing('root has no CAP_NET_ADMIN, as in a container that was not given it', 'docker run --cap-add NET_ADMIN')
    : missing('CAP_NET_ADMIN is needed, even to read', 'sudo ts-ipvs doctor')
}

function ipvsModule(facts: Facts): Finding {
  const { host, modular, installed, modules, capabilities } = facts
  const state = modules.ip_vs ?? 'unknown'
  if (state === 'loaded') return ok('ip_vs is loaded')
  if (state === 'built-in') return ok('ip_vs is built into the kernel')
  // A kernel whose modules are not described here, which has it all the same.
  if (capabilities?.available) return ok('the kernel has ip_vs')
  if (!modular)
    return missing(`this kernel was built without ip_vs, and can not load modules: ${anotherKernel(facts)}`, installation(facts))
  if (state === 'loadable') return missing('ip_vs is there and not loaded', 'modprobe ip_vs')
  if (state === 'forbidden')
    return missing('ip_vs is not loaded, and a file in /etc/modprobe.d forbids it', 'modprobe --ignore-install ip_vs')
  if (installed) return missing(`Linux ${host.release} was built without ip_vs: ${anotherKernel(facts)}`, installation(facts))
  return missing(
    `ip_vs is not loaded, and /lib/modules/${host.release} is not here; in a container: load it on the host`,
    'modprobe ip_vs',
  )
}

const anotherKernel = ({ container }: Facts): string =>
  `boot ${container ? "this container's host with " : ''}another kernel, one with CONFIG_IP_VS`

const installation = ({ kernelPackage }: Facts): string | undefined => kernelPackage && `apt-get install ${kernelPackage}`

function autoload({ modular, helper }: Facts): Finding | undefined {
  if (!modular) return undefined
  if (helper !== '') return ok(`the kernel loads schedulers on demand, by ${helper}`)
  return warning(
    'the kernel does not load modules by itself: load schedulers beforehand, or let it (impossible with kernel.modules_disabled 1)',
    'sysctl -w kernel.modprobe=/sbin/modprobe',
  )
}

function ipvs({ capabilities, refused, modules }: Facts): Finding {
  if (capabilities?.available) return ok(`version ${capabilities.version}: a virtual server could be made, read back and removed`)
  const problem = capabilities?.reason?.problem
  const loadable = problem === 'family-unavailable' && modules.ip_vs === 'loadable'
  const reason = (capabilities?.reason ?? refused)?.reason.split('\n')[0] ?? 'what was made could not be read back'
  return missing(`can not be used: ${reason}`, loadable ? 'modprobe ip_vs' : undefined)
}

function schedulers({ capabilities, modules }: Facts): Finding | undefined {
  if (!capabilities?.available) return undefined
  const lacking = SCHEDULERS.filter(name => !capabilities.schedulers.includes(name))
  const there = capabilities.schedulers.join(', ')
  if (lacking.length === 0) return ok(there)
  const loadable = lacking.map(name => `ip_vs_${name}`).filter(name => modules[name] === 'loadable')
  if (loadable.length > 0) return warning(`${there}; not loaded: ${lacking.join(', ')}`, `modprobe -a ${loadable.join(' ')}`)
  const why = lacking.every(name => absent(modules[`ip_vs_${name}`])) ? 'this kernel was built without' : 'not there:'
  const old = lacking.includes('twos') ? ' (twos is in Linux 6.2 and newer)' : ''
  return ok(`${there}; ${why} ${lacking.join(', ')}${old}`)
}

const absent = (state: ModuleState | undefined): boolean => state === 'absent'

function engines({ capabilities, modules }: Facts): Finding | undefined {
  if (!capabilities?.available) return undefined
  if (capabilities.persistenceEngines.length > 0) return ok(capabilities.persistenceEngines.join(', '))
  return modules.ip_vs_pe_sip === 'loadable'
    ? warning('sip is not loaded: calls of one dialogue may reach different servers', 'modprobe ip_vs_pe_sip')
    : ok('none: sip is for SIP over UDP only')
}

function ipv6({ capabilities }: Facts): Finding | undefined {
  if (!capabilities?.available) return undefined
  return capabilities.ipv6
    ? ok('virtual servers can have IPv6 addresses')
    : warning('this kernel has IPv6 switched off: boot without ipv6.disable=1')
}

function loopback(facts: Facts): Finding | undefined {
  const remedy = inNamespace(facts, 'ip link set lo up')
  switch (facts.loopback) {
    case 'up':
      return ok('lo is up')
    case 'down':
      return warning('lo is down: clients on this host do not reach virtual servers', remedy)
    case 'never-up':
      return missing('no interface was ever up here, so that IPVS takes no IPv4 address for a real server', remedy)
    default:
      return undefined
  }
}

/** Some real server is reached so; also where there is none yet and it is the default. */
function uses({ virtualServers }: Facts, forwarding: string): boolean {
  return virtualServers.some(({ realServers }) => realServers.some(realServer => realServer.forwarding === forwarding))
}

const mayMasquerade = (facts: Facts): boolean => facts.virtualServers.length === 0 || uses(facts, 'masquerade')

function forwarding(facts: Facts): Finding | undefined {
  const value = facts.sysctl('ipv4.ip_forward')
  if (value === undefined) return undefined
  if (value !== 0 || !mayMasquerade(facts)) return ok(`net.ipv4.ip_forward is ${value}`)
  return warning(
    'net.ipv4.ip_forward is 0: answers of masqueraded real servers on other hosts do not get through',
    setting(facts, 'ipv4.ip_forward', 1),
  )
}

function ipv6Forwarding(facts: Facts): Finding | undefined {
  const value = facts.sysctl('ipv6.conf.all.forwarding')
  const used = facts.virtualServers.some(vs => ('family' in vs ? vs.family === 'ipv6' : vs.address.includes(':')))
  if (value === undefined || !used) return undefined
  if (value !== 0 || !uses(facts, 'masquerade')) return ok(`net.ipv6.conf.all.forwarding is ${value}`)
  return warning(
    'net.ipv6.conf.all.forwarding is 0: answers of masqueraded real servers on other hosts do not get through',
    setting(facts, 'ipv6.conf.all.forwarding', 1),
  )
}

function conntrack(facts: Facts): Finding | undefined {
  const value = facts.sysctl('ipv4.vs.conntrack')
  if (value === undefined) return undefined
  const tracked = facts.sysctl('netfilter.nf_conntrack_max') !== undefined
  if (value === 0 && tracked && uses(facts, 'masquerade'))
    return warning(
      "net.ipv4.vs.conntrack is 0: netfilter's rules on states and its source NAT do not see connections through IPVS",
      setting(facts, 'ipv4.vs.conntrack', 1),
    )
  return ok(
    `net.ipv4.vs.conntrack is ${value}, netfilter ${tracked ? 'tracks connections' : 'does not track connections (no nf_conntrack)'}`,
  )
}

function reversePath(facts: Facts): Finding | undefined {
  const value = facts.sysctl('ipv4.conf.all.rp_filter')
  if (value === undefined || !(uses(facts, 'direct-route') || uses(facts, 'tunnel'))) return undefined
  const strict = Object.keys(facts.reversePath).filter(name => facts.reversePath[name] === 1)
  if (value !== 1 && strict.length === 0) return ok(`net.ipv4.conf.all.rp_filter is ${value}, and no interface is strict`)
  const where = value === 1 ? 'net.ipv4.conf.all.rp_filter is 1' : `rp_filter of ${strict.join(', ')} is 1`
  return warning(
    `${where}: packets of clients that come by another interface than the route back to them are dropped`,
    setting(facts, 'ipv4.conf.all.rp_filter', 2),
  )
}

function arp(facts: Facts): Finding | undefined {
  if (!uses(facts, 'direct-route')) return undefined
  const [ignore, announce] = [facts.sysctl('ipv4.conf.all.arp_ignore'), facts.sysctl('ipv4.conf.all.arp_announce')]
  if (ignore === undefined || announce === undefined) return undefined
  return ok(
    `a direct-routing real server must keep the virtual address to itself: there, sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 (here ${ignore} and ${announce})`,
  )
}

function connReuseMode(facts: Facts): Finding | undefined {
  const value = facts.sysctl('ipv4.vs.conn_reuse_mode')
  if (value === undefined) return undefined
  if (value !== 0) return ok(`${value}: a source port that is used again is scheduled again`)
  return warning(
    '0: a client that uses a source port again stays with a server that is drained',
    setting(facts, 'ipv4.vs.conn_reuse_mode', 1),
  )
}

function expireNodestConn(facts: Facts): Finding | undefined {
  const value = facts.sysctl('ipv4.vs.expire_nodest_conn')
  if (value === undefined) return undefined
  if (value !== 0) return ok(`${value}: connections to a removed server end at once`)
  const text = '0: packets of connections to a removed server vanish until their time is up'
  return facts.virtualServers.length === 0 ? ok(text) : warning(text, setting(facts, 'ipv4.vs.expire_nodest_conn', 1))
}

function expireQuiescentTemplate(facts: Facts): Finding | undefined {
  const value = facts.sysctl('ipv4.vs.expire_quiescent_template')
  if (value === undefined) return undefined
  if (value !== 0) return ok(`${value}: persistent clients leave a server with weight 0`)
  const text = '0: persistent clients keep coming to a server with weight 0'
  const persistent = facts.virtualServers.some(({ persistence }) => persistence !== undefined)
  return persistent ? warning(text, setting(facts, 'ipv4.vs.expire_quiescent_template', 1)) : ok(text)
}

function nfTables({ modules }: Facts): Finding {
  switch (modules.nf_tables) {
    case 'loaded':
      return ok('loaded')
    case 'built-in':
      return ok('built into the kernel')
    case 'loadable':
      return ok('can be loaded')
    default:
      return warning('not in this kernel, as far as can be seen: nothing needs it today, later versions of ts-ipvs will')
  }
}

/** The command, in the namespace that was asked about. */
function inNamespace({ netns }: Facts, command: string): string {
  if (netns === undefined) return command
  if (/^\d+$/.test(netns)) return `nsenter --net=/proc/${netns}/ns/net ${command}`
  return netns.includes('/') ? `nsenter --net=${quoted(netns)} ${command}` : `ip netns exec ${quoted(netns)} ${command}`
}

const setting = (facts: Facts, name: string, value: number): string => inNamespace(facts, `sysctl -w net.${name}=${value}`)

/** For a shell. */
const quoted = (word: string): string => (/^[\w./:@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)
