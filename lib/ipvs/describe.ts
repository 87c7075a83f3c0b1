/** Changes in words, a line each: `~ tcp 10.0.0.1:80 → 10.1.0.1:80  weight 1 → 3`. */
import type { Operation } from './batch.js'
import { describeRealServer } from './real-server.js'
import type { RealServerConfig, VirtualServerConfig, VirtualServerKey } from './types.js'
import { describeVirtualServer } from './virtual-server.js'
import type { Change } from './watch.js'

const SIGNS: Readonly<Record<string, string>> = {
  add: '+',
  ensure: '+',
  added: '+',
  update: '~',
  changed: '~',
  remove: '-',
  removed: '-',
}

/** An operation as a plan prints it. */
export function describeOperation(operation: Operation, note: string | undefined): string {
  const { virtualServer, realServer } = operation as { virtualServer: VirtualServerConfig; realServer?: RealServerConfig }
  const added = operation.operation === 'addVirtualServer' || operation.operation === 'addRealServer'
  const detail = note ?? (added ? summary(realServer ?? virtualServer) : undefined)
  return line(/^[a-z]+/.exec(operation.operation)?.[0], virtualServer, realServer, detail)
}

/** A change that `watch` found, in the words of a plan. */
export function describeChange(change: Change): string {
  const { type, virtualServer, before, after } = change
  const realServer = change.object === 'real-server' ? (change.after ?? change.before) : undefined
  const detail = before && after ? difference(before, after) : after && summary(after)
  return line(type, virtualServer, realServer, detail)
}

function line(verb = '', virtualServer: VirtualServerKey, realServer: RealServerConfig | undefined, detail?: string): string {
  const name = describeVirtualServer(virtualServer) + (realServer ? ` → ${describeRealServer(realServer)}` : '')
  return `${SIGNS[verb] ?? ' '} ${name}${detail ? `  ${detail}` : ''}`
}

/** What one most wants to know of something new. */
function summary(object: VirtualServerConfig | RealServerConfig): string | undefined {
  if ('firewallMark' in object || 'protocol' in object) return object.scheduler
  const { weight = 1, forwarding = 'masquerade' } = object as RealServerConfig
  return `weight ${weight} ${forwarding}`
}

/** `weight 1 → 3, forwarding masquerade → tunnel` */
export function difference(before: object, after: object): string {
  const old = before as Record<string, unknown>
  const wanted = after as Record<string, unknown>
  return [...new Set([...Object.keys(old), ...Object.keys(wanted)])]
    .filter(name => !/Connections$|^statistics$|^otherFlags$/.test(name) && show(old[name]) !== show(wanted[name]))
    .map(name => `${name} ${show(old[name])} → ${show(wanted[name])}`)
    .join(', ')
}

function show(value: unknown): string {
  return value === undefined ? 'default' : typeof value === 'object' ? JSON.stringify(value) : String(value)
}
