/**
 * The proxy with IPVS, inside a kernel that has it: a task, in a process of its own. Each run is in a new network namespace: what is removed
 * stays in IPVS' trash for minutes.
 */
import { release } from 'node:os'
import type { Operation } from '../../../lib/ipvs/batch.js'
import { type IpvsClient, open as openIpvs } from '../../../lib/ipvs/index.js'
import { liftDocument } from '../../../lib/nft/document/lift.js'
import { lowerDocument } from '../../../lib/nft/document/lower.js'
import { type Command, type NftClient, open as openNft } from '../../../lib/nft/index.js'
import { additions } from '../ipvs/fleet.js'
import { inNewNamespace, loadModules, type Namespace, timeRun } from '../ipvs/guest.js'
import { type Pairs, pairs, quantile } from '../pairs.js'
import { say, shell } from '../shell.js'
import type { Size } from './objects.js'
import { changed, type Loaded, loaded, mostMemory, type Subject, type Times, timed } from './subject.js'

export interface VirtualOptions {
  readonly task: VirtualTask
  readonly size: Size
  readonly runs: number
}

/** Against the same objects of the kernel, by its clients. */
export interface Load {
  readonly kernel: string
  /** Milliseconds of the first run of the process. */
  readonly cold: number
  readonly sync: Pairs
  /** From parsed objects on: its median. */
  readonly whole: number
  /** Of virtual servers and real servers. */
  readonly operations: number
  readonly elements: number
}

export interface VirtualResults {
  readonly load: Load
  readonly change: Times
  /** Bytes: the most that the process had of the machine's memory, its own and the caller's objects included. */
  readonly memory: number
}

export type VirtualTask = keyof VirtualResults

/** V8 compiles that late where processors are emulated: what is measured gets quicker until then. */
const EMULATED_WARM = 36

/** The proxy has a table of each. */
const FAMILIES = ['ip', 'ip6', 'arp'] as const

/** All that a proxy has made in a namespace, as one may give it to the clients. */
interface Bulk {
  readonly transactions: readonly (readonly Command[])[]
  readonly operations: readonly Operation[]
  readonly elements: number
}

const subject = ({ name }: Namespace): Subject => ({ backend: 'ipvs', netns: { name } })

async function withClients<T>(
  { name }: Namespace,
  use: (clients: { readonly nft: NftClient; readonly lvs: IpvsClient }) => Promise<T>,
): Promise<T> {
  await using nft = await openNft({ netns: { name } })
  await using lvs = await openIpvs({ netns: { name } })
  return await use({ nft, lvs })
}

const bulkIn = (netns: Namespace): Promise<Bulk> =>
  withClients(netns, async ({ nft, lvs }) => {
    const tables = await Promise.all(FAMILIES.map(family => nft.snapshot({ family, table: 'ts-ipvs' })))
    const { virtualServers } = await lvs.snapshot()
    return {
      transactions: tables.map(table => {
        const objects = liftDocument(table).nftables.filter(object => !('metainfo' in object))
        const nothing = { tables: [], chains: [], rules: [], sets: [], elements: [] }
        return lowerDocument({ nftables: objects.map(object => ({ add: object })) }, nothing).commands
      }),
      operations: additions(virtualServers),
      elements: tables.flatMap(({ elements }) => elements).reduce((sum, { elements }) => sum + elements.length, 0),
    }
  })

/** Of a proxy that is told all and syncs once. */
const proxied = (size: Size): Promise<Loaded> =>
  inNewNamespace(async netns => {
    const all = await loaded(size, subject(netns))
    await all.proxy.close()
    return all
  })

/** Of the clients, which are given all of it. */
const made = ({ transactions, operations }: Bulk): Promise<number> =>
  inNewNamespace(netns =>
    withClients(netns, async ({ nft, lvs }) => {
      await lvs.info()
      const rules = await timed(async () => {
        for (const commands of transactions) await nft.commit(commands)
      })
      return rules + (await timeRun(lvs, operations))
    }),
  )

const tasks: { readonly [T in VirtualTask]: (size: Size, runs: number) => Promise<VirtualResults[T]> } = {
  async load(size, runs) {
    const { cold, bulk } = await inNewNamespace(async netns => {
      const { proxy, took } = await loaded(size, subject(netns))
      await proxy.close()
      return { cold: took, bulk: await bulkIn(netns) }
    })
    const whole: number[] = []
    const sync = async (): Promise<number> => {
      const { took, sync } = await proxied(size)
      whole.push(took)
      return sync
    }
    say('those that warm up')
    await pairs(EMULATED_WARM, sync, () => made(bulk))
    say(`${runs} pairs`)
    const measured = await pairs(runs, sync, () => made(bulk))
    return {
      kernel: release(),
      cold,
      sync: measured,
      whole: quantile(whole.slice(EMULATED_WARM), 0.5),
      operations: bulk.operations.length,
      elements: bulk.elements,
    }
  },

  change: (size, runs) =>
    inNewNamespace(async netns => {
      const { proxy, source } = await loaded(size, subject(netns))
      const measured = await changed(proxy, source, size, runs)
      await proxy.close()
      return measured
    }),

  memory: size =>
    inNewNamespace(async netns => {
      const { proxy } = await loaded(size, subject(netns))
      await proxy.close()
      return mostMemory()
    }),
}

const { task, size, runs } = JSON.parse(process.argv[2] ?? '') as VirtualOptions
say(`${task}: ${size.services} Services with ${size.endpoints} endpoints each`)
await loadModules()
process.stdout.write(JSON.stringify(await tasks[task](size, runs)))
shell.end()
