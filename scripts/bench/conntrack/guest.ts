/** What runs in a network namespace of the bench's own, on the host's kernel: a full table is read, filtered and partly deleted. */
import { checkFlow, writeFlow } from '../../../lib/conntrack/flow.js'
import type { ConntrackClient, FlowFilter } from '../../../lib/conntrack/index.js'
import { open } from '../../../lib/conntrack/open.js'
import { conntrackTrace } from '../../../lib/conntrack/trace.js'
import { flowAttributes, header, message, messageType } from '../../../lib/conntrack/wire.js'
import { Kernel } from '../../../lib/netlink/kernel.js'
import { nativeTransport } from '../../../lib/netlink/native.js'
import { NETLINK_NETFILTER } from '../../../lib/netlink/transport.js'
import { quantile } from '../pairs.js'
import { type Crossing, recording, replaying } from '../recorder.js'
import { type Slices, slicesOf } from '../slices.js'

export interface GuestOptions {
  readonly flows: number
  readonly runs: number
}

/** Milliseconds. */
export interface Measured {
  readonly reading: number
  readonly filtering: number
  readonly asking: number
  /** Of half of them. */
  readonly deleting: number
  readonly slices: { readonly reading: Slices; readonly filtering: Slices }
}

const NLM_F_CREATE = 0x400
/** Looked for here, in all flows; and by the kernel, which compares whole addresses. */
const HERE: FlowFilter = { original: { source: '10.0.1.0/24' } }
const THERE: FlowFilter = { original: { source: '10.0.1.7' } }
const HALF: FlowFilter = { protocol: 'udp', original: { destinationPort: 53 } }

/** Puts flows into the table, many with each message to the kernel. */
async function fill(flows: number): Promise<void> {
  const kernel = new Kernel(nativeTransport(), NETLINK_NETFILTER, conntrackTrace, 600)
  const asks = Array.from({ length: flows }, (_, i) => {
    const source = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`
    const original = {
      protocol: 'udp',
      source,
      destination: '10.96.0.10',
      sourcePort: 1000,
      destinationPort: i % 2 ? 53 : 54,
    } as const
    const record = checkFlow({ original, timeout: 3600 })
    return {
      type: messageType(message.new),
      flags: NLM_F_CREATE,
      header: header.size,
      attributes: flowAttributes,
      body: (writer: Parameters<typeof writeFlow>[0]) => writeFlow(writer, record),
    }
  })
  const refusals = await kernel.call(undefined, limit => kernel.requests(asks, limit))
  const refusal = refusals.find(found => found !== undefined)
  if (refusal) throw refusal
  await kernel.close()
}

async function read(client: ConntrackClient, filter?: FlowFilter): Promise<number> {
  let count = 0
  for await (const page of client.flows(filter).pages()) count += page.length
  return count
}

async function median(runs: number, task: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < runs; i++) {
    const start = performance.now()
    await task()
    times.push(performance.now() - start)
  }
  return quantile(times, 0.5)
}

/** How long a reading keeps the event loop to itself, with answers that were recorded before. */
async function slices(runs: number, filter?: FlowFilter): Promise<Slices> {
  const crossings: Crossing[] = []
  const recorder = await open({ transport: recording(nativeTransport(), crossings) })
  await read(recorder, filter)
  await recorder.close()
  return slicesOf(runs, async () => {
    const client = await open({ transport: replaying(crossings) })
    return { run: () => read(client, filter), end: () => client.close() }
  })
}

async function measure({ flows, runs }: GuestOptions): Promise<Measured> {
  await fill(flows)
  const client = await open()
  const { entries } = await client.count()
  if (entries !== flows) throw new Error(`there are ${entries} flows, not ${flows}`)
  const reading = await median(runs, () => read(client))
  const filtering = await median(runs, () => read(client, HERE))
  const asking = await median(runs, () => read(client, THERE))
  const measured = { reading: await slices(runs), filtering: await slices(runs, HERE) }
  const deleting = await median(1, () => client.deleteMatching(HALF))
  await client.flush('all')
  await client.close()
  return { reading, filtering, asking, deleting, slices: measured }
}

process.stdout.write(JSON.stringify(await measure(JSON.parse(process.argv[2] ?? '') as GuestOptions)))
