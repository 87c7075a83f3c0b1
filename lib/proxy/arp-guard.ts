/**
 * Nobody on the networks of this machine is told by ARP that addresses of Services are here. The kernel answers for all that it has a local route
 * to (net/ipv4/arp.c, arp_process): every node would, and who asks for an address that one node announces, or that another machine has, would
 * get any of them. IPv6 answers for addresses of devices alone (net/ipv6/ndisc.c), and so does IPv4 then.
 */
import { NOTHING as NO_TABLE } from '../nft/document/known.js'
import { lowerDocument } from '../nft/document/lower.js'
import type { Command, NetlinkError, NftClient } from '../nft/index.js'
import type { Document, RulesetObject } from '../nft/json/index.js'
import { creating, isTaken } from './nftables/create.js'
import { TABLE } from './nftables/layout.js'
import type { Log } from './options.js'

const FAMILY = 'arp'
const SET = 'services'
const KEY = { family: FAMILY, name: TABLE } as const

const OBJECTS: readonly RulesetObject[] = [
  { table: KEY },
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

/** The table with these prefixes. */
const tableOf = (wanted: ReadonlySet<string>): Document => ({
  nftables: [...OBJECTS, ...(wanted.size > 0 ? [elementsOf(wanted)] : [])].map(object => ({ add: object })),
})

const NOTHING: Document = { nftables: [] }

export class ArpGuard {
  readonly #client: NftClient
  readonly #log: Log
  /** Prefixes that the kernel has, where nobody changed them; undefined: it is read first. */
  #known: ReadonlySet<string> | undefined
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
    if (this.#has(wanted)) return NOTHING
    if (await this.#client.getTable(KEY, { signal })) return (await this.#client.plan(tableOf(wanted), { signal })).document
    return wanted.size > 0 ? tableOf(wanted) : NOTHING
  }

  async sync(wanted: ReadonlySet<string>, signal?: AbortSignal): Promise<void> {
    if (!this.#able || this.#has(wanted)) return
    this.doubt()
    try {
      const made = wanted.size > 0 && (await this.#make(wanted, signal))
      if (!made && (await this.#client.getTable(KEY, { signal }))) await this.#mend(wanted, signal)
      this.#known = new Set(wanted)
    } catch (error) {
      if ((error as Partial<NetlinkError>).code !== 'EOPNOTSUPP') throw error
      this.#able = false
      this.#log('warn', 'the kernel has no nftables for ARP: it tells its networks that addresses of Services are here')
    }
  }

  /** Makes the table, unless there is one. */
  async #make(wanted: ReadonlySet<string>, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      await this.#client.commit(makingOf(wanted), { signal })
      return true
    } catch (error) {
      if (isTaken(error)) return false
      throw error
    }
  }

  async #mend(wanted: ReadonlySet<string>, signal: AbortSignal | undefined): Promise<void> {
    const { document } = await this.#client.plan(tableOf(wanted), { signal })
    if (document.nftables.length > 0) await this.#client.apply(document, { signal })
  }

  #has(wanted: ReadonlySet<string>): boolean {
    return this.#known?.size === wanted.size && [...wanted].every(prefix => this.#known?.has(prefix))
  }

  async cleanup(signal?: AbortSignal): Promise<void> {
    this.doubt()
    if (await this.#client.getTable(KEY, { signal })) await this.#client.commit([{ delete: { table: KEY } }], { signal })
  }
}

/** The same, refused where there is such a table. */
function makingOf(wanted: ReadonlySet<string>): readonly Command[] {
  const set = { family: FAMILY, table: TABLE, name: SET, key: 'ipv4_addr', flags: ['interval'] } as const
  const elements = [...wanted].map(key => ({ key }))
  return [...creating(lowerDocument(tableOf(new Set()), NO_TABLE).commands), { add: { elements: { set, elements } } }]
}

function elementsOf(prefixes: ReadonlySet<string>): RulesetObject {
  const elem = [...prefixes].map(prefix => {
    const [addr = '', length] = prefix.split('/')
    return length === '32' ? addr : { prefix: { addr, len: Number(length) } }
  })
  return { element: { family: FAMILY, table: TABLE, name: SET, elem } }
}
