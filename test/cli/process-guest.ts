/** A child of process.test.ts: a command line that does what its first argument says. */
import { type Io, write } from '../../lib/cli/io.js'
import { main } from '../../lib/cli/main.js'
import { runProcess } from '../../lib/cli/process.js'
import { open } from '../../lib/ipvs/index.js'
import { memoryKernel } from '../../lib/testing/index.js'

/** Resolves when the program is asked to end; until then something holds the process, as the sockets and timers of a command do. */
function aborted({ signal }: Io): Promise<void> {
  const hold = setInterval(() => {}, 1000)
  return new Promise(resolve =>
    signal.addEventListener('abort', () => {
      clearInterval(hold)
      resolve()
    }),
  )
}

const tasks: Readonly<Record<string, (io: Io) => Promise<number>>> = {
  status: async () => 7,

  async much({ stdout }) {
    for (let i = 0; i < 10_000; i++) stdout.write(`${'x'.repeat(99)}\n`)
    return 3
  },

  async endless({ stdout }) {
    for (;;) await write(stdout, 'a line\n')
  },

  async tidy(io) {
    await write(io.stdout, 'ready\n')
    await aborted(io)
    await write(io.stdout, 'tidied up\n')
    return 0
  },

  async unasked({ stdout }) {
    setInterval(() => {}, 1000)
    await write(stdout, 'ready\n')
    return new Promise(() => {})
  },

  /** Goes on when nobody reads any more. */
  async stubborn({ stdout }) {
    stdout.on('error', () => {})
    for (let i = 0; i < 10_000; i++) await write(stdout, 'a line\n').catch(() => {})
    return 5
  },

  /** Drains a real server whose one connection ends after a while. */
  async drain(io) {
    const transport = memoryKernel()
    const lvs = await open({ transport })
    const [virtual, destination] = [
      { address: '10.0.0.1', port: 80 },
      { address: '10.1.0.1', port: 80 },
    ]
    await lvs.addVirtualServer({ protocol: 'tcp', ...virtual })
    await lvs.addRealServer({ protocol: 'tcp', ...virtual }, destination)
    const client = { address: '192.0.2.9', port: 40_000 }
    const { end } = transport.addConnection({ protocol: 'tcp', client, virtual, destination, state: 'ESTABLISHED', expires: 900 })
    setTimeout(end, 500)
    const words = ['drain', 'tcp:10.0.0.1:80', '10.1.0.1:80', '--json', '--interval', '10ms']
    const { program, stdin, stdout, stderr, env, signal } = io
    const { openNft } = io
    const world = { program, stdin, stdout, stderr, env, signal, suspend() {}, open: () => open({ transport }), openNft }
    const status = await main(words, world)
    return (await lvs.getRealServer({ protocol: 'tcp', ...virtual }, destination)) ? -1 : status
  },

  async deaf({ signal, stdout }) {
    signal.addEventListener('abort', () => {})
    setInterval(() => {}, 1000)
    await write(stdout, 'ready\n')
    return new Promise(() => {})
  },

  lost: () => new Promise(() => {}),

  async reader({ stdin, stdout }) {
    stdin.on('data', () => {})
    await write(stdout, 'read enough\n')
    return 0
  },

  async copy({ stdin, stdout }) {
    for await (const chunk of stdin.setEncoding('utf8')) await write(stdout, chunk)
    return 0
  },

  async mistake() {
    setImmediate(() => {
      throw new Error('a mistake of the program')
    })
    return new Promise(() => {})
  },

  async deprecated() {
    process.emitWarning('it is old', 'DeprecationWarning')
    return 0
  },

  async open({ open }) {
    await open({})
    return 0
  },
}

void runProcess(async ([task = ''], io) => (await tasks[task]?.(io)) ?? -1, 'guest')
