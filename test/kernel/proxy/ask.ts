/** Asks with real packets what becomes of connections. */
import type { Answer, Orders, Target } from '../traffic/peer.js'

/** What becomes of a connection to an address and port. */
export interface Seen {
  readonly verdict: 'accept' | 'reject' | 'drop'
  /** Who answered, and from where the question came to it. */
  readonly answers: readonly Answer[]
}

/** What is expected: who answers, and whose address it sees. */
export interface Right {
  readonly verdict: Seen['verdict']
  readonly servers: readonly string[]
  readonly source: string
}

/** Milliseconds of silence that count as one: where it is expected, and where it is not. */
const PATIENCE = { drop: 2500, others: 30_000 }

/** How often it is asked at most until all have answered that are expected: one of three is left out that long once in 10^17 times. */
const MOST = 100
const AT_ONCE = 4

/** How an attempt ends where packets are dropped. What a machine itself sends can not be sent. */
const DROPPED = new Set(['silence', 'EPERM'])

/** Asks until all have answered that are expected to, each time anew; where nobody is, once. */
export async function ask(peer: Orders, target: Target, { verdict, servers }: Right): Promise<Seen> {
  const answers: Answer[] = []
  const heard = new Set<string>()
  const times = servers.length > 1 ? AT_ONCE : 1
  const patience = verdict === 'drop' ? PATIENCE.drop : PATIENCE.others
  for (let asked = 0; asked === 0 || (heard.size < servers.length && asked < MOST); asked += times)
    for (const outcome of await peer.attempt(target, times, patience)) {
      if (typeof outcome === 'string') return { verdict: verdictOf(outcome), answers }
      answers.push(outcome)
      heard.add(outcome.server)
    }
  return { verdict: 'accept', answers }
}

/** Why packets did something else than is expected; undefined when they did not. */
export function difference({ verdict, answers }: Seen, right: Right): string | undefined {
  const found = { verdict, servers: [...new Set(answers.map(({ server }) => server))].sort() }
  const wanted = { verdict: right.verdict, servers: right.servers.toSorted() }
  if (JSON.stringify(found) !== JSON.stringify(wanted)) return `${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`
  const other = answers.find(({ from }) => from !== right.source)
  return other && `${other.server} sees ${other.from} instead of ${right.source}`
}

function verdictOf(code: string): 'reject' | 'drop' {
  if (code === 'ECONNREFUSED') return 'reject'
  if (DROPPED.has(code)) return 'drop'
  throw new Error(`a connection ended with ${code}`)
}

/** Does something for each, so many at once. */
export async function each<T>(items: Iterable<T>, atOnce: number, run: (item: T) => Promise<void>): Promise<void> {
  const left = items[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (let next = left.next(); !next.done; next = left.next()) await run(next.value)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}
