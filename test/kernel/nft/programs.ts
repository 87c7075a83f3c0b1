import { existsSync } from 'node:fs'

/** What scripts/nft has fetched (scripts/lib/nft.sh). */
const NEWER = `${process.env.XDG_CACHE_HOME ?? `${process.env.HOME}/.cache`}/ts-ipvs/nft-debian13/nft`

/** Each nft that there is: that of the system, and that of Debian 13. */
export const PROGRAMS: readonly string[] = ['nft', ...(existsSync(NEWER) ? [NEWER] : [])]
