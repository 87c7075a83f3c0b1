/** All statements, by their words. */
import type { Lowering } from '../lowering.js'
import { match } from '../match.js'
import { bytecode } from './bytecode.js'
import { dup, flow, fwd, tproxy } from './forward.js'
import { log, queue } from './log.js'
import { mangle } from './mangle.js'
import { nat, portNat } from './nat.js'
import { reject } from './reject.js'
import { map, meter, set } from './set.js'
import { object, stateful } from './stateful.js'
import { notrack, reset, synproxy, xt } from './synproxy.js'
import { verdict, vmap } from './verdict.js'

export const STATEMENTS: Readonly<Record<string, (given: unknown, rule: Lowering) => void>> = {
  accept: verdict('accept'),
  drop: verdict('drop'),
  continue: verdict('continue'),
  return: verdict('return'),
  jump: verdict('jump'),
  goto: verdict('goto'),
  match,
  counter: stateful('counter', 'counter'),
  mangle,
  quota: stateful('quota', 'quota'),
  limit: stateful('limit', 'limit'),
  last: stateful('last'),
  'ct count': stateful('ct count', 'connlimit'),
  fwd,
  notrack,
  dup,
  snat: nat('snat'),
  dnat: nat('dnat'),
  masquerade: portNat('masq'),
  redirect: portNat('redir'),
  reject,
  set,
  map,
  meter,
  log,
  queue,
  vmap,
  'ct helper': object('ct helper'),
  'ct timeout': object('ct timeout'),
  'ct expectation': object('ct expectation'),
  secmark: object('secmark'),
  flow,
  tproxy,
  synproxy,
  reset,
  xt,
  bytecode,
}
