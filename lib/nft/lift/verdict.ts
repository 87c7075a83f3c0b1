/** Verdicts as `nft -j` prints them (src/json.c, verdict_expr_json). */
import type { Verdict } from '../data.js'
import type * as json from '../json/index.js'

/** Undefined for one that the language has no word for. */
export function liftVerdict({ verdict, chain = '' }: Verdict): json.VerdictExpression | undefined {
  switch (verdict) {
    case 'accept':
      return { accept: null }
    case 'drop':
      return { drop: null }
    case 'continue':
      return { continue: null }
    case 'return':
      return { return: null }
    case 'jump':
      return { jump: { target: chain } }
    case 'goto':
      return { goto: { target: chain } }
    default:
      return undefined
  }
}
