/** Stateful objects as `nft -j` prints them (src/json.c, obj_print_json). */
import type * as json from '../json/index.js'
import { wholeOf } from '../json/number.js'
import { liftLimit } from '../lift/stateful.js'
import type { StatefulObject } from '../types.js'
import { statesOf } from './timeouts.js'
import { protocolName } from './words.js'

/** Undefined for objects that nft's JSON has no word for. */
export function liftObject(object: StatefulObject): json.RulesetObject | undefined {
  const { family, table, name, handle, comment } = object
  const named = { family, name, table, ...(handle !== undefined && { handle }), ...(comment !== undefined && { comment }) }
  const fields = fieldsOf(object)
  return fields && ({ [object.type]: { ...named, ...fields } } as unknown as json.RulesetObject)
}

function fieldsOf(object: StatefulObject): object | undefined {
  if ('data' in object) return undefined
  switch (object.type) {
    case 'counter':
      return { packets: wholeOf(object.packets ?? 0n), bytes: wholeOf(object.bytes ?? 0n) }
    case 'quota':
      return {
        bytes: wholeOf(object.bytes),
        used: wholeOf(object.used ?? 0n),
        inv: object.flags?.includes('over') === true,
      }
    case 'limit':
      return limitFields(liftLimit(object))
    case 'ct helper':
      return { type: object.helper, ...protocolAndLayer(object) }
    case 'ct timeout':
      return { ...protocolAndLayer(object), policy: policyOf(object.protocol, object.policy) }
    case 'ct expectation': {
      const { l3proto } = protocolAndLayer(object)
      const { port, timeout, size } = object
      return { protocol: protocolName(object.protocol), dport: port, timeout, size, l3proto }
    }
    case 'secmark':
      return { context: object.context }
    case 'synproxy':
      return synproxyFields(object)
    default:
      return undefined
  }
}

/** In another order than in the statement, and without a burst that is none. */
function limitFields({ rate, per, inv, rate_unit, burst, burst_unit }: json.Limit): object {
  return {
    rate,
    per,
    ...(inv && { inv }),
    ...(rate_unit && { rate_unit }),
    ...(burst && { burst, ...(burst_unit && { burst_unit }) }),
  }
}

function protocolAndLayer({ protocol, layer3 }: { protocol: number; layer3?: string | number | undefined }) {
  return { protocol: protocolName(protocol), l3proto: layer3 }
}

/** Null where all are the defaults. */
function policyOf(protocol: number, policy: Readonly<Record<number, number>>): Record<string, number> | null {
  const name = protocolName(protocol)
  if (name !== 'tcp' && name !== 'udp') return null
  const states = statesOf(name).flatMap(([state, usual], i) => {
    const seconds = policy[i + 1]
    return seconds === undefined || seconds === usual ? [] : [[state, seconds] as const]
  })
  return states.length > 0 ? Object.fromEntries(states) : null
}

function synproxyFields({ mss, windowScale, flags }: Extract<StatefulObject, { readonly type: 'synproxy' }>): object {
  const words = [
    ...(flags?.includes('timestamp') ? ['timestamp'] : []),
    ...(flags?.includes('sack-permitted') ? ['sack-perm'] : []),
  ]
  return {
    ...(flags?.includes('mss') && { mss }),
    ...(flags?.includes('window-scale') && { wscale: windowScale }),
    ...(words.length > 0 && { flags: words }),
  }
}
