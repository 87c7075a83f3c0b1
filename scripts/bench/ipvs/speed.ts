/** Times of the library against a C program that sends the same messages, and against ipvsadm. Runs inside the guest. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { release, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { IpvsClient } from '../../../lib/ipvs/client.js'
import { command as ipvs } from '../../../lib/ipvs/wire.js'
import { align4, MessageReader } from '../../../lib/netlink/buffer.js'
import { messagesOf } from '../../../lib/netlink/message.js'
import { NETLINK_GENERIC } from '../../../lib/netlink/transport.js'
import { type Pairs, pairs, times } from '../pairs.js'
import { type Crossing, recording } from '../recorder.js'
import { runFloor, say, shell, timed } from '../shell.js'
import { additions, fleet, type Size, withWeight } from './fleet.js'
import { connect, inNewNamespace, loadModules, type Namespace, save, timeRun } from './guest.js'

export interface SpeedOptions {
  readonly size: Size
  readonly pairs: number
  readonly floor: string
  /** Pairs against ipvsadm, which is slow. */
  readonly ipvsadmPairs: number
}

export interface Speed {
  readonly kernel: string
  readonly operations: number
  /** Milliseconds of the very first run of the process. */
  readonly coldApply: number
  readonly coldSnapshot: number
  readonly apply: Pairs
  readonly applyIpvsadm: Pairs | undefined
  readonly snapshot: Pairs
  readonly snapshotIpvsadm: Pairs | undefined
  /** Against the snapshot. */
  readonly planAndApply: Pairs
}

/** Runs until V8 has compiled what is measured. */
const WARM = 5

async function measure(options: SpeedOptions): Promise<Speed> {
  const { size } = options
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  await loadModules()

  const apply = (): Promise<number> => inNewNamespace(netns => applied(netns, size))
  say('the first run')
  const coldApply = await apply()

  const requests = join(folder, 'apply')
  const saved = join(folder, 'saved')
  const state = await inNewNamespace(async netns => {
    writeFileSync(requests, await recordApply(netns, size))
    return save(netns)
  })
  const floorApply = (): Promise<number> =>
    inNewNamespace(netns => runFloor(options.floor, NETLINK_GENERIC, netns.path, requests))
  await inNewNamespace(async netns => {
    await runFloor(options.floor, NETLINK_GENERIC, netns.path, requests)
    if ((await save(netns)) !== state) throw new Error('the C program has made other tables than the library')
  })
  await times(WARM, apply)
  say(`apply and the C program, ${options.pairs} pairs`)
  const applyPairs = await pairs(options.pairs, apply, floorApply)

  say(`apply and ipvsadm -R, ${options.ipvsadmPairs} pairs`)
  writeFileSync(saved, state)
  const restore = (): Promise<number> => inNewNamespace(netns => timed(`nsenter --net=${netns.path} ipvsadm -R <${saved}`))
  const applyIpvsadm = options.ipvsadmPairs > 0 ? await pairs(options.ipvsadmPairs, apply, restore) : undefined

  return inNewNamespace(async netns => {
    const lvs = await connect(netns)
    await timeRun(lvs, additions(fleet(size)))
    const snapshot = (): Promise<number> => timeSnapshot(lvs, size)
    const coldSnapshot = await snapshot()
    const dumps = join(folder, 'snapshot')
    writeFileSync(dumps, await recordSnapshot(netns))

    await times(WARM, snapshot)
    say(`snapshot and the C program, ${options.pairs} pairs`)
    const snapshotPairs = await pairs(options.pairs, snapshot, () => runFloor(options.floor, NETLINK_GENERIC, netns.path, dumps))

    let weight = 1
    const planAndApply = (): Promise<number> => timePlan(lvs, size, ++weight)
    say(`plan and apply of one weight, and snapshot, ${options.pairs} pairs`)
    await times(WARM, planAndApply)
    const planPairs = await pairs(options.pairs, planAndApply, snapshot)

    say(`snapshot and ipvsadm -Sn, ${options.ipvsadmPairs} pairs`)
    const list = (): Promise<number> => timed(`nsenter --net=${netns.path} ipvsadm -Sn >/dev/null`)
    const snapshotIpvsadm = options.ipvsadmPairs > 0 ? await pairs(options.ipvsadmPairs, snapshot, list) : undefined
    await lvs.close()

    return {
      kernel: release(),
      operations: size.virtualServers * (1 + size.realServers),
      coldApply,
      coldSnapshot,
      apply: applyPairs,
      applyIpvsadm,
      snapshot: snapshotPairs,
      snapshotIpvsadm,
      planAndApply: planPairs,
    }
  })
}

async function applied(netns: Namespace, size: Size): Promise<number> {
  const lvs = await connect(netns)
  const time = await timeRun(lvs, additions(fleet(size)))
  await lvs.close()
  return time
}

async function timeSnapshot(lvs: IpvsClient, size: Size): Promise<number> {
  const start = performance.now()
  const { virtualServers, consistent } = await lvs.snapshot()
  const time = performance.now() - start
  const found = virtualServers.reduce((sum, virtualServer) => sum + virtualServer.realServers.length, virtualServers.length)
  if (!consistent || found !== size.virtualServers * (1 + size.realServers)) throw new Error(`a snapshot of ${found} objects`)
  return time
}

async function timePlan(lvs: IpvsClient, size: Size, weight: number): Promise<number> {
  const desired = withWeight(fleet(size), weight)
  const start = performance.now()
  const { applied } = await lvs.apply(await lvs.plan(desired))
  const time = performance.now() - start
  if (applied !== 1) throw new Error(`a plan of ${applied} operations for one changed weight`)
  return time
}

async function recordApply(netns: Namespace, size: Size): Promise<Uint8Array> {
  const crossings: Crossing[] = []
  const lvs = await connect(netns, transport => recording(transport, crossings))
  crossings.length = 0
  await timeRun(lvs, additions(fleet(size)))
  await lvs.close()
  return Buffer.concat(crossings.flatMap(({ request }) => request ?? []))
}

/** The dumps of a snapshot: one of virtual servers, though the library compares two, and one of real servers for each of them. */
async function recordSnapshot(netns: Namespace): Promise<Uint8Array> {
  const crossings: Crossing[] = []
  const lvs = await connect(netns, transport => recording(transport, crossings))
  await lvs.snapshot()
  await lvs.close()
  const messages = crossings.flatMap(({ request }) => (request ? dumpsOf(request) : []))
  return Buffer.concat(
    [
      ...messages.filter(message => message.command === ipvs.getService).slice(0, 1),
      ...messages.filter(message => message.command === ipvs.getDest),
    ].map(message => message.bytes),
  )
}

function dumpsOf(request: Uint8Array): { command: number; bytes: Uint8Array }[] {
  const reader = new MessageReader(request)
  return [...messagesOf(reader)].map(({ start, payload, end }) => ({
    command: reader.bytes[payload] as number,
    bytes: reader.bytes.subarray(start, align4(end)),
  }))
}

process.stdout.write(JSON.stringify(await measure(JSON.parse(process.argv[2] ?? '') as SpeedOptions)))
shell.end()
