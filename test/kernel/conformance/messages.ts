/** Headers, acknowledgements and dumps (af_netlink.c, genetlink.c, ip_vs_ctl.c). */
import assert from 'node:assert/strict'
import { NLM_F_ACK, NLM_F_MULTI, NLM_F_REQUEST } from '../../../lib/netlink/index.js'
import { be16, readU16, readU32, u32, zeros } from '../support/bytes.js'
import type { Case } from '../support/case.js'
import { answers } from '../support/expect.js'
import { DEST, daemonOn, KEY, SERVICE } from '../support/objects.js'
import { answerOf, COMMAND, type Message, type Raw, sequencesOf } from '../support/raw.js'

const ACK = NLM_F_REQUEST | NLM_F_ACK
const NLM_F_ROOT = 0x100
const NLM_F_MATCH = 0x200
const NLA_F_NESTED = 0x8000

async function fill(raw: Raw, count: number): Promise<void> {
  const services = Array.from({ length: count }, (_, i) => ({ service: { ...SERVICE, PORT: be16(1 + i) } }))
  for (const { code } of await raw.tellAll('NEW_SERVICE', services)) assert.equal(code, 'OK')
}

export const cases: readonly Case[] = [
  {
    name: 'replies have commands of their own: 1 for services, 5 for dests, 9 for daemons, 12 for config, 14 for info',
    async run(context) {
      const raw = context.raw()
      await answers(raw.do('NEW_SERVICE', { service: SERVICE }), 'OK')
      await answers(raw.do('NEW_DEST', { service: KEY, dest: DEST }), 'OK')
      await answers(raw.do('NEW_DAEMON', { daemon: daemonOn(await context.link()) }), 'OK')
      const replies = {
        one: await raw.do('GET_SERVICE', { service: KEY }),
        services: await raw.dump('GET_SERVICE'),
        dests: await raw.dump('GET_DEST', { service: KEY }),
        daemons: await raw.dump('GET_DAEMON'),
        config: await raw.do('GET_CONFIG'),
        info: await raw.do('GET_INFO'),
      }
      const commands = Object.entries(replies).map(([name, { messages }]) => [name, messages.map(({ command }) => command)])
      assert.deepEqual(Object.fromEntries(commands), {
        one: [1],
        services: [1],
        dests: [5],
        daemons: [9],
        config: [12],
        info: [14],
      })
      const id = await raw.family()
      for (const { messages } of Object.values(replies)) for (const { type } of messages) assert.equal(type, id)
      await answers(raw.tell('DEL_DAEMON', { daemon: { STATE: u32(1) } }), 'OK')
    },
  },
  {
    name: 'messages of a dump are marked as parts of one, and DONE ends it; a single reply is not marked',
    async run(context) {
      const raw = context.raw()
      await fill(raw, 3)
      const { messages, done } = await raw.dump('GET_SERVICE')
      assert.deepEqual(
        messages.map(({ flags }) => flags),
        [NLM_F_MULTI, NLM_F_MULTI, NLM_F_MULTI],
      )
      assert.equal(done, 1)
      const one = await raw.do('GET_SERVICE', { service: { ...KEY, PORT: be16(1) } }, { flags: NLM_F_REQUEST })
      assert.deepEqual([one.messages.map(({ flags }) => flags), one.done], [[0], 0])
    },
  },
  {
    name: 'a service is described by all its attributes, whose nest is not marked as one',
    async run(context) {
      const raw = context.raw()
      await answers(raw.do('NEW_SERVICE', { service: SERVICE }), 'OK')
      const [message] = (await raw.dump('GET_SERVICE')).messages
      const { AF, PROTOCOL, ADDR, PORT, SCHED_NAME, FLAGS, TIMEOUT, NETMASK, STATS, STATS64, FWMARK, PE_NAME } =
        message?.service ?? {}
      assert.deepEqual(
        { AF, PROTOCOL, ADDR, PORT, SCHED_NAME, TIMEOUT, NETMASK },
        { ...KEY, SCHED_NAME: SERVICE.SCHED_NAME, TIMEOUT: SERVICE.TIMEOUT, NETMASK: SERVICE.NETMASK },
      )
      assert.deepEqual([readU32(FLAGS), FWMARK, PE_NAME], [2, undefined, undefined], 'hashed, and nothing else')
      assert.equal(typeOfFirst(message) & NLA_F_NESTED, 0)
      // Where numbers of 64 bits have to be aligned an empty attribute 11 goes before some of them.
      assert.ok(STATS && STATS.length >= 88 && STATS.length <= 96, `${STATS?.length} bytes of 32-bit counters`)
      assert.ok(STATS64 && STATS64.length >= 120 && STATS64.length <= 160, `${STATS64?.length} bytes of 64-bit counters`)
    },
  },
  {
    name: 'a dest is described by all its attributes, its family behind its address',
    async run(context) {
      const raw = context.raw()
      await answers(raw.do('NEW_SERVICE', { service: SERVICE }), 'OK')
      await answers(raw.do('NEW_DEST', { service: KEY, dest: DEST }), 'OK')
      const [message] = (await raw.dump('GET_DEST', { service: KEY })).messages
      const { UNKNOWN, ...dest } = message?.dest ?? {}
      assert.deepEqual(
        Object.entries(dest).filter(([, value]) => value === undefined),
        [],
        'nothing is missing',
      )
      assert.equal(typeOfFirst(message) & NLA_F_NESTED, 0)
      const order = Object.keys(dest)
      assert.ok(order.indexOf('ADDR') < order.indexOf('ADDR_FAMILY'))
    },
  },
  {
    name: 'nests may be marked as such in requests',
    async run(context) {
      const raw = context.raw()
      await answers(raw.do('NEW_SERVICE', { service: SERVICE, nestedFlag: true }), 'OK')
      await answers(raw.do('NEW_DEST', { service: KEY, dest: DEST, nestedFlag: true }), 'OK')
      assert.equal((await raw.dump('GET_DEST', { service: KEY, nestedFlag: true })).messages.length, 1)
    },
  },
  {
    name: 'attributes at the top that nobody knows are ignored, and so is the version of the header',
    async run(context) {
      const raw = context.raw()
      await answers(raw.do('NEW_SERVICE', { service: SERVICE, top: { UNKNOWN: zeros(4) } }), 'OK')
      for (const version of [0, 1, 2, 99]) await answers(raw.do('GET_SERVICE', { service: KEY }, { version }), 'OK')
    },
  },
  {
    name: 'info is version 1.2.1 and the size of the table, under numbers that mean something else elsewhere',
    async run(context) {
      const [info] = (await context.raw().do('GET_INFO')).messages
      const { connectionTableSize } = context.kernel
      assert.deepEqual([readU32(info?.top.get(1)), readU32(info?.top.get(2))], [0x010201, connectionTableSize])
    },
  },
  {
    name: 'GET_DEST and GET_DAEMON are dumps only: EOPNOTSUPP otherwise',
    async run(context) {
      const raw = context.raw()
      await answers(raw.do('GET_DEST', { service: KEY }), 'ENOTSUP')
      await answers(raw.do('GET_DAEMON'), 'ENOTSUP')
    },
  },
  {
    name: 'GET_INFO and GET_CONFIG are no dumps: EOPNOTSUPP otherwise',
    async run(context) {
      const raw = context.raw()
      await answers(raw.dump('GET_INFO'), 'ENOTSUP')
      await answers(raw.dump('GET_CONFIG'), 'ENOTSUP')
    },
  },
  {
    name: 'a command that nobody knows is EOPNOTSUPP',
    async run(context) {
      const raw = context.raw()
      await answers(raw.do(99), 'ENOTSUP')
      await answers(raw.do(COMMAND.SET_INFO), 'ENOTSUP')
    },
  },
  {
    name: 'half of the flag for dumps makes no dump: GET_SERVICE is EINVAL, for it names no service',
    async run(context) {
      const raw = context.raw()
      await answers(raw.do('GET_SERVICE', {}, { flags: ACK | NLM_F_ROOT }), 'EINVAL')
      await answers(raw.do('GET_SERVICE', {}, { flags: ACK | NLM_F_MATCH }), 'EINVAL')
    },
  },
  {
    name: 'the dests of a service that is missing, or that is named by half, are an empty list and no error',
    async run(context) {
      const raw = context.raw()
      for (const service of [KEY, { AF: KEY.AF }, {}])
        assert.deepEqual(await raw.dump('GET_DEST', { service }), { code: 'OK', kernelMessage: undefined, messages: [], done: 1 })
      assert.deepEqual(await raw.dump('GET_DEST'), { code: 'OK', kernelMessage: undefined, messages: [], done: 1 })
    },
  },
  {
    name: 'type 0, and what is no request, are acknowledged and ignored',
    async run(context) {
      const raw = context.raw()
      await answers(raw.do('NEW_SERVICE', { service: SERVICE }, { type: 0 }), 'OK')
      await answers(raw.do('NEW_SERVICE', { service: SERVICE }, { flags: NLM_F_ACK }), 'OK')
      assert.deepEqual((await raw.dump('GET_SERVICE')).messages, [])
    },
  },
  {
    name: 'a family that there is not is ENOENT',
    async run(context) {
      await answers(context.raw().do('GET_INFO', {}, { type: 0x7ff }), 'ENOENT')
    },
  },
  {
    name: 'a failing message does not stop those behind it in one buffer, and only failures answer, in order',
    async run(context) {
      const raw = context.raw()
      const envelope = { flags: NLM_F_REQUEST }
      const ports = [1, 2, 2, 3, 1, 4]
      const parts = []
      for (const port of ports)
        parts.push(await raw.message('NEW_SERVICE', { service: { ...SERVICE, PORT: be16(port) } }, envelope))
      const barrier = await raw.message('GET_INFO', {}, envelope)
      const bytes = Buffer.concat([...parts, barrier].map(part => part.bytes))
      const reply = await raw.socket.exchange(bytes, barrier.sequence, 60_000)
      const codes = parts.map(({ sequence }) => answerOf(reply, sequence).code)
      assert.deepEqual(codes, ['OK', 'OK', 'EEXIST', 'OK', 'EEXIST', 'OK'])
      const [, , first, , second] = parts
      assert.deepEqual(sequencesOf(reply), [first?.sequence, second?.sequence, barrier.sequence])
      const services = (await raw.dump('GET_SERVICE')).messages
      assert.deepEqual(services.map(({ service }) => service?.PORT?.readUInt16BE()).sort(), [1, 2, 3, 4])
    },
  },
  {
    name: 'a second dump on a socket is EBUSY while one is unfinished, and requests are answered in between',
    async run(context) {
      const raw = context.raw()
      await fill(raw, 400)
      const first = await raw.message('GET_SERVICE', {}, { flags: NLM_F_REQUEST | 0x300 })
      const page = await raw.socket.page(first.bytes, first.sequence, 1, 60_000)
      assert.equal(page.complete, false)
      assert.equal(page.datagrams, 1)
      const second = await raw.message('GET_DAEMON', {}, { flags: NLM_F_REQUEST | 0x300 })
      const reply = await raw.socket.exchange(second.bytes, second.sequence, 60_000)
      assert.equal(answerOf(reply, second.sequence).code, 'EBUSY')
      const services = answerOf(page, first.sequence).messages.length + answerOf(reply, first.sequence).messages.length
      assert.ok(services < 400, 'the dump is not at its end')
      const info = await raw.message('GET_INFO', {}, {})
      const between = await raw.socket.exchange(info.bytes, info.sequence, 60_000)
      assert.equal(answerOf(between, info.sequence).code, 'OK')
      let rest = answerOf(between, first.sequence).messages.length
      for (let complete = false; !complete; ) {
        const next = await raw.socket.page(null, first.sequence, 1 << 20, 60_000)
        rest += answerOf(next, first.sequence).messages.length
        complete = next.complete
      }
      assert.equal(services + rest, 400, 'every service came once')
    },
  },
  {
    name: 'a dump goes on by index: what is removed between two datagrams makes the kernel leave out what is still there, unmarked',
    async run(context) {
      const raw = context.raw()
      await fill(raw, 400)
      const { bytes, sequence } = await raw.message('GET_SERVICE', {}, { flags: NLM_F_REQUEST | 0x300 })
      const page = await raw.socket.page(bytes, sequence, 1, 60_000)
      const seen = [...answerOf(page, sequence).messages]
      const others = context.raw()
      const removed = seen.map(({ service }) => service?.PORT)
      for (const { code } of await others.tellAll(
        'DEL_SERVICE',
        removed.map(PORT => ({ service: { ...KEY, PORT } })),
      ))
        assert.equal(code, 'OK')
      for (let complete = false; !complete; ) {
        const next = await raw.socket.page(null, sequence, 1 << 20, 60_000)
        seen.push(...answerOf(next, sequence).messages)
        complete = next.complete
      }
      // How many is not sure: up to Linux 7.0 the index counts the services of all namespaces.
      const ports = new Set(seen.map(({ service }) => service?.PORT?.readUInt16BE()))
      assert.ok(ports.size < 400, 'some that are there were left out')
      assert.deepEqual([...new Set(seen.map(({ flags }) => flags))], [NLM_F_MULTI], 'without NLM_F_DUMP_INTR')
      assert.equal((await others.dump('GET_SERVICE')).messages.length, 400 - removed.length)
    },
  },
]

/** The type of the message's first attribute, with its flags. */
function typeOfFirst(message: Message | undefined): number {
  return readU16(message?.payload.subarray(2, 4)) ?? 0
}
