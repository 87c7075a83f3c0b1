/**
 * Nobody on the networks of this machine is told by ARP that addresses of Services are here. The kernel answers for all that it has a local route
 * to (net/ipv4/arp.c, arp_process): every node would, and who asks for an address that one node announces, or that another machine has, would
 * get any of them. IPv6 answers for addresses of devices alone (net/ipv6/ndisc.c), and so does IPv4 then.
 */
import type { NetlinkError, NftClient } from '../nft/index.js'
import type { Command, Document, RulesetObject } from '../nft/json/index.js'
import { cidrOf } from '../service/index.js'
import { TABLE } from './nftables/layout.js'
import type { Log } from './options.js'

const FAMILY = 'arp'
const SET = 'services'
/** A table of another layout is made anew. */
const COMMENT = 'ts-ipvs proxy, layout 1'

const OBJECTS: readonly RulesetObject[] = [
  { table: { family: FAMILY, name: TABLE, comment: COMMENT } },
  { set: { family: FAMILY, table: TABLE, name: SET, type: 'ipv4_addr', flags: ['interval'] } },
  { chain: { family: FAMILY, table: TABLE, name: 'input', type: 'filter', hook: 'input', prio: 0, policy: 'accept' } },
  {
    rule: {
      family: FAMILY,
      table: TABLE,
      chain: 'input',
      expr: [
        { match: { op: '==', left: { payload: { protocol: 'arp', field: 'operation' } }, right: 'request' } },
        { match: { op: '==', left: { payload: { protocol: 'arp', field: 'daddr ip' } }, right: `@${SET}` } },
        { drop: null },
      ],
    },
  },
]

/** Prefixes that the kernel has. */
type Known = ReadonlySet<string> | 'no table' | 'another table'

export class ArpGuard {
  readonly #client: NftClient
  readonly #log: Log
  /** Undefined: it is read first. */
  #known: Known | undefined
  /** Whether the kernel has nftables for ARP (CONFIG_NF_TABLES_ARP). */
  #able = true

  constructor(client: NftClient, log: Log) {
    this.#client = client
    this.#log = log
  }

  /** The table may be another one than it was left. */
  doubt(): void {
    this.#known = undefined
  }

  /** What makes it as it is wanted. Changes nothing. */
  async plan(wanted: ReadonlySet<string>, signal?: AbortSignal): Promise<Document> {
    this.#known ??= await this.#read(signal)
    const known = typeof this.#known === 'string' ? new Set<string>() : this.#known
    const added = [...wanted].filter(prefix => !known.has(prefix))
    if (this.#known === 'no table' && added.length === 0) return { nftables: [] }
    const removed = [...known].filter(prefix => !wanted.has(prefix))
    return {
      nftables: [
        ...(this.#known === 'another table' ? [{ delete: { table: { family: FAMILY, name: TABLE } } } as const] : []),
        ...(typeof this.#known === 'string' ? OBJECTS.map(object => ({ add: object })) : []),
        ...elements('delete', removed),
        ...elements('add', added),
      ],
    }
  }

  async sync(wanted: ReadonlySet<string>, signal?: AbortSignal): Promise<void> {
    if (!this.#able) return
    const document = await this.plan(wanted, signal)
    if (document.nftables.length === 0) return
    this.doubt()
    try {
      await this.#client.apply(document, { signal })
      this.#known = new Set(wanted)
    } catch (error) {
      if ((error as Partial<NetlinkError>).code !== 'EOPNOTSUPP') throw error
      this.#able = false
      this.#log('warn', 'the kernel has no nftables for ARP: it tells its networks that addresses of Services are here')
    }
  }

  async cleanup(signal?: AbortSignal): Promise<void> {
    this.doubt()
    const table = { family: FAMILY, name: TABLE } as const
    if (await this.#client.getTable(table, { signal })) await this.#client.commit([{ delete: { table } }], { signal })
  }

  async #read(signal: AbortSignal | undefined): Promise<Known> {
    const { tables, rules, elements } = await this.#client.snapshot({ family: FAMILY, table: TABLE, signal })
    if (tables.length === 0) return 'no table'
    if (tables[0]?.comment !== COMMENT || rules.length !== 1) return 'another table'
    const found = elements.filter(({ set }) => set.name === SET).flatMap(({ elements }) => elements)
    return new Set(found.map(({ key }) => cidrOf(String(key))?.text ?? String(key)))
  }
}

function elements(verb: 'add' | 'delete', prefixes: readonly string[]): readonly Command[] {
  if (prefixes.length === 0) return []
  const elem = prefixes.map(prefix => {
    const [addr = '', length] = prefix.split('/')
    return length === '32' ? addr : { prefix: { addr, len: Number(length) } }
  })
  return [{ [verb]: { element: { family: FAMILY, table: TABLE, name: SET, elem } } } as unknown as Command]
}
