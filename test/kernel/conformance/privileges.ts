/** Who may give orders to IPVS, and what the others are told. */
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import type { Case, LinuxContext } from '../support/case.js'

const ATTEMPT = fileURLToPath(new URL('../support/attempt.js', import.meta.url))
const NOBODY = 'setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all %'
/** In a mount namespace where /proc/sys is as in a container. */
const READ_ONLY = "unshare --mount sh -c 'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec %'"

/** The errors of some calls in one process that is started so. */
async function attempt({ sh }: LinuxContext, as: string, ...words: string[]): Promise<Record<string, unknown>[]> {
  const outcomes: { error?: Record<string, unknown> }[] = JSON.parse(
    await sh(as.replace('%', `${process.execPath} ${ATTEMPT} ${words.join(' ')}`)),
  )
  return outcomes.map(({ error }) => {
    assert.ok(error, 'it was refused')
    return error
  })
}

function check(error: Record<string, unknown>, expected: Record<string, unknown>, reason: RegExp): void {
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map(key => [key, error[key]])), expected)
  assert.match(String(error.reason), reason)
}

/** Methods of attempt.ts, and the operation that they end in. */
const METHODS = { info: 'info', add: 'addVirtualServer', run: 'flush', capabilities: 'addVirtualServer' }
const OPERATIONS = Object.values(METHODS)

export const cases: readonly Case[] = [
  {
    name: 'without privileges every command, entering a namespace, and writing a sysctl are refused with "not-permitted", each with what to do',
    needs: 'linux',
    async run(context) {
      await (await context.open()).info()
      const words = [...Object.keys(METHODS), `info@${context.netns}`, 'setSysctl']
      const errors = await attempt(context, NOBODY, ...words)
      const [setSysctl = {}, open = {}] = [errors.pop(), errors.pop()]
      for (const [i, error] of errors.entries())
        check(
          error,
          { problem: 'not-permitted', code: 'EPERM', errno: -1, operation: OPERATIONS[i], applied: 'no' },
          /CAP_NET_ADMIN is needed: run as root, or with `setcap cap_net_admin\+ep`, or in a container with --cap-add NET_ADMIN/,
        )
      const target = `network namespace ${context.netns}`
      check(
        open,
        { problem: 'not-permitted', code: 'EPERM', operation: 'open', target, syscall: 'setns' },
        /needs CAP_SYS_ADMIN: run as root/,
      )
      check(
        setSysctl,
        { problem: 'not-permitted', code: 'EACCES', operation: 'setSysctl', target: 'drop_entry' },
        /run as root of the initial user namespace/,
      )
    },
  },
  {
    name: 'in a user namespace every command is refused with "in-user-namespace", for root there is not root enough',
    needs: 'linux',
    async run(context) {
      const errors = await attempt(context, 'unshare --user --map-root-user --net %', ...Object.keys(METHODS))
      for (const [i, error] of errors.entries())
        check(
          error,
          { problem: 'in-user-namespace', code: 'EPERM', errno: -1, operation: OPERATIONS[i], applied: 'no' },
          /only from the initial user namespace: run on the host as root, or in a privileged container/,
        )
    },
  },
  {
    name: 'a sysctl that is mounted read-only is refused with "not-permitted", which tells of the mount',
    needs: 'linux',
    async run(context) {
      await (await context.open()).info()
      const [error = {}] = await attempt(context, READ_ONLY, 'setSysctl')
      check(
        error,
        { problem: 'not-permitted', code: 'EROFS', operation: 'setSysctl', target: 'drop_entry' },
        /mounted read-only here, as in an unprivileged container/,
      )
    },
  },
]
