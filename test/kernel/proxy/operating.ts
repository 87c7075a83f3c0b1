/** What an operator sees of a proxy, with real packets. */
import assert from 'node:assert/strict'
import type { Case } from '../nft/case.js'
import { CLIENT, network, SERVICE, target } from '../nft/traffic/network.js'
import { EXTERNAL, OTHER, other, perVersion, served, service, slice } from './rig.js'

export const operating: readonly Case[] = [
  ...perVersion('who is refused is counted by Service, and the table says whose elements are', async (context, version) => {
    const { attempt, ask } = await network(context)
    const range = { type: 'LoadBalancer', clusterIP: OTHER[version], loadBalancerSourceRanges: [CLIENT[version]] } as const
    const guarded = {
      ...service(version, range, 'guarded'),
      status: { loadBalancer: { ingress: [{ ip: EXTERNAL[version] }] } },
    }
    const { proxy } = await served(context, service(version), guarded, slice(version, [1], 'guarded'))
    assert.equal(await attempt(target('tcp', SERVICE[version], 80)), 'ECONNREFUSED')
    assert.equal(await attempt(target('tcp', SERVICE[version], 80)), 'ECONNREFUSED')
    assert.equal((await ask(target('tcp', EXTERNAL[version], 80), 5)).length, 5)
    assert.equal(await attempt(target('tcp', EXTERNAL[version], 80, other(version)), 500), 'silence')
    const counted = (await proxy.refusals()).filter(({ packets }) => packets > 0)
    const family = version === 'ip' ? 'ipv4' : 'ipv6'
    assert.deepEqual(counted, [
      { family, service: 'default/guarded:tcp', reason: 'source-ranges', verdict: 'drop', packets: 1 },
      { family, service: 'default/web:tcp', reason: 'no-endpoints', verdict: 'reject', packets: 2 },
    ])
    assert.match(await context.inside(`nft list map ${version} ts-ipvs denied`), /comment "default\/guarded:tcp"/)
  }),
]
