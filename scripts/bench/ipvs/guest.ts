/** What runs inside a kernel of the bench's own. */
import type { Operation } from '../../../lib/ipvs/batch.js'
import type { IpvsClient } from '../../../lib/ipvs/client.js'
import { open } from '../../../lib/ipvs/open.js'
import { nativeTransport } from '../../../lib/netlink/native.js'
import type { Transport } from '../../../lib/netlink/transport.js'
import { quiet, shell } from '../shell.js'

export async function loadModules(): Promise<void> {
  await shell.run('PATH=$PATH:/usr/sbin:/sbin; modprobe -a ip_vs ip_vs_rr')
}

export interface Namespace {
  readonly name: string
  readonly path: string
}

let count = 0

/**
 * A namespace for one run. It is always a new one: a real server that was removed stays in IPVS' trash for minutes, and every later
 * addition searches the trash (ip_vs_ctl.c, ip_vs_trash_get_dest).
 */
export async function inNewNamespace<T>(use: (netns: Namespace) => Promise<T>): Promise<T> {
  const name = `bench-${++count}`
  await shell.run(`ip netns add ${name}`)
  try {
    await shell.run(`ip -n ${name} link set lo up`)
    return await use({ name, path: `/run/netns/${name}` })
  } finally {
    await shell.run(`ip netns del ${name}`)
    await quiet()
  }
}

/** A client of a namespace that has asked for the family already, as any client has that is not new. */
export async function connect(netns: Namespace, around = (transport: Transport): Transport => transport): Promise<IpvsClient> {
  const lvs = await open({ transport: around(nativeTransport({ name: netns.name })) })
  await lvs.info()
  return lvs
}

/** Milliseconds that a batch takes, all of which has to succeed. */
export async function timeRun(lvs: IpvsClient, batch: readonly Operation[]): Promise<number> {
  const start = performance.now()
  const results = await lvs.run(batch)
  const time = performance.now() - start
  const failed = results.find(result => !result.ok)
  if (failed) throw failed.error
  return time
}

/** The tables of a namespace as ipvsadm would restore them. */
export function save(netns: Namespace): Promise<string> {
  return shell.run(`nsenter --net=${netns.path} ipvsadm -Sn`)
}
