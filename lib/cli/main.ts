/** `ts-ipvs`: ipvsadm's grammar where the first word is an option or there is none, else a subcommand. */
import { isIpvsadm } from './dispatch.js'
import { describeError, type Io, write } from './io.js'

/** Runs the command line. Returns the exit status; writes what there is to say to the outputs of `io`. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    if (isIpvsadm(argv, io.program)) {
      const { ipvsadm } = await import('./ipvsadm/index.js')
      return await ipvsadm(argv, io)
    }
    const { runSubcommand } = await import('./program.js')
    return await runSubcommand(argv, io)
  } catch (error) {
    return await failed(error, io)
  }
}

async function failed(error: unknown, io: Io): Promise<number> {
  const { code, status } = error as { code?: unknown; status?: number }
  if (code === 'EPIPE') return 141 // nobody reads the output any more, as with head: as if SIGPIPE had ended it
  await write(io.stderr, `${io.program}: ${describeError(error)}\n`)
  return status ?? 1
}
