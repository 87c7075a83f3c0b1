import type { Io } from '../io.js'
export async function ipvsadm(_argv: readonly string[], _io: Io): Promise<number> {
  throw new Error('to be written')
}
