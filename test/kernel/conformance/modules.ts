/** The module ip_vs, taken from under a client. Nothing else may run then: these come last. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import type { Case, LinuxContext } from '../support/case.js'
import { all, refused } from '../support/expect.js'

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
/** The program that the kernel loads modules with. */
const HELPER = '/proc/sys/kernel/modprobe'

/** The kernel can load no module until the case is over. */
function loadNothing({ after }: LinuxContext): void {
  const helper = readFileSync(HELPER, 'utf8')
  writeFileSync(HELPER, '/bin/false\n')
  after(() => writeFileSync(HELPER, helper))
}

export const cases: readonly Case[] = [
  {
    name: 'a client goes on when the module was unloaded and loaded in between: the family has another number, the tables are empty',
    needs: 'linux',
    async run(context) {
      const lvs = await context.open()
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      const before = await context.raw().family()
      await lvs.flush()
      await context.unloadModules()
      await context.sh('modprobe ip_vs')
      assert.notEqual(await context.raw().family(), before)
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      assert.equal((await lvs.snapshot()).virtualServers.length, 1)
      await lvs.flush()
      await context.unloadModules()
      await context.sh('modprobe ip_vs')
      const results = await lvs.run([
        { operation: 'addVirtualServer', virtualServer: { ...web, scheduler: 'rr' } },
        { operation: 'addRealServer', virtualServer: web, realServer: { address: '10.1.0.1', port: 80 } },
        { operation: 'removeVirtualServer', virtualServer: { ...web, port: 81 } },
      ])
      assert.deepEqual(
        results,
        [{ ok: true }, { ok: true }, { ok: true, found: false, missing: 'virtual-server' }],
        'and a batch',
      )
    },
  },
  {
    name: 'the first call loads the module, and a scheduler is loaded when it is first named',
    needs: 'linux',
    async run(context) {
      await context.unloadModules()
      assert.doesNotMatch(readFileSync('/proc/modules', 'utf8'), /^ip_vs/m)
      const lvs = await context.open()
      assert.equal((await lvs.info()).version, '1.2.1')
      await lvs.addVirtualServer({ ...web, scheduler: 'sed' })
      assert.match(readFileSync('/proc/modules', 'utf8'), /^ip_vs_sed /m)
    },
  },
  {
    name: 'where the module is missing and can not be loaded, every call is refused with "family-unavailable"',
    needs: 'linux',
    async run(context) {
      const lvs = await context.open()
      await lvs.info()
      await context.unloadModules()
      loadNothing(context)
      const calls = {
        info: () => lvs.info(),
        addVirtualServer: () => lvs.addVirtualServer(web),
        listVirtualServers: () => lvs.listVirtualServers().toArray(),
        run: () => lvs.run([{ operation: 'flush' }]),
        stopSyncDaemon: () => lvs.stopSyncDaemon('master'),
        plan: () => lvs.plan([web]),
      }
      for (const [operation, call] of Object.entries(calls))
        await refused(call(), {
          problem: 'family-unavailable',
          code: 'ENOENT',
          operation,
          reason: /no generic netlink family IPVS: load the module \(modprobe ip_vs\); in a container load it on the host/,
        })
      const { available, reason } = await lvs.capabilities()
      assert.deepEqual([available, reason?.problem], [false, 'family-unavailable'])
      assert.deepEqual(await lvs.sysctls(), {})
      await refused(lvs.setSysctl('drop_entry', 3), { problem: 'not-supported', code: 'ENOENT', reason: /modprobe ip_vs/ })
      await assert.rejects(all(lvs.connections()), { code: 'ENOENT' })
    },
  },
  {
    name: 'where a scheduler can not be loaded, it is refused with "no-such-scheduler", and those that are there serve',
    needs: 'linux',
    async run(context) {
      await context.unloadModules()
      await context.sh('modprobe -a ip_vs ip_vs_wrr')
      loadNothing(context)
      const lvs = await context.open()
      await refused(lvs.addVirtualServer({ ...web, scheduler: 'rr' }), {
        problem: 'no-such-scheduler',
        code: 'ENOENT',
        operation: 'addVirtualServer',
        reason: /no scheduler rr: load its module \(modprobe ip_vs_rr\)/,
      })
      await refused(lvs.addVirtualServer({ ...web, scheduler: 'wrr', persistence: { engine: 'sip' } }), {
        problem: 'no-such-persistence-engine',
        code: 'ENOENT',
        reason: /no persistence engine sip \(modprobe ip_vs_pe_sip\)/,
      })
      assert.deepEqual(await lvs.schedulers(), ['wrr'])
      await lvs.addVirtualServer({ ...web, scheduler: 'wrr' })
    },
  },
]
