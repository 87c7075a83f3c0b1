/** What each command has to be told (ip_vs_ctl.c: ip_vs_genl_parse_service, ip_vs_genl_parse_dest). */
import assert from 'node:assert/strict'
import { readU32, u16, u32 } from '../support/bytes.js'
import type { Case } from '../support/case.js'
import { answers } from '../support/expect.js'
import { DEST, daemonOn, KEY, namesOf, SERVICE, SETTINGS, without } from '../support/objects.js'
import type { CommandName } from '../support/raw.js'

const list = (names: readonly string[]): string => names.join(', ')
const MARKED = { AF: KEY.AF, FWMARK: u32(5) }

export const cases: readonly Case[] = [
  {
    name: `NEW_SERVICE needs ${list(namesOf(SERVICE))}: without one of them it is EINVAL`,
    async run(context) {
      const raw = context.raw()
      for (const name of namesOf(SERVICE))
        await answers(raw.do('NEW_SERVICE', { service: without(SERVICE, name) }), 'EINVAL', `without ${name}`)
      await answers(raw.do('NEW_SERVICE'), 'EINVAL', 'without any')
      await answers(raw.do('NEW_SERVICE', { service: SERVICE }), 'OK', 'with all')
    },
  },
  {
    name: `SET_SERVICE needs ${list(namesOf(SERVICE))}: without one of them it is EINVAL`,
    async run(context) {
      const raw = context.raw()
      await answers(raw.do('NEW_SERVICE', { service: SERVICE }), 'OK')
      for (const name of namesOf(SERVICE))
        await answers(raw.do('SET_SERVICE', { service: without(SERVICE, name) }), 'EINVAL', `without ${name}`)
      await answers(raw.do('SET_SERVICE', { service: SERVICE }), 'OK', 'with all')
    },
  },
  {
    name: 'a firewall mark stands for protocol, address and port',
    async run(context) {
      const raw = context.raw()
      const marked = { ...MARKED, ...SETTINGS }
      for (const name of namesOf(marked))
        await answers(raw.do('NEW_SERVICE', { service: without(marked, name) }), 'EINVAL', `without ${name}`)
      await answers(raw.do('NEW_SERVICE', { service: marked }), 'OK')
      await answers(raw.do('GET_SERVICE', { service: MARKED }), 'OK')
      await answers(raw.do('GET_SERVICE', { service: { ...KEY, ...MARKED } }), 'OK', 'the mark counts where both are given')
      await answers(raw.do('DEL_SERVICE', { service: MARKED }), 'OK')
    },
  },
  ...(['GET_SERVICE', 'ZERO', 'DEL_SERVICE'] as CommandName[]).map(
    (command): Case => ({
      name: `${command} needs ${list(namesOf(KEY))} and nothing more`,
      async run(context) {
        const raw = context.raw()
        await answers(raw.do('NEW_SERVICE', { service: SERVICE }), 'OK')
        for (const name of namesOf(KEY))
          await answers(raw.do(command, { service: without(KEY, name) }), 'EINVAL', `without ${name}`)
        await answers(raw.do(command, { service: KEY }), 'OK')
      },
    }),
  ),
  {
    name: 'ZERO without a service is for all of them, GET_SERVICE and DEL_SERVICE without one are EINVAL',
    async run(context) {
      const raw = context.raw()
      await answers(raw.do('ZERO'), 'OK')
      await answers(raw.do('GET_SERVICE'), 'EINVAL')
      await answers(raw.do('DEL_SERVICE'), 'EINVAL')
    },
  },
  ...(['NEW_DEST', 'SET_DEST'] as CommandName[]).map(
    (command): Case => ({
      name: `${command} needs a service and ${list(namesOf(DEST))}: without one of them it is EINVAL`,
      async run(context) {
        const raw = context.raw()
        await answers(raw.do('NEW_SERVICE', { service: SERVICE }), 'OK')
        if (command === 'SET_DEST') await answers(raw.do('NEW_DEST', { service: KEY, dest: DEST }), 'OK')
        for (const name of namesOf(DEST))
          await answers(raw.do(command, { service: KEY, dest: without(DEST, name) }), 'EINVAL', `without ${name}`)
        for (const name of namesOf(KEY))
          await answers(raw.do(command, { service: without(KEY, name), dest: DEST }), 'EINVAL', `without ${name} of the service`)
        await answers(raw.do(command, { service: KEY }), 'EINVAL', 'without a dest')
        await answers(raw.do(command, { dest: DEST }), 'EINVAL', 'without a service')
        await answers(raw.do(command, { service: KEY, dest: DEST }), 'OK', 'with all')
      },
    }),
  ),
  {
    name: 'DEL_DEST needs ADDR and PORT and nothing more',
    async run(context) {
      const raw = context.raw()
      const key = { ADDR: DEST.ADDR, PORT: DEST.PORT }
      await answers(raw.do('NEW_SERVICE', { service: SERVICE }), 'OK')
      await answers(raw.do('NEW_DEST', { service: KEY, dest: DEST }), 'OK')
      for (const name of namesOf(key))
        await answers(raw.do('DEL_DEST', { service: KEY, dest: without(key, name) }), 'EINVAL', `without ${name}`)
      await answers(raw.do('DEL_DEST', { service: KEY }), 'EINVAL', 'without a dest')
      await answers(raw.do('DEL_DEST', { service: KEY, dest: key }), 'OK')
    },
  },
  {
    name: 'NEW_DAEMON needs STATE, MCAST_IFN and SYNC_ID, DEL_DAEMON only STATE',
    async run(context) {
      const raw = context.raw()
      const daemon = daemonOn(await context.link())
      for (const name of namesOf(daemon))
        await answers(raw.do('NEW_DAEMON', { daemon: without(daemon, name) }), 'EINVAL', `without ${name}`)
      await answers(raw.do('NEW_DAEMON'), 'EINVAL')
      await answers(raw.do('NEW_DAEMON', { daemon }), 'OK')
      await answers(raw.do('DEL_DAEMON', { daemon: { MCAST_IFN: daemon.MCAST_IFN } }), 'EINVAL')
      await answers(raw.do('DEL_DAEMON'), 'EINVAL')
      assert.equal((await raw.dump('GET_DAEMON')).messages.length, 1)
      // Not with an acknowledgement: there is none where the daemon's thread had no time to begin.
      await answers(raw.tell('DEL_DAEMON', { daemon: { STATE: daemon.STATE } }), 'OK')
      await answers(raw.tell('DEL_DAEMON', { daemon: { STATE: daemon.STATE } }), 'ESRCH')
    },
  },
  {
    name: 'SET_CONFIG takes any of its three time-outs, or none',
    async run(context) {
      const raw = context.raw()
      await answers(raw.do('SET_CONFIG'), 'OK')
      await answers(raw.do('SET_CONFIG', { top: { TIMEOUT_TCP_FIN: u32(77) } }), 'OK')
      const [config] = (await raw.do('GET_CONFIG')).messages
      assert.deepEqual(
        [4, 5, 6].map(id => readU32(config?.top.get(id))),
        [900, 77, 300],
      )
    },
  },
  {
    name: 'FLUSH needs nothing, and is content with nothing to remove',
    async run(context) {
      const raw = context.raw()
      await answers(raw.do('NEW_SERVICE', { service: SERVICE }), 'OK')
      await answers(raw.do('FLUSH'), 'OK')
      await answers(raw.do('FLUSH'), 'OK')
      assert.deepEqual((await raw.dump('GET_SERVICE')).messages, [])
    },
  },
  {
    name: 'attributes are looked at before the service: a second NEW_SERVICE is EEXIST, but EINVAL where one is missing',
    async run(context) {
      const raw = context.raw()
      await answers(raw.do('NEW_SERVICE', { service: SERVICE }), 'OK')
      await answers(raw.do('NEW_SERVICE', { service: SERVICE }), 'EEXIST')
      await answers(raw.do('NEW_SERVICE', { service: KEY }), 'EINVAL')
      await answers(raw.do('SET_SERVICE', { service: { ...SERVICE, PROTOCOL: u16(17) } }), 'ESRCH')
      await answers(raw.do('SET_SERVICE', { service: { ...KEY, PROTOCOL: u16(17) } }), 'EINVAL')
    },
  },
  {
    name: 'whatever is asked of a service that is missing is ESRCH, and of a missing dest ENOENT',
    async run(context) {
      const raw = context.raw()
      for (const command of ['SET_SERVICE', 'DEL_SERVICE', 'GET_SERVICE', 'ZERO'] as const)
        await answers(raw.do(command, { service: SERVICE }), 'ESRCH', command)
      for (const command of ['NEW_DEST', 'SET_DEST', 'DEL_DEST'] as const)
        await answers(raw.do(command, { service: KEY, dest: DEST }), 'ESRCH', command)
      await answers(raw.do('NEW_SERVICE', { service: SERVICE }), 'OK')
      for (const command of ['SET_DEST', 'DEL_DEST'] as const)
        await answers(raw.do(command, { service: KEY, dest: DEST }), 'ENOENT', command)
      await answers(raw.do('NEW_DEST', { service: KEY, dest: DEST }), 'OK')
      await answers(raw.do('NEW_DEST', { service: KEY, dest: DEST }), 'EEXIST')
      await answers(raw.do('DEL_DEST', { service: KEY, dest: { ...DEST, ADDR_FAMILY: u16(10) } }), 'ENOENT', 'another family')
    },
  },
]
