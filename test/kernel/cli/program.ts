import { fileURLToPath } from 'node:url'

/** The program as it is shipped. */
export const PROGRAM = fileURLToPath(new URL('../../../../../dist/cli/bin.cjs', import.meta.url))
