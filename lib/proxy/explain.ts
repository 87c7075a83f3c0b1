/** What becomes of a connection, and what does it. */
import {
  addressOf,
  clientOf,
  type Explanation,
  explain as explainFlow,
  type Flow,
  type Frontend,
  type FrontendKey,
  frontendOf,
  type Surroundings,
} from '../service/index.js'
import type { EngineName } from './backend.js'
import { sameAnswer } from './nftables/render.js'

export interface ServedExplanation extends Explanation {
  /** What gives the connection to an endpoint; undefined where nothing does, and where it is not known. */
  readonly engine?: EngineName | undefined
  /** What the Service wishes and this engine has not got. */
  readonly limitation?: string | undefined
}

/** What nftables does not do of what a Service may wish. */
export const UNWEIGHED = 'schedulers and weights are for IPVS: with nftables each endpoint is chosen as often as any other'

/**
 * Throws a `TypeError` for addresses that are none.
 *
 * @param engineOf what is meant to serve a frontend; undefined where that is not known
 */
export function explain(
  frontends: ReadonlyMap<FrontendKey, Frontend>,
  flow: Flow,
  around: Surroundings,
  engineOf: (frontend: Frontend) => EngineName | undefined,
): ServedExplanation {
  const explanation = explainFlow(frontends, flow, around)
  const frontend = explanation.verdict === 'accept' ? frontendOf(frontends, flow, around) : undefined
  if (!frontend) return explanation
  const { node, remote } = frontend.answers
  // A virtual server has one list of endpoints: that of clients inside, where those outside get others.
  const outside = clientOf(addressOf(flow.from) ?? flow.from, around) === 'remote' && !sameAnswer(node, remote)
  const meant = engineOf(frontend)
  const engine = outside && meant !== undefined ? 'nftables' : meant
  if (engine === undefined) return explanation
  return { ...explanation, engine, ...(engine === 'nftables' && frontend.balancing ? { limitation: UNWEIGHED } : {}) }
}
