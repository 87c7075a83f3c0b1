/** A random batch against a model of it: every result and the final state are what the model says. */
import assert from 'node:assert/strict'
import type { Operation, RealServerConfig, VirtualServerConfig, VirtualServerKey } from '../../../lib/ipvs/index.js'
import { describeRealServer, describeVirtualServer } from '../../../lib/ipvs/index.js'
import type { Case } from '../support/case.js'
import { Random } from '../support/random.js'

const KEYS: VirtualServerKey[] = [
  { protocol: 'tcp', address: '10.0.0.1', port: 80 },
  { protocol: 'udp', address: '10.0.0.1', port: 80 },
  { protocol: 'tcp', address: '2001:db8::1', port: 80 },
  { firewallMark: 1, family: 'ipv4' },
  { firewallMark: 1, family: 'ipv6' },
]
const SCHEDULERS = ['rr', 'wrr', 'lc', 'sh']

type Table = Map<string, { scheduler: string; servers: Map<string, number> }>

function randomServer(random: Random, key: VirtualServerKey): RealServerConfig {
  const six = 'family' in key ? key.family === 'ipv6' : key.address.includes(':')
  const n = random.below(6)
  return { address: six ? `2001:db8:1::${n + 1}` : `10.1.0.${n + 1}`, port: 80, weight: random.below(100) }
}

function randomOperation(random: Random): Operation {
  const key = random.of(KEYS)
  const virtualServer: VirtualServerConfig = { ...key, scheduler: random.of(SCHEDULERS) }
  const realServer = randomServer(random, key)
  const die = random.below(100)
  if (die < 1) return { operation: 'flush' }
  if (die < 5) return { operation: 'removeVirtualServer', virtualServer: key }
  if (die < 25) return { operation: random.of(['addVirtualServer', 'updateVirtualServer', 'ensureVirtualServer']), virtualServer }
  if (die < 40) return { operation: 'removeRealServer', virtualServer: key, realServer }
  const operation = random.of(['addRealServer', 'updateRealServer', 'ensureRealServer'] as const)
  return { operation, virtualServer: key, realServer }
}

/** Carries out an operation on the model, and tells what the kernel will say. */
function expected(table: Table, operation: Operation): string {
  if (operation.operation === 'flush') {
    table.clear()
    return 'ok'
  }
  if (operation.operation === 'zero') return 'ok'
  const name = describeVirtualServer(operation.virtualServer)
  const found = table.get(name)
  if (!('realServer' in operation)) {
    const { scheduler = 'wlc' } = operation.virtualServer as VirtualServerConfig
    if (operation.operation === 'removeVirtualServer') return table.delete(name) ? 'ok' : 'not found'
    if (operation.operation === 'addVirtualServer' && found) return 'exists'
    if (operation.operation === 'updateVirtualServer' && !found) return 'no-such-virtual-server'
    table.set(name, { scheduler, servers: found?.servers ?? new Map() })
    return 'ok'
  }
  const server = describeRealServer(operation.realServer)
  if (operation.operation === 'removeRealServer') return found?.servers.delete(server) ? 'ok' : 'not found'
  if (!found) return 'no-such-virtual-server'
  if (operation.operation === 'addRealServer' && found.servers.has(server)) return 'exists'
  if (operation.operation === 'updateRealServer' && !found.servers.has(server)) return 'no-such-real-server'
  found.servers.set(server, (operation.realServer as RealServerConfig).weight ?? 1)
  return 'ok'
}

export const cases: readonly Case[] = [1, 2, 3].map(
  (seed): Case => ({
    name: `a random batch of 800 operations does what a model of it says (seed ${seed})`,
    async run({ open }) {
      const lvs = await open()
      const random = new Random(seed)
      const table: Table = new Map()
      const operations = Array.from({ length: 800 }, () => randomOperation(random))
      const wanted = operations.map(operation => expected(table, operation))
      const results = await lvs.run(operations)
      const got = results.map(result =>
        result.ok
          ? result.found === false
            ? 'not found'
            : 'ok'
          : ((result.error as { problem?: string }).problem ?? String(result.error)),
      )
      assert.deepEqual(got, wanted)
      const { virtualServers } = await lvs.snapshot()
      const read: Table = new Map(
        virtualServers.map(vs => [
          describeVirtualServer(vs),
          {
            scheduler: vs.scheduler,
            servers: new Map(vs.realServers.map(server => [describeRealServer(server), server.weight])),
          },
        ]),
      )
      assert.deepEqual(read, table)
    },
  }),
)
