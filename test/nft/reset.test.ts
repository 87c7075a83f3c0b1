import t from 'tap'
import { MessageReader, MessageWriter } from '../../lib/netlink/buffer.js'
import { beginMessage, endMessage, messageAt, NLM_F_CAPPED, NLMSG_ERROR } from '../../lib/netlink/message.js'
import type { Socket, Transport } from '../../lib/netlink/transport.js'
import { open } from '../../lib/nft/index.js'

/** A kernel that refuses every message with an errno. */
function refusing(errno: number): Transport {
  const refuse = (request: Uint8Array): Uint8Array => {
    const writer = new MessageWriter(64)
    const start = beginMessage(writer, NLMSG_ERROR, NLM_F_CAPPED, messageAt(new MessageReader(request), 0)?.sequence ?? 0)
    writer.u32[writer.offset >> 2] = -errno
    writer.offset += 4
    writer.append(request.subarray(0, 16))
    endMessage(writer, start)
    return writer.written()
  }
  const reply = { errno: 0, syscall: '', sent: 1, lost: false, complete: true, datagrams: 1 }
  const exchange: Socket['exchange'] = async request => ({ ...reply, data: refuse(request) })
  const unused = (): never => {
    throw new Error('not used')
  }
  return {
    open: () => ({
      receiveBuffer: 1 << 20,
      sendBuffer: 1 << 20,
      portId: 1,
      namespace: undefined,
      exchange,
      page: unused,
      dumpMany: unused,
      subscribe: unused,
      ref: unused,
      unref: unused,
      join: unused,
      leave: unused,
      close: async () => {},
    }),
    readFile: unused,
    writeFile: unused,
    close: async () => {},
  }
}

const EINVAL = 22
const ENOENT = 2
const set = { family: 'inet', table: 't', name: 's', key: 'ipv4_addr' } as const

t.test('where the kernel has no such message, the error names the Linux that has it', async t => {
  const nf = await open({ transport: refusing(EINVAL) })
  await t.rejects(nf.resetRules(), { problem: 'not-supported', message: /Linux 6\.2 is needed \(EINVAL\)/ })
  await t.rejects(nf.resetRules({ family: 'inet', table: 't', chain: 'c', handle: 1 }), {
    problem: 'not-supported',
    message: /Linux 6\.2/,
  })
  await t.rejects(nf.resetElements(set), { problem: 'not-supported', message: /Linux 6\.5 is needed/ })
  await t.rejects(nf.resetElements(set, ['10.0.0.1']), { problem: 'not-supported', message: /Linux 6\.5 is needed/ })
  await nf.close()
})

t.test('what is not there has nothing to set back', async t => {
  const nf = await open({ transport: refusing(ENOENT) })
  t.strictSame(await nf.resetRules({ family: 'inet', table: 't' }), [])
  t.strictSame(await nf.resetObjects({ family: 'inet', table: 't', type: 'counter', name: 'c' }), [])
  await t.rejects(nf.resetElements(set), { problem: 'no-such-object', message: /ENOENT/ })
  await t.rejects(nf.resetElements(set, ['10.0.0.1']), { problem: 'no-such-object', message: /ENOENT/ })
  await nf.close()
})
