/** What a program of CommonJS modules does with the installed package. */
import assert = require('node:assert/strict')
import tsIpvs = require('ts-ipvs')
import ipvs = require('ts-ipvs/ipvs')
import netlink = require('ts-ipvs/netlink')
import testing = require('ts-ipvs/testing')

const web: ipvs.VirtualServerConfig = { protocol: 'tcp', address: '192.0.2.1', port: 80, scheduler: 'rr' }
// @ts-expect-error: a port is a number
const wrong: tsIpvs.ipvs.VirtualServerKey = { ...web, port: '80' }

async function main(): Promise<void> {
  const memory = await tsIpvs.ipvs.open({ transport: testing.memoryKernel() })
  await memory.addVirtualServer(web)
  await assert.rejects(memory.addVirtualServer(web), error => error instanceof tsIpvs.NetlinkError && error.problem === 'exists')
  await assert.rejects(memory.addVirtualServer(wrong), TypeError)
  const { virtualServers } = await memory.snapshot()
  assert.match(ipvs.formatTable(virtualServers, await memory.info()), /TCP {2}192\.0\.2\.1:80 rr/)
  await memory.close()

  const imported = await import('ts-ipvs')
  assert.equal(imported.NetlinkError, tsIpvs.NetlinkError)
  assert.equal(netlink.NetlinkError, tsIpvs.NetlinkError)

  const kernel = await ipvs.open({ transport: netlink.nativeTransport() })
  const answer = await kernel.info().then(
    () => 'as asked',
    ({ problem }: tsIpvs.NetlinkError) => problem,
  )
  await kernel.close()
  console.log(`the kernel answered: ${answer}`)
}

void main()
