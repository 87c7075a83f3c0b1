/** What a proxy makes in the kernel of a node, in an order of ours, so that it can be compared. */
import { type IpvsClient, open as openIpvs } from '../../../lib/ipvs/index.js'
import { sh } from '../support/linux.js'
import type { ProxyContext } from './cluster.js'
import { type NodeName, nodeNamespace } from './topology.js'

/** What the proxy sets of IPVS: cleanup gives it back. */
const SETTINGS = ['conntrack', 'expire_nodest_conn', 'expire_quiescent_template', 'conn_reuse_mode'] as const

/** Tables without counts, local routes, and of IPVS all virtual servers and settings. */
export async function stateOf({ options }: Pick<ProxyContext, 'options'>, node: NodeName): Promise<string> {
  const inside = (command: string): Promise<string> => sh(`ip netns exec ${nodeNamespace(node)} ${command}`)
  const tables = await Promise.all(
    ['ip', 'ip6', 'arp'].map(family => inside(`nft -s list table ${family} ts-ipvs 2>/dev/null || echo no table`)),
  )
  const routes = await Promise.all(['-4', '-6'].map(family => inside(`ip ${family} route show table local proto 114`)))
  const ipvs = options.backend === 'ipvs' ? await onIpvs(node) : undefined
  const blocks = tables.flatMap(blocksOf).filter(block => !ipvs || !isSpare(block))
  return [...blocks, ...routes, ...(ipvs ?? [])].join('\n')
}

async function onIpvs(node: NodeName): Promise<readonly string[]> {
  await using lvs = await openIpvs({ netns: { name: nodeNamespace(node) } })
  const settings = await Promise.all(SETTINGS.map(async name => `${name} ${await lvs.sysctl(name)}`))
  return [...(await virtualServers(lvs)), ...settings]
}

/** A line each, with all that its real servers are. */
export async function virtualServers(lvs: IpvsClient): Promise<readonly string[]> {
  const { virtualServers } = await lvs.snapshot()
  return virtualServers
    .map(({ realServers, ...virtualServer }) => {
      const servers = realServers.map(({ address, port, weight, forwarding }) => `${address} ${port} ${weight} ${forwarding}`)
      return `${JSON.stringify(virtualServer)} ${servers.sort().join(', ')}`
    })
    .sort()
}

/**
 * Chains that choose, and slots: with IPVS they serve until virtual servers do, and stay. Which of them were needed depends on what was found.
 */
const isSpare = (block: string): boolean =>
  /^chain (choose|to|stick)-/.test(block) || (/^(map slot|set sticky)-/.test(block) && !block.includes('elements'))

const blocksOf = (table: string): readonly string[] =>
  table
    .trim()
    .replace(/\n}$/, '')
    .split(/\n(?=\t(?:map|set|chain) )/)
    .map(block =>
      block
        .replaceAll(/elements = \{[^}]*\}/g, elements =>
          elements
            .split(/[,\s]+/)
            .sort()
            .join(' '),
        )
        .trim(),
    )
    .sort()
