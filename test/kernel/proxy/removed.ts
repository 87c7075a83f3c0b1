/** After virtual servers were removed clients go on by rules, from the ports that they had. */
import assert from 'node:assert/strict'
import {
  addressOf,
  clientOf,
  nodeObjects,
  openOn,
  type ProxyCase,
  type ProxyContext,
  serviceObject,
  sliceObjects,
} from './cluster.js'
import { TestSource } from './rig.js'
import { FAMILIES, podName } from './topology.js'

const NUMBER = 224

async function run(context: ProxyContext): Promise<void> {
  const source = new TestSource()
  source.tell(...nodeObjects, serviceObject(NUMBER), ...sliceObjects(NUMBER, [{ node: 'two', pod: 1 }]))
  const { options } = context
  const before = await openOn(context, 'one', source)
  const next = await openOn({ options: { ...options, backend: 'nftables' } }, 'one', source)
  context.after(async () => {
    for (const proxy of [before, next]) {
      await proxy.cleanup()
      await proxy.close()
    }
  })
  await before.once()
  const holding = FAMILIES.map(async family => {
    const { peer, from } = clientOf(context.topology, 'remote', 'one', family)
    const { held } = await peer.hold({ protocol: 'udp', ...addressOf('external-ip', NUMBER, family, 'one'), from })
    return { family, peer, held }
  })
  const clients = await Promise.all(holding)
  await before.cleanup()
  await next.once()
  for (const { family, peer, held } of clients) {
    const answer = await peer.askHeld(held).catch((error: Error) => assert.fail(`${family}: ${error.message}`))
    assert.equal(answer.server, podName('two', 1), family)
    await peer.release(held)
  }
}

export const cases: readonly ProxyCase[] = [
  { name: 'UDP clients of virtual servers that were removed get answers by rules of nftables', needs: 'ipvs', run },
]
