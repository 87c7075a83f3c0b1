/** A child of process.test.ts: a command line that does what its first argument says. */
import { type Io, write } from '../../lib/cli/io.js'
import { runProcess } from '../../lib/cli/process.js'

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

  async deaf({ stdout }) {
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
