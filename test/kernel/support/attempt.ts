/**
 * Tries calls of clients and prints what became of each as JSON, for cases that start it with fewer privileges:
 * `node attempt.js METHOD…`, each method with `@NETNS` behind it where it shall work in another namespace.
 */
import { NetlinkError, open } from '../../../lib/ipvs/index.js'

async function attempt(method: string | undefined, name: string | undefined): Promise<unknown> {
  await using lvs = await open(name === undefined ? {} : { netns: { name } })
  switch (method) {
    case 'info':
      return lvs.info()
    case 'add':
      return lvs.addVirtualServer({ firewallMark: 1, family: 'ipv4' })
    case 'run':
      return lvs.run([{ operation: 'flush' }]).then(([result]) => {
        if (!result?.ok) throw result?.error
      })
    case 'capabilities': {
      const { reason, ...others } = await lvs.capabilities()
      if (reason) throw reason
      return others
    }
    case 'setSysctl':
      return lvs.setSysctl('drop_entry', 3)
    default:
      throw new Error(`there is no method ${method}`)
  }
}

function describe(error: unknown): unknown {
  if (!(error instanceof NetlinkError)) return { message: String(error) }
  const { code, errno, problem, operation, target, reason, applied, syscall } = error
  return { code, errno, problem, operation, target, reason, applied, syscall }
}

const attempts = process.argv.slice(2).map(async word => {
  const [method, name] = word.split('@')
  return attempt(method, name).then(
    result => ({ result }),
    (error: unknown) => ({ error: describe(error) }),
  )
})
console.log(JSON.stringify(await Promise.all(attempts)))
