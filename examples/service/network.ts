/**
 * The network of the story, of network namespaces and the cables between them:
 *
 *                                     ┌── one ────────── web-1
 *     client ──────── device ─────────┤   10.0.0.11      10.244.1.1
 *     192.0.2.10      203.0.113.80    │
 *                     192.0.2.1       └── two ──────┬─── web-2
 *                     10.0.0.1            10.0.0.12 │    10.244.2.1
 *                                                   └─── web-3
 *                                                        10.244.2.2
 *
 * The client is this process, in the namespace that it was started in; the device is a router with a switch for the nodes.
 */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { route } from 'ts-ipvs'

export const CLIENT = '192.0.2.10'
export const NODES = { one: '10.0.0.11', two: '10.0.0.12' } as const
export const PODS = { 'web-1': '10.244.1.1', 'web-2': '10.244.2.1', 'web-3': '10.244.2.2' } as const

type Routes = Awaited<ReturnType<typeof route.open>>

/** Makes the namespaces of the others. All of them forward packets; those that get none for others are none the worse for it. */
export async function makeNamespaces(): Promise<void> {
  await using here = await route.open()
  if ((await here.links()).some(({ up }) => up))
    throw new Error('there is a network here already: run this in a namespace of its own, with scripts/in-namespace')
  const make = async (name: string): Promise<void> => {
    const file = `/run/netns/${name}`
    await writeFile(file, '')
    await promisify(execFile)('unshare', [`--net=${file}`, 'sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward'])
  }
  await Promise.all(['device', ...Object.keys(NODES), ...Object.keys(PODS)].map(make))
}

/** Lays the cables. */
export async function connect(): Promise<void> {
  await using client = await route.open()
  await using device = await cable(client, 'eth0', 'device', 'outside')
  await client.addAddress({ device: 'eth0', address: CLIENT, prefixLength: 24 })
  await client.addRoute({ destination: '0.0.0.0/0', gateway: '192.0.2.1', device: 'eth0' })

  await device.addLink({ name: 'switch', kind: 'bridge', up: true })
  await device.addAddress({ device: 'outside', address: '192.0.2.1', prefixLength: 24 })
  await device.addAddress({ device: 'switch', address: '10.0.0.1', prefixLength: 24 })
  await device.addAddress({ device: 'lo', address: '203.0.113.80' })

  for (const [name, address] of Object.entries(NODES)) {
    await using node = await cable(device, name, name, 'eth0')
    await device.changeLink(name, { master: 'switch' })
    await node.addAddress({ device: 'eth0', address, prefixLength: 24 })
    await node.addRoute({ destination: '0.0.0.0/0', gateway: '10.0.0.1' })
    const [ownPods, otherPods, other] =
      name === 'one' ? ['10.244.1.', '10.244.2.0/24', NODES.two] : ['10.244.2.', '10.244.1.0/24', NODES.one]
    await node.addRoute({ destination: otherPods, gateway: other })

    for (const [podName, podAddress] of Object.entries(PODS)) {
      if (!podAddress.startsWith(ownPods)) continue
      await using pod = await cable(node, podName, podName, 'eth0')
      await node.addRoute({ destination: podAddress, device: podName })
      await pod.addAddress({ device: 'eth0', address: podAddress })
      await pod.addRoute({ destination: '0.0.0.0/0', gateway: address, device: 'eth0', flags: ['onlink'] })
    }
  }
}

/** A cable from here to another namespace. */
async function cable(here: Routes, name: string, netns: string, farName: string): Promise<Routes> {
  const end = `${netns}-end`
  await here.addLink({ name, kind: 'veth', peer: { name: end } })
  await here.moveLink(end, { name: netns })
  const far = await route.open({ netns: { name: netns } })
  await far.changeLink('lo', { up: true })
  await far.changeLink(end, { name: farName })
  await far.changeLink(farName, { up: true })
  await here.changeLink(name, { up: true })
  return far
}

/** Pulls the cable of a node out of the switch, or plugs it in. */
export async function plug(name: keyof typeof NODES, up: boolean): Promise<void> {
  await using device = await route.open({ netns: { name: 'device' } })
  await device.changeLink(name, { up })
}
