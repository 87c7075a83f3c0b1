/** EPERM for a message as a whole: the kernel asks for CAP_NET_ADMIN in the user namespace that owns the network namespace. */
import { readFileSync } from 'node:fs'

/** CAP_NET_ADMIN */
const NET_ADMIN = 1n << 12n

/** Why this process may not do what needs CAP_NET_ADMIN. */
export function whyNotPermitted(): string {
  if (!hasNetAdmin())
    return 'CAP_NET_ADMIN is needed: run as root, or with `setcap cap_net_admin+ep`, or in a container with --cap-add NET_ADMIN'
  return (
    'this process has CAP_NET_ADMIN, but not in the user namespace that owns the network namespace: ' +
    'make both together (`unshare --user --map-root-user --net`), or run outside of the user namespace'
  )
}

function hasNetAdmin(): boolean {
  try {
    const [, effective = '0'] = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/thread-self/status', 'latin1')) ?? []
    return (BigInt(`0x${effective}`) & NET_ADMIN) !== 0n
  } catch {
    return false
  }
}
