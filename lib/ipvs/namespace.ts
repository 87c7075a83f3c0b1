/** Which network namespace a client works in, of which start of the machine. */
import { NetlinkError } from '../netlink/error.js'
import type { Kernel } from './kernel.js'

/** The kernel makes another one up each time that it starts. */
export const BOOT_ID = '/proc/sys/kernel/random/boot_id'

export async function namespaceId(kernel: Kernel): Promise<string> {
  const { files } = kernel // throws when the client is closed
  const { namespace } = kernel.writes.channel.open()
  if (namespace === undefined)
    throw unidentified('the kernel tells neither a cookie of the namespace (Linux 5.14) nor its file (SIOCGSKNS)')
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of files.readFile(BOOT_ID)) chunks.push(chunk)
  } catch (cause) {
    throw unidentified(`${BOOT_ID} can not be read: mount /proc`, cause)
  }
  return `${Buffer.concat(chunks).toString('latin1').trim()}/${namespace}`
}

function unidentified(reason: string, cause?: unknown): NetlinkError {
  return new NetlinkError({
    errno: 0,
    code: 'ERR_NO_NAMESPACE_ID',
    operation: 'namespaceId',
    problem: 'not-supported',
    reason: `nothing identifies this network namespace: ${reason}`,
    cause,
  })
}
