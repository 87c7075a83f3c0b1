/** Manifests: YAML or JSON, one document or several; lists of objects as `kubectl get -o yaml` prints them. */
import { isKind, type KubernetesObject, readObject } from './kubernetes.js'
import { isRecord } from './shape.js'
import { type Document, isCollection, LineCounter, parseAllDocuments, type Node as YamlNode } from './yaml.js'

/** Something wrong in a manifest. */
export interface ManifestProblem {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** `spec.ports[0].port`; undefined where it is the document as a whole. */
  readonly field?: string | undefined
  readonly message: string
}

export interface Manifest {
  readonly objects: readonly KubernetesObject[]
  readonly problems: readonly ManifestProblem[]
  /** Kinds that a proxy has no use for, and how many: Deployments, ConfigMaps, … */
  readonly ignored: ReadonlyMap<string, number>
}

interface Found {
  readonly objects: KubernetesObject[]
  readonly problems: ManifestProblem[]
  readonly ignored: Map<string, number>
}

/** What one alias after the other may repeat: more is an attack on the memory. */
const MOST_ALIASES = 10_000

/** Reads a manifest. What is wrong is told, with its line; the rest is there. */
export function parseManifest(content: string, file: string): Manifest {
  return ofJson(content, file) ?? ofYaml(content, file)
}

/** JSON is YAML, and read a hundred times faster where there is nothing wrong with it, and no line to tell. */
function ofJson(content: string, file: string): Manifest | undefined {
  if (!/^\s*\{/.test(content)) return undefined
  const found: Found = { objects: [], problems: [], ignored: new Map() }
  try {
    readValue(JSON.parse(content), [], file, () => 1, found)
  } catch {
    return undefined
  }
  return found.problems.length === 0 ? found : undefined
}

function ofYaml(content: string, file: string): Manifest {
  const found: Found = { objects: [], problems: [], ignored: new Map() }
  const whole = parsed(content)
  const broken = whole.documents.some(({ errors }) => errors.length > 0)
  let before = 0
  for (const part of broken ? partsOf(content).map(parsed) : [whole]) {
    const { documents, lines, text } = part
    const lineOf = (offset: number): number => before + Math.max(1, lines.linePos(offset).line)
    for (const document of documents) {
      const [error] = document.errors
      if (error)
        found.problems.push({ file, line: lineOf(error.pos[0]), message: `is no YAML: ${error.message.split('\n', 1)[0]}` })
      else readDocument(document, file, lineOf, found)
    }
    before += text.split('\n').length - 1
  }
  return found
}

interface Parsed {
  readonly text: string
  readonly documents: readonly Document[]
  readonly lines: LineCounter
}

function parsed(text: string): Parsed {
  const lines = new LineCounter()
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })
  return { text, documents: Array.isArray(documents) ? documents : [], lines }
}

/** What is between lines of dashes: a quotation mark that is not closed would take the documents behind it along. */
const partsOf = (content: string): readonly string[] => content.split(/^(?=---(?:\s|$))/m)

function readDocument(document: Document, file: string, lineOf: (offset: number) => number, found: Found): void {
  let value: unknown
  const start = document.contents?.range?.[0] ?? document.range?.[0] ?? 0
  try {
    value = document.toJS({ maxAliasCount: MOST_ALIASES })
  } catch (error) {
    found.problems.push({ file, line: lineOf(start), message: `its aliases repeat too much: ${(error as Error).message}` })
    return
  }
  if (value === null || value === undefined) return
  const place = (path: readonly (string | number)[]): number => lineOf(offsetOf(document, path) ?? start)
  readValue(value, [], file, place, found)
}

type PlaceOf = (path: readonly (string | number)[]) => number

function readValue(value: unknown, at: readonly (string | number)[], file: string, place: PlaceOf, found: Found): void {
  const problem = (field: string | undefined, message: string): void => {
    const path = [...at, ...stepsOf(field ?? '')]
    found.problems.push({ file, line: place(path), ...(field === undefined ? {} : { field }), message })
  }
  if (!isRecord(value)) return problem(undefined, 'is no object of Kubernetes: give apiVersion, kind, metadata')
  const { kind, items } = value
  if (typeof kind !== 'string') return problem('kind', 'is missing: give Service, EndpointSlice, Pod, …')
  if (kind.endsWith('List') && Array.isArray(items)) {
    // Items of a list of one kind need not repeat it.
    const of = kind.slice(0, -4)
    for (const [i, item] of items.entries())
      readValue(isRecord(item) && of !== '' ? { kind: of, ...item } : item, [...at, 'items', i], file, place, found)
    return
  }
  if (!isKind(kind)) {
    found.ignored.set(kind, (found.ignored.get(kind) ?? 0) + 1)
    return
  }
  const { object, problems } = readObject(kind, value)
  for (const { path, message } of problems) problem(path, message)
  if (object) found.objects.push(object)
}

/** `spec.ports[0].port` as a list. Names of fields that have dots are of labels, whose problems are of the value: the nearest will do. */
const stepsOf = (path: string): readonly (string | number)[] =>
  path
    .split(/\.|(?=\[)/)
    .filter(part => part !== '')
    .map(part => (part.startsWith('[') ? Number(part.slice(1, -1)) : part))

/** Where a field begins, or the nearest above it that is there. */
function offsetOf(document: Document, path: readonly (string | number)[]): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const above = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
    const last = path[length - 1]
    if (!isCollection(above)) continue
    const item = above.items.find((item, i) => {
      const key = (item as { readonly key?: { readonly value?: unknown } }).key
      return key ? key.value === last : i === last
    })
    const key = (item as { readonly key?: YamlNode } | undefined)?.key ?? (item as YamlNode | undefined)
    if (key?.range) return key.range[0]
  }
  return undefined
}
