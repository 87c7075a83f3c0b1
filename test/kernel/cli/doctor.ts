/** What the doctor finds on a real kernel, and that its commands mend it. */
import assert from 'node:assert/strict'
import type { Check } from '../../../lib/cli/doctor/checks.js'
import type { Case, LinuxContext } from '../support/case.js'
import { PROGRAM } from './program.js'

interface Report {
  readonly usable: boolean
  readonly checks: readonly Check[]
}

/** Runs the doctor, by another program where that is given, and checks its status. */
async function doctor({ sh }: LinuxContext, words: string, by = ''): Promise<Report> {
  const output = await sh(`${by} ${process.execPath} ${PROGRAM} doctor --json ${words}; echo status $?`)
  const [, json = '', status] = /^(.*)\nstatus (\d+)\n$/s.exec(output) ?? []
  const report = JSON.parse(json) as Report
  assert.equal(status, report.usable ? '0' : '1')
  return report
}

/** Names of the checks that are not ok, with their commands. */
function ailments({ checks }: Report): Record<string, string | undefined> {
  return Object.fromEntries(checks.filter(({ status }) => status !== 'ok').map(({ name, remedy }) => [name, remedy]))
}

const web = { protocol: 'tcp', address: '127.0.0.10', port: 80 } as const

export const cases: readonly Case[] = [
  {
    name: 'doctor tells the commands that mend a new namespace; after them nothing is left to mend',
    needs: 'linux',
    lo: 'down',
    async run(context) {
      const { netns, sh } = context
      const lvs = await context.open()
      await lvs.addVirtualServer({ ...web, scheduler: 'rr', persistence: {} })
      await lvs.setSysctl('conn_reuse_mode', 0)
      const before = await doctor(context, `--netns ${netns}`)
      const inside = `ip netns exec ${netns}`
      const { nf_tables: _, conntrack: __, ...mendable } = ailments(before)
      assert.equal(before.usable, true)
      assert.deepEqual(mendable, {
        loopback: `${inside} ip link set lo up`,
        conn_reuse_mode: `${inside} sysctl -w net.ipv4.vs.conn_reuse_mode=1`,
        expire_nodest_conn: `${inside} sysctl -w net.ipv4.vs.expire_nodest_conn=1`,
        expire_quiescent_template: `${inside} sysctl -w net.ipv4.vs.expire_quiescent_template=1`,
      })
      for (const command of Object.values(mendable)) await sh(command ?? '')
      await lvs.addRealServer(web, { address: '127.0.0.11', port: 8080 })
      const used = ailments(await doctor(context, `--netns /run/netns/${netns}`))
      assert.equal(used.forwarding, `nsenter --net=/run/netns/${netns} sysctl -w net.ipv4.ip_forward=1`)
      for (const command of Object.values(used)) await sh(command ?? '')
      const { nf_tables: ___, ...left } = ailments(await doctor(context, `--netns ${netns}`))
      assert.deepEqual(left, {})
      assert.equal((await lvs.listVirtualServers().toArray()).length, 1, 'and nothing is left of what was tried')
    },
  },
  {
    name: 'doctor tells how to load the module where the kernel does not do it',
    needs: 'linux',
    async run(context) {
      const { sh } = context
      await context.unloadModules()
      context.after(() => sh('sysctl -w kernel.modprobe=/sbin/modprobe'))
      await sh("sysctl -w kernel.modprobe=''")
      const report = await doctor(context, '')
      const { module, IPVS, autoload } = ailments(report)
      assert.deepEqual(
        { usable: report.usable, module, IPVS, autoload },
        {
          usable: false,
          module: 'modprobe ip_vs',
          IPVS: 'modprobe ip_vs',
          autoload: 'sysctl -w kernel.modprobe=/sbin/modprobe',
        },
      )
      await sh('modprobe ip_vs && modprobe ip_vs_rr')
      const loaded = ailments(await doctor(context, ''))
      assert.match(loaded.schedulers ?? '', /^modprobe -a ip_vs_wrr ip_vs_lc /)
      for (const command of [loaded.schedulers, loaded['persistence engines'], loaded.autoload]) await sh(command ?? '')
      const mended = await doctor(context, '')
      assert.equal(mended.usable, true)
      for (const name of ['module', 'IPVS', 'schedulers', 'persistence engines', 'autoload'])
        assert.equal(mended.checks.find(check => check.name === name)?.status, 'ok', name)
    },
  },
  ...(
    [
      ['without privileges', 'setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all', 'sudo ts-ipvs doctor'],
      ['as root without CAP_NET_ADMIN', 'setpriv --bounding-set=-net_admin', 'docker run --cap-add NET_ADMIN'],
      ['in a user namespace', 'unshare --user --map-root-user --net', 'docker run --userns=host --cap-add NET_ADMIN'],
    ] as const
  ).map(
    ([words, by, remedy]): Case => ({
      name: `doctor ${words} tells what it takes`,
      needs: 'linux',
      async run(context) {
        await (await context.open()).info()
        const report = await doctor(context, '', by)
        assert.equal(report.usable, false)
        assert.equal(ailments(report).privileges, remedy)
        assert.equal(report.checks.find(({ name }) => name === 'module')?.status, 'ok')
      },
    }),
  ),
]
