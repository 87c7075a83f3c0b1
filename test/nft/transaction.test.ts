import t from 'tap'
import { NLM_F_ACK } from '../../lib/netlink/message.js'
import { type Command, type CommitOptions, type NftClient, open, TransactionError } from '../../lib/nft/index.js'
import { chainAttributes, message, tableAttributes } from '../../lib/nft/wire.js'
import { errno, type Scripted, type Step, scripted } from './scripted.js'

const table = { family: 'inet', name: 'web' } as const
const chain = { family: 'inet', table: 'web', name: 'in' } as const
const commands: readonly Command[] = [
  { add: { table } },
  { add: { chain } },
  { add: { rule: { family: 'inet', table: 'web', chain: 'in', expressions: [] } } },
]

/** The kernel carried it out. */
const done: Step = sent => ({ replies: [sent.ack(1)], counted: 1 })
/** Others changed the ruleset before. */
const stale =
  (counted: number): Step =>
  sent => ({ replies: [sent.refuse(0, errno.ERESTART)], counted })

/** An abort as a function of its own. */
class Aborting {
  readonly #controller = new AbortController()
  readonly signal = this.#controller.signal
  readonly abort = (): void => this.#controller.abort()
}

async function withKernel<T>(kernel: Scripted, work: (nf: NftClient) => Promise<T>): Promise<T> {
  await using nf = await open({ transport: kernel })
  return await work(nf)
}

async function refused(kernel: Scripted, options?: CommitOptions, list = commands): Promise<TransactionError> {
  try {
    await withKernel(kernel, nf => nf.commit(list, options))
  } catch (error) {
    if (error instanceof TransactionError) return error
    throw error
  }
  throw new Error('it was carried out')
}

t.test('a transaction is guarded by the generation before it, and only its first message is acknowledged', async t => {
  const kernel = scripted([done])
  t.same(await withKernel(kernel, nf => nf.commit(commands)), { generation: 11 })
  const [sent] = kernel.sent
  t.equal(sent?.guard, 10)
  t.ok(sent?.ended)
  t.same(
    sent?.messages.map(({ flags }) => (flags & NLM_F_ACK) !== 0),
    [false, true, false, false, false],
  )
  t.equal(new Set(sent?.messages.map(({ sequence }) => sequence)).size, 5, 'each message has a number of its own')
})

t.test('a transaction that changes nothing leaves the generation', async t => {
  const kernel = scripted([sent => ({ replies: [sent.ack(1)] }), done])
  await withKernel(kernel, async nf => {
    t.same(await nf.commit(commands), { generation: 10 })
    t.same(await nf.commit(commands), { generation: 11 })
  })
  t.same(
    kernel.sent.map(({ guard }) => guard),
    [10, 10],
  )
})

t.test('the generation behind 2^32 - 1 is 1', async t => {
  const kernel = scripted([sent => ({ replies: [sent.ack(1)], counted: 2 - 2 ** 32 + 0 })], { generation: 2 ** 32 - 1 })
  t.same(await withKernel(kernel, nf => nf.commit(commands)), { generation: 1 })
})

t.test('others came first: it is sent again for the new generation, as often as needed', async t => {
  const kernel = scripted([done, stale(3), stale(1), done])
  await withKernel(kernel, async nf => {
    t.same(await nf.commit(commands), { generation: 11 })
    kernel.generation = 20
    t.same(await nf.commit(commands), { generation: 25 })
  })
  t.same(
    kernel.sent.map(({ guard }) => guard),
    [10, 11, 23, 24],
  )
})

t.test('others came first, and the caller named the generation: nothing is sent again', async t => {
  const kernel = scripted([stale(0)])
  t.match(await refused(kernel, { generation: 9 }), {
    code: 'ERESTART',
    problem: 'generation-changed',
    outcome: 'rolled-back',
    applied: 'no',
    message: 'commit: the ruleset is not that of generation 9 any more: read it again, and make the transaction anew (ERESTART)',
  })
  t.equal(kernel.sent[0]?.guard, 9)
})

t.test('what was good is acknowledged also where the whole is rolled back', async t => {
  const kernel = scripted([sent => ({ replies: [sent.ack(1), sent.refuse(2, errno.EEXIST, 28)] })])
  const error = await refused(kernel)
  t.match(error, { code: 'EEXIST', outcome: 'rolled-back', path: 'add.chain.name', target: 'commands[1].add.chain.name' })
  t.match(error.failures, [{ index: 1, command: commands[1], path: 'add.chain.name', cascaded: false }])
})

t.test('every refusal is a failure, in the order of the commands', async t => {
  const kernel = scripted([sent => ({ replies: [sent.refuse(3, errno.ENOENT, 28), sent.refuse(2, errno.EINVAL)] })])
  const error = await refused(kernel)
  t.match(error, { code: 'EINVAL', target: 'commands[1]' })
  t.match(error.failures, [
    { index: 1, code: 'EINVAL', errno: -22, path: undefined, cascaded: false },
    {
      index: 2,
      code: 'ENOENT',
      errno: -2,
      path: 'add.rule.chain',
      cascaded: true,
      reason: /for commands\[1\], which makes it, was refused$/,
    },
  ])
  t.match(error.message, /; nothing was changed \(EINVAL\)$/)
})

t.test('the kernel names no command', async t => {
  const anonymous: Command = {
    add: { set: { family: 'inet', table: 'web', name: '__set%d', id: 1, key: 'ipv4_addr', flags: ['anonymous', 'constant'] } },
  }
  const sized: Command = { add: { set: { family: 'inet', table: 'web', name: 'big', id: 1, key: 'ether_addr', size: 1e9 } } }
  const cases: readonly { name: string; list?: readonly Command[]; step: Step; error: object }[] = [
    {
      name: 'without CAP_NET_ADMIN BATCH_BEGIN is refused',
      step: sent => ({ replies: [sent.refuse(0, errno.EPERM)] }),
      error: { code: 'EPERM', problem: 'not-permitted' },
    },
    {
      name: 'without nftables BATCH_BEGIN is refused',
      step: sent => ({ replies: [sent.refuse(0, errno.EOPNOTSUPP)] }),
      error: { code: 'ENOTSUP', problem: 'not-supported', reason: /CONFIG_NF_TABLES/ },
    },
    {
      name: 'without memory only the first message is answered, whichever it was',
      list: [{ add: { table } }, sized],
      step: sent => ({ replies: [sent.refuse(1, errno.ENOMEM)] }),
      error: { code: 'ENOMEM', problem: 'no-memory', reason: /commands\[1\] asks for 1000000000; nothing was changed/ },
    },
    {
      name: 'what is noticed at the end stands with the first message, which was good',
      list: [{ add: { table } }, anonymous],
      step: sent => ({ replies: [sent.refuse(1, errno.EINVAL), sent.ack(1)] }),
      error: { code: 'EINVAL', problem: 'invalid', reason: /has to be used by a rule .* commands\[1\]\.add\.set/ },
    },
    {
      name: 'a device that does not offload is noticed at the end, too',
      step: sent => ({ replies: [sent.refuse(1, errno.EOPNOTSUPP), sent.ack(1)] }),
      error: { code: 'ENOTSUP', problem: 'not-supported', reason: /offloaded/ },
    },
  ]
  for (const { name, list, step, error } of cases) {
    const thrown = await refused(scripted([step]), {}, list)
    t.match(thrown, { ...error, outcome: 'rolled-back', target: undefined, path: undefined }, name)
    t.match(thrown.failures, [{ index: undefined, command: undefined, cascaded: false }])
  }
})

t.test('the first message itself is refused', async t => {
  const error = await refused(scripted([sent => ({ replies: [sent.refuse(1, errno.EINVAL)] })]))
  t.match(error.failures, [{ index: 0, code: 'EINVAL', target: 'table inet web' }])
})

t.test('answers were lost', async t => {
  const echo: Step = sent => ({
    replies: [sent.echo(1, message.newTable, writer => tableAttributes.encode(writer, { name: 'web', handle: 3 }))],
    lost: true,
    counted: 1,
  })
  const cases: readonly { name: string; step: Step; outcome: 'rolled-back' | 'unknown' | 'committed' }[] = [
    { name: 'all, and the generation stayed: nothing was changed', step: () => ({ lost: true }), outcome: 'rolled-back' },
    {
      name: 'all, and the generation is the next: it may be that of others',
      step: () => ({ lost: true, counted: 1 }),
      outcome: 'unknown',
    },
    { name: 'all, and others were there', step: () => ({ lost: true, counted: 2 }), outcome: 'unknown' },
    {
      name: 'all but the acknowledgement of the first, which says nothing of the others',
      step: sent => ({ replies: [sent.ack(1)], lost: true, counted: 1 }),
      outcome: 'unknown',
    },
    {
      name: 'all but one refusal',
      step: sent => ({ replies: [sent.refuse(2, errno.ENOENT, 20)], lost: true }),
      outcome: 'rolled-back',
    },
    {
      name: 'all but one refusal, and others were there',
      step: sent => ({ replies: [sent.refuse(2, errno.ENOENT, 20)], lost: true, counted: 1 }),
      outcome: 'rolled-back',
    },
    { name: 'all but one object that came back: the kernel sends it once it is done', step: echo, outcome: 'committed' },
  ]
  for (const { name, step, outcome } of cases) {
    const kernel = scripted([step])
    if (outcome === 'committed') {
      t.same(
        await withKernel(kernel, nf => nf.commit(commands, { handles: true })),
        { generation: 11 },
        `${name}, without handles`,
      )
      continue
    }
    const error = await refused(kernel)
    t.match(error, { outcome, applied: outcome === 'unknown' ? 'unknown' : 'no' }, name)
  }
})

t.test('a lost answer says what to do', async t => {
  t.match(await refused(scripted([() => ({ lost: true, counted: 1 })])), {
    code: 'ENOBUFS',
    problem: 'reply-lost',
    message:
      'commit: the kernel dropped answers because the receive buffer was full: raise net.core.rmem_max; the transaction may or may not have been ' +
      'carried out: read the ruleset (ENOBUFS)',
    failures: [],
  })
  t.match(await refused(scripted([sent => ({ replies: [sent.refuse(2, errno.ENOENT, 20)], lost: true })])), {
    message: /, and there may be more, for the kernel dropped answers; nothing was changed/,
  })
})

t.test('what a transaction that was given up leaves behind is not taken for that of the next', async t => {
  let release = (): void => {}
  const after = new Promise<void>(resolve => {
    release = resolve
  })
  const kernel = scripted([
    sent => ({ replies: [sent.refuse(1, errno.EPERM, 20), sent.refuse(2, errno.EPERM, 20)], lost: true, after }),
    done,
  ])
  await withKernel(kernel, async nf => {
    const giveUp = () => {
      const { signal, abort } = new Aborting()
      kernel.called = abort
      return nf.commit(commands, { signal })
    }
    await nf.generation() // so that it need not be asked for
    await t.rejects(giveUp(), { name: 'TransactionError', code: 'ABORT_ERR', outcome: 'unknown', applied: 'unknown' })
    const unsent = { name: 'TransactionError', code: 'ABORT_ERR', outcome: 'rolled-back', applied: 'no' }
    await t.rejects(giveUp(), unsent, 'the kernel is busy with the one before')
    release()
    t.same(await nf.commit(commands), { generation: 11 })
  })
  t.equal(kernel.sent.length, 2)
})

t.test('a call that is given up before its turn has sent nothing', async t => {
  const kernel = scripted([])
  await withKernel(kernel, nf =>
    t.rejects(nf.commit(commands, { signal: AbortSignal.abort() }), { code: 'ABORT_ERR', applied: 'no' }),
  )
})

t.test('whenever a transaction is given up before it was sent, it is told as rolled back', async t => {
  const kernel = scripted([])
  const told = { name: 'TransactionError', outcome: 'rolled-back', applied: 'no', operation: 'commit' }
  const aborted = { ...told, code: 'ABORT_ERR' }
  const many: Command[] = Array.from({ length: 200_000 }, (_, i) => ({ add: { table: { family: 'inet', name: `t${i}` } } }))
  const soon = () => {
    const aborting = new AbortController()
    setImmediate(() => aborting.abort())
    return aborting.signal
  }
  const nf = await open({ transport: kernel })
  await t.rejects(nf.commit(commands, { signal: AbortSignal.abort() }), aborted, 'before the call')
  await t.rejects(nf.check(commands, { signal: AbortSignal.abort() }), aborted, 'before a trial')
  await t.rejects(nf.flushRuleset('all', { signal: AbortSignal.abort() }), aborted, 'before a flush')
  many.push(7 as never) // it is given up before the last one is looked at
  await t.rejects(nf.commit(many, { signal: soon() }), aborted, 'while it is written')
  await t.rejects(
    nf.commit(() => new Promise(() => {}), { signal: soon() }),
    aborted,
    'while it is made',
  )
  await t.rejects(
    nf.commit(() => new Promise(() => {}), { deadline: 0.01 }),
    { ...told, code: 'ERR_DEADLINE' },
    'too late',
  )
  await nf.close()
  await t.rejects(nf.commit(commands), { ...told, code: 'ERR_CLOSED' }, 'behind the end')
  await t.rejects(
    nf.commit(() => commands),
    { ...told, code: 'ERR_CLOSED' },
    'behind the end',
  )
  t.same(kernel.sent, [])
})

t.test('a trial has neither guard nor end, and changes nothing whatever happens', async t => {
  const kernel = scripted([
    sent => ({ replies: [sent.ack(1)] }),
    () => ({ lost: true, counted: 1 }),
    sent => ({ replies: [sent.refuse(2, errno.EINVAL)] }),
  ])
  await withKernel(kernel, async nf => {
    const unheard = { name: 'TransactionError', problem: 'reply-lost', outcome: 'rolled-back' }
    await nf.check(commands)
    t.match(kernel.sent[0], { guard: undefined, ended: false })
    await t.rejects(nf.check(commands), unheard, 'lost answers are not taken for approval')
    await t.rejects(nf.check(commands), { code: 'EINVAL', outcome: 'rolled-back', target: 'commands[1]' })
  })
})

t.test('a transaction larger than the send buffer names the sysctl and a value that is enough', async t => {
  const kernel = scripted([], { sendBuffer: 100 })
  const error = await refused(kernel)
  t.match(error, { code: 'EMSGSIZE', problem: 'too-large', outcome: 'rolled-back', syscall: 'sendmsg' })
  const [, bytes = '', limit = ''] = /has (\d+) bytes.* at most (\d+)/.exec(error.reason) ?? []
  t.equal(limit, '100')
  // The kernel doubles what is asked for, and keeps 32 bytes.
  t.equal(Number(/net\.core\.wmem_max there to (\d+)/.exec(error.reason)?.[1]) * 2 - 32, Number(bytes) + (Number(bytes) % 2))
  t.same(kernel.sent, [])
})

t.test('a send that fails has changed nothing', async t => {
  const kernel = scripted([() => ({ fails: errno.ENOBUFS }), done])
  await withKernel(kernel, async nf => {
    await t.rejects(nf.commit(commands), {
      code: 'ENOBUFS',
      problem: 'no-memory',
      outcome: 'rolled-back',
      applied: 'no',
      syscall: 'sendmsg',
    })
    t.same(await nf.commit(commands), { generation: 11 })
  })
})

t.test('handles are those of the commands that added something', async t => {
  const kernel = scripted([
    sent => ({
      replies: [
        sent.echo(1, message.newGeneration, () => {}),
        sent.echo(2, message.newChain, writer => chainAttributes.encode(writer, { table: 'web', handle: 2 ** 40, name: 'in' })),
        sent.echo(3, message.deleteRule, writer => tableAttributes.encode(writer, { name: 'web' })),
        sent.ack(1),
      ],
      counted: 1,
    }),
  ])
  t.same(await withKernel(kernel, nf => nf.commit(commands, { handles: true })), {
    generation: 11,
    handles: [undefined, 2 ** 40, undefined],
  })
})

t.test('nothing to do is done without the kernel', async t => {
  const kernel = scripted([])
  t.same(await withKernel(kernel, nf => nf.commit([])), { generation: 10 })
})
