/** Durations: whole seconds in nft's JSON, up to milliseconds in its text. */
import { printDuration } from '../vocabulary/types.js'

/** Seconds, with fractions where they are known. */
export const renderDuration = (seconds: number | bigint): string =>
  printDuration(typeof seconds === 'bigint' ? seconds * 1000n : BigInt(Math.round(seconds * 1000)))

export const renderMilliseconds = (milliseconds: number | bigint): string => printDuration(BigInt(milliseconds))
