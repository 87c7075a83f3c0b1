/** Objects that keep a state under a name, or settings. */
import type * as json from '../json/index.js'
import { bigintOf, inUnits } from '../json/number.js'
import { block } from './block.js'
import { renderDuration, renderMilliseconds } from './duration.js'
import { renderCounter, renderLimit, renderQuota } from './stateful.js'
import { renderSynproxy } from './synproxy.js'
import { list, quote } from './words.js'

interface Named {
  readonly name: string
  readonly comment?: string | undefined
}

function quota({ bytes = 0, used = 0, inv }: json.QuotaObject): readonly string[] {
  const [val, val_unit] = inUnits(bigintOf(bytes))
  const [gone, used_unit] = inUnits(bigintOf(used))
  return [renderQuota({ val, val_unit, used: gone, used_unit, inv })]
}

const layer = (l3proto: string | undefined): readonly string[] => (l3proto === undefined ? [] : [`l3proto ${l3proto}`])

const DEFAULT_BURST = 5

/** The kernel has them in this order (CTA_TIMEOUT_*). */
const STATES: readonly string[] =
  'syn_sent syn_recv established fin_wait close_wait last_ack time_wait close syn_sent2 retrans unack unreplied replied'.split(
    ' ',
  )

function ctTimeout({ protocol, l3proto, policy }: json.CtTimeout): readonly string[] {
  const times = Object.entries(policy ?? {})
    .sort(([a], [b]) => STATES.indexOf(a) - STATES.indexOf(b))
    .map(([state, seconds]) => `${state} : ${renderDuration(seconds)}`)
  return [`protocol ${protocol}`, ...layer(l3proto), `policy = { ${times.join(', ')} }`]
}

/** nft leaves the place of each flag, also where that is not set (src/rule.c, obj_print_data). */
function synproxy({ flags, ...numbers }: json.Synproxy): readonly string[] {
  const set = list(flags)
  const places = (['timestamp', 'sack-perm'] as const).map(flag => (set.includes(flag) ? flag : ''))
  return [...renderSynproxy(numbers), ...(set.length === 0 ? [] : [places.join(' ')])]
}

function ctExpectation({ protocol, dport, timeout, size, l3proto }: json.CtExpectation): readonly string[] {
  return [
    `protocol ${protocol}`,
    ...(dport === undefined ? [] : [`dport ${dport}`]),
    ...(timeout === undefined ? [] : [`timeout ${renderMilliseconds(timeout)}`]),
    ...(size === undefined ? [] : [`size ${size}`]),
    ...layer(l3proto),
  ]
}

const OBJECTS: Readonly<Record<string, (object: never) => readonly string[]>> = {
  counter: (counter: json.Counter) => [renderCounter(counter)],
  quota,
  limit: (limit: json.LimitObject) => [renderLimit({ burst: DEFAULT_BURST, ...limit }, DEFAULT_BURST)],
  'ct helper': ({ type, protocol, l3proto }: json.CtHelper) => [`type ${quote(type)} protocol ${protocol}`, ...layer(l3proto)],
  'ct timeout': ctTimeout,
  'ct expectation': ctExpectation,
  secmark: ({ context }: json.Secmark) => [quote(context)],
  synproxy,
}

/** An object with a name; undefined for other objects of a table. */
export function renderObject(word: string, object: Named): string | undefined {
  const render = Object.hasOwn(OBJECTS, word) ? OBJECTS[word] : undefined
  if (render === undefined) return undefined
  const comment = object.comment === undefined ? [] : [`comment ${quote(object.comment)}`]
  return block(`${word} ${object.name}`, [...comment, ...render(object as never)])
}
