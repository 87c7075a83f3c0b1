/** What runs in a network namespace of the bench's own, on the host's kernel. */
import { nativeTransport } from '../../../lib/netlink/native.js'
import type { Transport } from '../../../lib/netlink/transport.js'
import type { NftClient } from '../../../lib/nft/client.js'
import { open } from '../../../lib/nft/open.js'
import type { Command } from '../../../lib/nft/types.js'
import { quiet } from '../shell.js'
import { table } from './objects.js'

/** A client that knows the generation already, as any client does that is not new. */
export async function connect(around = (transport: Transport): Transport => transport): Promise<NftClient> {
  const nf = await open({ transport: around(nativeTransport()) })
  await nf.generation()
  return nf
}

/** Milliseconds that a transaction takes. */
export async function timeCommit(nf: NftClient, commands: readonly Command[]): Promise<number> {
  const start = performance.now()
  await nf.commit(commands)
  return performance.now() - start
}

/** Removes the table by way of another client, and waits until the kernel has taken it apart. */
export async function remove(): Promise<void> {
  const nf = await connect()
  await nf.commit([{ delete: { table } }])
  await nf.close()
  await quiet(1)
}
