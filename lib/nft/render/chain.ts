/** Chains with their rules, and flowtables. */
import type * as json from '../json/index.js'
import { block } from './block.js'
import type { RenderOptions } from './expression.js'
import { renderPriority } from './priority.js'
import { renderStatements } from './statement.js'
import { list, quote } from './words.js'

/** One device is quoted, several are not. */
function devices(given: string | readonly string[] | undefined): string {
  const names = list(given)
  if (names.length === 0) return ''
  return names.length === 1 ? ` device ${quote(names[0] ?? '')}` : ` devices = { ${names.join(', ')} }`
}

function base({ family, type, hook = 'input', prio = 0, dev, policy = 'accept' }: json.Chain): readonly string[] {
  if (type === undefined) return []
  return [`type ${type} hook ${hook}${devices(dev)} priority ${renderPriority(prio, family, hook)}; policy ${policy};`]
}

const comment = (text: string | undefined): readonly string[] => (text === undefined ? [] : [`comment ${quote(text)}`])

export function renderRule({ expr, comment }: json.Rule, options: RenderOptions): string {
  const text = renderStatements(expr, options)
  return comment === undefined ? text : `${text} comment ${quote(comment)}`
}

/** A chain with its rules. */
export function renderChain(chain: json.Chain, rules: readonly json.Rule[], options: RenderOptions): string {
  return block(`chain ${chain.name}`, [
    ...comment(chain.comment),
    ...base(chain),
    ...rules.map(rule => renderRule(rule, options)),
  ])
}

export function renderFlowtable({ name, family, hook = 'ingress', prio = 0, dev, flags }: json.Flowtable): string {
  const set = list(flags)
  return block(`flowtable ${name}`, [
    `hook ${hook} priority ${renderPriority(prio, family, hook)}`,
    ...(list(dev).length === 0 ? [] : [`devices = { ${list(dev).join(', ')} }`]),
    ...(set.includes('offload') ? ['flags offload'] : []),
    ...(set.includes('counter') ? ['counter'] : []),
  ])
}
