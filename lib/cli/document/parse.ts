/** Text to a configuration, or to all that is wrong with it, with its places. JSON is YAML to the parser. */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type ParsedNode,
  Parser,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml'
import { type Configuration, checkConfiguration } from '../../ipvs/index.js'
import { type Place, placesIn } from './places.js'

/** Something wrong at a place of a text. */
export interface Problem extends Place {
  readonly message: string
}

export type Parsed = { readonly configuration: Configuration } | { readonly problems: readonly Problem[] }

/** What one alias after the other may repeat: more is an attack on the memory (a "billion laughs"). */
const MOST_ALIASES = 10_000

const MOST_BRACKETS = 100
/** The same in the block style: lists and keys that begin on one line. */
const COMPACT = /(?:[-?:][ \t]+){100}/
const TOO_DEEP = 'it is nested too deeply: the deepest that there is are tunnels of real servers'

/** Where the parser's own words are for programmers. */
const WORDS: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'the field is there twice: keep one',
  MULTIPLE_DOCS: 'a second document begins: give one',
  RESOURCE_EXHAUSTION: TOO_DEEP,
  NON_STRING_KEY: 'this is no name of a field: give a plain word',
}

export function parseConfiguration(text: string): Parsed {
  const placeOf = placesIn(text)
  const at = (offset: number, message: string): Problem => ({ ...placeOf(offset), message })
  const abyss = tooDeep(text)
  if (abyss !== undefined) return { problems: [at(abyss, TOO_DEEP)] }
  const directive = otherVersion(text)
  if (directive) return { problems: [at(...directive)] }
  const document = parseDocument(text, { prettyErrors: false, stringKeys: true })
  if (document.errors.length > 0)
    return { problems: document.errors.map(error => at(error.pos[0], WORDS[error.code] ?? malformed(error))) }
  if (document.contents === null) return { problems: [at(0, 'it is empty: virtualServers was expected, a list')] }

  const refused = refusedNodes(document)
  if (refused.length > 0) return { problems: refused.map(([node, message]) => at(node.range?.[0] ?? 0, message)) }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: MOST_ALIASES })
  } catch (error) {
    return { problems: [at(0, `its aliases repeat too much: write it out (${(error as Error).message})`)] }
  }
  const mistakes = checkConfiguration(withoutSchema(value))
  if (mistakes.length === 0) return { configuration: withoutSchema(value) as Configuration }
  const problems = mistakes.map(({ field, message, first }) => {
    const words = first === undefined ? message : named(message, first, placeOf(offsetOf(document, first)))
    return at(offsetOf(document, field), words)
  })
  return { problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) }
}

/**
 * Where brackets or lists are opened beyond all reason, quotes and comments not looked at: the parser calls itself for each, and at the
 * end of its stack Node.js may abort.
 */
function tooDeep(text: string): number | undefined {
  const compact = COMPACT.exec(text)
  if (compact) return compact.index
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (character === '[' || character === '{') depth++
    else if ((character === ']' || character === '}') && depth > 0) depth--
    if (depth > MOST_BRACKETS) return i
  }
  return undefined
}

/** A directive that asks for another YAML, in which numbers and words mean something else: its offset, and what is wrong with it. */
function otherVersion(text: string): [offset: number, message: string] | undefined {
  if (!text.includes('%YAML')) return undefined
  for (const token of new Parser().parse(text)) {
    if (token.type !== 'directive') continue
    const [name, version] = token.source.split(/[ \t]+/)
    if (name === '%YAML' && version !== '1.2')
      return [token.offset, `${token.source}: this is read as YAML 1.2: leave the directive out, or give %YAML 1.2`]
  }
  return undefined
}

function malformed({ message }: YAMLError): string {
  return `this is neither YAML nor JSON: ${message}`
}

/** A place in the file instead of a field's. */
function named(message: string, first: string, { line, column }: Place): string {
  return message.replace(`, ${first} is`, `, line ${line}, column ${column} is`)
}

/** `$schema` is for editors. */
function withoutSchema(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
  const { $schema: _, ...configuration } = value as { $schema?: unknown }
  return configuration
}

/** Nodes that mean something which is not in the text: tags, aliases of nothing or of themselves, numbers that others read as octal. */
function refusedNodes(document: Document.Parsed): [Node, string][] {
  const refused: [Node, string][] = []
  const anchors = new Map<string, Node>()
  visit(document, {
    Node(_, node, path) {
      if (isAlias(node)) {
        const target = anchors.get(node.source)
        if (!target) refused.push([node, `*${node.source} stands for nothing: put the anchor &${node.source} before it`])
        else if (path.includes(target)) refused.push([node, `*${node.source} would hold itself: write out what it shall be`])
        return
      }
      if ((isScalar(node) || isCollection(node)) && node.anchor !== undefined) anchors.set(node.anchor, node)
      if (isScalar(node) && typeof node.value === 'number' && /^[-+]?0\d/.test(node.source ?? ''))
        refused.push([node, `${node.source} begins with 0, and readers of YAML 1.1 take it for octal: write ${node.value}`])
      if (node.tag !== undefined) refused.push([node, `the tag ${node.tag} has no meaning here: leave it out`])
    },
  })
  return refused
}

const SEGMENT = /([$\w]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/g

/** Where the name of a field stands, or an item of a list; of what is missing, where it should be in. */
function offsetOf(document: Document.Parsed, field: string): number {
  let node: unknown = document.contents
  let offset = (node as ParsedNode).range[0]
  for (const [, word, index, quoted] of field.matchAll(SEGMENT)) {
    if (isAlias(node)) node = node.resolve(document)
    let place: unknown
    if (isSeq(node) && index !== undefined) node = place = node.items[Number(index)]
    else if (isMap(node)) {
      const name = word ?? (quoted === undefined ? undefined : JSON.parse(quoted))
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === name)
      place = pair?.key
      node = pair?.value
    }
    const range = (place as ParsedNode | undefined)?.range
    if (!range) break
    offset = range[0]
  }
  return offset
}
