/** All expressions that the kernel has, up to Linux 6.18. One that is not here is opaque. */
import type { AttributeType } from '../../netlink/schema.js'
import { expressionOf, type Opaque } from '../expression.js'
import { type Bitwise, bitwise } from './bitwise.js'
import { type Byteorder, byteorder } from './byteorder.js'
import { type Cmp, cmp } from './cmp.js'
import { type Ct, ct } from './ct.js'
import { type Dup, dup } from './dup.js'
import { type Dynset, dynset } from './dynset.js'
import { type Exthdr, exthdr } from './exthdr.js'
import { type Fib, fib } from './fib.js'
import { type FlowOffload, flowOffload } from './flow-offload.js'
import { type Fwd, fwd } from './fwd.js'
import { type Hash, hash } from './hash.js'
import { type Immediate, immediate } from './immediate.js'
import { type Inner, inner } from './inner.js'
import { type Log, log } from './log.js'
import { type Lookup, lookup } from './lookup.js'
import { type Masq, masq } from './masq.js'
import { type Match, match } from './match.js'
import { type Meta, meta } from './meta.js'
import { type Nat, nat } from './nat.js'
import { type Notrack, notrack } from './notrack.js'
import { type Numgen, numgen } from './numgen.js'
import { type Objref, objref } from './objref.js'
import { type Osf, osf } from './osf.js'
import { type Payload, payload } from './payload.js'
import { type Queue, queue } from './queue.js'
import { type Range, range } from './range.js'
import { type Redir, redir } from './redir.js'
import { type Reject, reject } from './reject.js'
import { type Rt, rt } from './rt.js'
import { type Socket, socket } from './socket.js'
import { type StatefulExpression, statefulCodecs } from './stateful.js'
import { type Synproxy, synproxy } from './synproxy.js'
import { type Target, target } from './target.js'
import { type Tproxy, tproxy } from './tproxy.js'
import { type Tunnel, tunnel } from './tunnel.js'
import { type Xfrm, xfrm } from './xfrm.js'

export type { Opaque } from '../expression.js'
export type { Bitwise } from './bitwise.js'
export type { Byteorder } from './byteorder.js'
export type { Cmp } from './cmp.js'
export type { Connlimit } from './connlimit.js'
export type { Counter } from './counter.js'
export type { Ct } from './ct.js'
export type { Dup } from './dup.js'
export type { Dynset } from './dynset.js'
export type { Exthdr } from './exthdr.js'
export type { Fib } from './fib.js'
export type { FlowOffload } from './flow-offload.js'
export type { Fwd } from './fwd.js'
export type { Hash } from './hash.js'
export type { Immediate } from './immediate.js'
export type { Inner } from './inner.js'
export type { Last } from './last.js'
export type { Limit } from './limit.js'
export type { Log } from './log.js'
export type { Lookup } from './lookup.js'
export type { Masq } from './masq.js'
export type { Match } from './match.js'
export type { Meta } from './meta.js'
export type { Nat } from './nat.js'
export type { Notrack } from './notrack.js'
export type { Numgen } from './numgen.js'
export type { Objref } from './objref.js'
export type { Osf } from './osf.js'
export type { Payload } from './payload.js'
export type { Queue } from './queue.js'
export type { Quota } from './quota.js'
export type { Range } from './range.js'
export type { Redir } from './redir.js'
export type { Reject } from './reject.js'
export type { Rt } from './rt.js'
export type { Socket } from './socket.js'
export { type StatefulExpression, statefulExpression } from './stateful.js'
export type { Synproxy } from './synproxy.js'
export type { Target } from './target.js'
export type { Tproxy } from './tproxy.js'
export type { Tunnel } from './tunnel.js'
export type { Xfrm } from './xfrm.js'

/** One expression of a rule: what the kernel executes. */
export type Expression =
  | Bitwise
  | Byteorder
  | Cmp
  | Ct
  | Dup
  | Dynset
  | Exthdr
  | Fib
  | FlowOffload
  | Fwd
  | Hash
  | Immediate
  | Inner
  | Log
  | Lookup
  | Masq
  | Match
  | Meta
  | Nat
  | Notrack
  | Numgen
  | Objref
  | Osf
  | Payload
  | Queue
  | Range
  | Redir
  | Reject
  | Rt
  | Socket
  | Synproxy
  | Target
  | Tproxy
  | Tunnel
  | Xfrm
  | StatefulExpression
  | Opaque

/** Any of them, as an attribute. */
export const expression: AttributeType<Expression> = expressionOf<Exclude<Expression, Opaque>>([
  bitwise,
  byteorder,
  cmp,
  ct,
  dup,
  dynset,
  exthdr,
  fib,
  flowOffload,
  fwd,
  hash,
  immediate,
  inner,
  log,
  lookup,
  masq,
  match,
  meta,
  nat,
  notrack,
  numgen,
  objref,
  osf,
  payload,
  queue,
  range,
  redir,
  reject,
  rt,
  socket,
  synproxy,
  target,
  tproxy,
  tunnel,
  xfrm,
  ...statefulCodecs,
])
