/** A load balancer outside of the cluster: its kernel gives each connection to a node, and only to nodes that are well. */
import { setTimeout as sleep } from 'node:timers/promises'
import { conntrack, ipvs, type Netns, nft } from 'ts-ipvs'
import type { Endpoint } from '../web.js'

/** What comes to an address, and the port of the nodes that it goes to. */
export interface Balanced extends Endpoint {
  readonly nodePort: number
}

/** Has new connections given to these nodes, and to no others. */
export type Spread = (nodes: readonly string[]) => Promise<void>

/** By IPVS: a virtual server, whose real servers are the nodes. */
export async function spreadByIpvs(netns: Netns, { nodePort, ...virtual }: Balanced): Promise<Spread> {
  const lvs = await ipvs.open({ netns })
  // Whoever is still waiting for a node that is gone gets another one when he asks again.
  await lvs.setSysctl('expire_nodest_conn', 1)
  return async nodes => {
    const realServers = nodes.map(address => ({ address, port: nodePort }))
    await lvs.apply(await lvs.plan([{ protocol: 'tcp', ...virtual, scheduler: 'rr', realServers }]))
  }
}

/** By nftables: a rule that translates the address, to one node after the other. */
export async function spreadByNftables(netns: Netns, { address, port, nodePort }: Balanced): Promise<Spread> {
  const { dnat, document, ip, numgen, table, tcp } = nft
  const nf = await nft.open({ netns })
  const tracked = await conntrack.open({ netns })
  const balancer = table('ip', 'balancer')
  const incoming = balancer.chain('incoming', { type: 'nat', hook: 'prerouting', priority: 'dstnat' })
  let before: readonly string[] = []
  return async nodes => {
    const turn = numgen.inc(nodes.length || 1).map('ipv4_addr', nodes)
    const rule = incoming.rule(ip.daddr.eq(address), tcp.dport.eq(port), dnat({ address: turn, port: nodePort }))
    const plan = await nf.plan(document(balancer, incoming, ...(nodes.length > 0 ? [rule] : [])))
    await nf.apply(plan.document)
    // The same for those whose connections are with a node that is gone, and has not answered yet.
    for (const gone of before.filter(node => !nodes.includes(node)))
      await tracked.deleteMatching({ protocol: 'tcp', state: 'syn-sent', reply: { source: gone } })
    before = nodes
  }
}

/**
 * Looks after the nodes: four times a second.
 *
 * @param isWell whether a node answers
 * @param changed is told which nodes get connections from now on
 */
export async function lookAfter(
  nodes: readonly string[],
  isWell: (node: string) => Promise<boolean>,
  spread: Spread,
  changed: (well: readonly string[]) => void,
): Promise<never> {
  for (let before = ''; ; await sleep(250)) {
    const answers = await Promise.all(nodes.map(isWell))
    const well = nodes.filter((_, i) => answers[i])
    if (well.join() === before) continue
    await spread(well)
    changed(well)
    before = well.join()
  }
}
