/** The command line as a process, for terminals: `node bin.js top`. */
import type { Io } from '../../../lib/cli/io.js'
import { main } from '../../../lib/cli/main.js'
import { open } from '../../../lib/ipvs/index.js'

const ending = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => ending.abort())
const { stdin, stdout, stderr, env } = process
const io: Io = { program: 'ts-ipvs', stdin, stdout, stderr, env, signal: ending.signal, open }
process.exitCode = await main(process.argv.slice(2), io)
