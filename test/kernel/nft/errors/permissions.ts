/** Who may not, and why: asked in processes that lack what they need. */
import assert from 'node:assert/strict'
import { type Case, type LinuxContext, Skip } from '../case.js'

const library = new URL('../../../../lib/nft/index.js', import.meta.url)

/** A program that prints what `commands` come to. */
const program = (commands: string): string => `
  import { open } from '${library}'
  const nf = await open()
  const commands = ${commands}
  try {
    console.log(JSON.stringify(await nf.commit(commands)))
  } catch ({ name, message, code, problem, outcome, failures }) {
    console.log(JSON.stringify({ name, message, code, problem, outcome, failures: failures.length }))
  }
  await nf.close()
`

const TABLE = "[{ add: { table: { family: 'inet', name: 'web' } } }]"
/** More than 8 MB, which is twice of what wmem_max is on any system here. */
const LARGE = `[
  { add: { table: { family: 'inet', name: 'web' } } },
  { add: { chain: { family: 'inet', table: 'web', name: 'in' } } },
  ...Array.from({ length: 6000 }, () => ({
    add: { rule: { family: 'inet', table: 'web', chain: 'in', expressions: Array.from({ length: 100 }, () => ({ kind: 'counter' })) } },
  })),
]`

interface Printed {
  readonly message?: string
  readonly generation?: number
}

async function run({ sh }: LinuxContext, prefix: string, commands: string): Promise<Printed> {
  const script = program(commands).replaceAll('"', '\\"').replaceAll('`', '\\`')
  return JSON.parse(await sh(`${prefix} ${process.execPath} --input-type=module -e "${script}"`)) as Printed
}

/** Some systems allow no user namespaces. */
async function needUserNamespaces({ sh }: LinuxContext): Promise<void> {
  await sh('unshare --user --map-root-user --net true').catch(() => {
    throw new Skip('user namespaces are not allowed here')
  })
}

const refused = { name: 'TransactionError', code: 'EPERM', problem: 'not-permitted', outcome: 'rolled-back', failures: 1 }

export const cases: readonly Case[] = [
  {
    name: 'without CAP_NET_ADMIN a transaction is refused, with what is needed',
    needs: 'linux',
    async run(context) {
      const nf = await context.open()
      const before = await nf.snapshot()
      const { message, ...printed } = await run(
        context,
        `ip netns exec ${context.netns} setpriv --bounding-set=-net_admin`,
        TABLE,
      )
      assert.deepEqual(printed, refused)
      const { message: _, ...ofFunction } = await run(
        context,
        `ip netns exec ${context.netns} setpriv --bounding-set=-net_admin`,
        '() => []',
      )
      assert.deepEqual(ofFunction, refused)
      assert.match(String(message), /^commit: CAP_NET_ADMIN is needed: run as root, or .*; nothing was changed \(EPERM\)$/)
      assert.deepEqual(await nf.snapshot(), before)
    },
  },
  {
    name: 'CAP_NET_ADMIN of another user namespace than that of the network namespace is not enough, and that is what is said',
    needs: 'linux',
    async run(context) {
      await needUserNamespaces(context)
      const nf = await context.open()
      const before = await nf.snapshot()
      const prefix = `ip netns exec ${context.netns} unshare --user --map-root-user`
      const { message, ...printed } = await run(context, prefix, TABLE)
      assert.deepEqual(printed, refused)
      assert.match(
        String(message),
        /^commit: this process has CAP_NET_ADMIN, but not in the user namespace that owns the network namespace: .* \(EPERM\)$/,
      )
      assert.deepEqual(await nf.snapshot(), before)
    },
  },
  {
    name: 'with a user namespace and a network namespace of its own nobody has to be root',
    needs: 'linux',
    async run(context) {
      await needUserNamespaces(context)
      const { generation } = await run(context, 'unshare --user --map-root-user --net', TABLE)
      assert.ok((generation ?? 0) > 1)
    },
  },
  {
    name: 'a transaction too large for a user namespace names the sysctl, where to raise it, and to what',
    needs: 'linux',
    async run(context) {
      await needUserNamespaces(context)
      const { message, ...printed } = await run(context, 'unshare --user --map-root-user --net', LARGE)
      assert.deepEqual(printed, { ...refused, code: 'EMSGSIZE', problem: 'too-large', failures: 0 })
      const [, bytes, granted, needed] =
        /has (\d+) bytes, and the kernel takes at most (\d+) .* initial user namespace, or raise net\.core\.wmem_max there to (\d+)/.exec(
          String(message),
        ) ?? []
      assert.ok(Number(bytes) > Number(granted) && 2 * Number(needed) - 32 >= Number(bytes), message)
    },
  },
]
