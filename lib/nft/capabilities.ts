/** What a kernel can do, found out by trying: nothing is said from its version, for distributions change their kernels. */
import { MessageWriter } from '../netlink/buffer.js'
import type { CallOptions, Limit } from '../netlink/channel.js'
import { NetlinkError } from '../netlink/error.js'
import { type Body, Refusal } from '../netlink/generic.js'
import { endMessage, NLM_F_ACK, NLM_F_REQUEST } from '../netlink/message.js'
import { beginNetfilter } from '../netlink/netfilter.js'
import { NETLINK_NETFILTER } from '../netlink/transport.js'
import { asking, isMissing } from './asking.js'
import {
  dormant,
  FAMILIES,
  type Feature,
  featureCommands,
  isThere,
  probeName,
  type Question,
  questions,
  timeoutUpdate,
} from './capability-questions.js'
import { familyToWire } from './family.js'
import { type Kernel, SEND_BUFFER } from './kernel.js'
import { EXPRESSION_NAMES, type KernelOption, OBJECT_TYPES, optionOfFamily } from './kernel-options.js'
import { trial } from './trial.js'
import type { Command, Family, ObjectType } from './types.js'
import { BATCH_BEGIN, BATCH_END, message, NFNL_SUBSYS_NFTABLES, ruleAttributes, setElementListAttributes } from './wire.js'

/** Something that a kernel lacks. */
export interface Missing {
  /** What the kernel has to be built with: `CONFIG_NFT_QUEUE`. */
  readonly option: string
  /** The module that has to be loaded then: `nft_queue`. Absent for what is part of nf_tables. */
  readonly module?: string | undefined
  /** The families that it is missing for. */
  readonly families: readonly Family[]
}

/** Where something can be used. */
export interface Availability {
  /** Families in which it can, be it built in or from a module, which the kernel then has loaded. */
  readonly families: readonly Family[]
  /** What is missing in others. Families for which Linux has nothing of the kind are in neither list. */
  readonly missing: readonly Missing[]
}

/** Options of `capabilities`. */
export interface CapabilityOptions extends CallOptions {
  /**
   * Find out `elementTimeoutUpdate` as well. Only a transaction that is carried out shows it: one that makes a table and removes it again.
   * It leaves nothing behind, but counts the generation up, and whoever watches is told. Default false.
   */
  readonly commit?: boolean | undefined
}

export interface Capabilities extends Readonly<Record<Feature, boolean>> {
  /** Whether nftables can be used here at all. Where it can not, everything else is empty or false. */
  readonly available: boolean
  /** Why not. */
  readonly reason?: NetlinkError
  /** Families of tables. */
  readonly families: Availability
  /** By the kernel's name of each expression. */
  readonly expressions: Readonly<Record<string, Availability>>
  /** Stateful objects. */
  readonly objects: Readonly<Record<ObjectType, Availability>>
  /** Chains of these types. Those of type filter are everywhere. */
  readonly chainTypes: Readonly<Record<'nat' | 'route', Availability>>
  /** Hooks of interfaces. */
  readonly hooks: Readonly<Record<'ingress' | 'egress', Availability>>
  readonly flowtables: Availability
  /** `destroy`, which does not mind when there is nothing (Linux 6.3). */
  readonly destroy: boolean
  /** Tables that only their owner changes (Linux 5.12). */
  readonly tableOwner: boolean
  /** Tables with an owner that stay when it goes (Linux 6.9). */
  readonly tablePersist: boolean
  /** A chain can be bound to several interfaces (Linux 5.5). */
  readonly severalDevices: boolean
  /** And to all whose names begin with something: `eth*` (Linux 6.17). */
  readonly devicesByPattern: boolean
  /** The element `*` (Linux 5.13). */
  readonly catchAllElements: boolean
  /** Sets whose elements have several expressions each (Linux 5.12). */
  readonly severalElementExpressions: boolean
  /** `bitwise` with two registers: `and`, `or`, `xor` (Linux 6.13). */
  readonly bitwiseRegisters: boolean
  /** The keys of `meta` that only family bridge has (CONFIG_NFT_BRIDGE_META, module nft_meta_bridge). */
  readonly bridgeMeta: boolean
  /** Rules can be read with their counters set to zero (Linux 6.4). */
  readonly ruleReset: boolean
  /** Elements as well (Linux 6.5). */
  readonly elementReset: boolean
  /** To write an element again with another time-out changes it (Linux 6.12). Undefined unless asked for with `commit`. */
  readonly elementTimeoutUpdate: boolean | undefined
  /** The end of a transaction can be acknowledged (Linux 6.10). This library does without. */
  readonly endAcknowledgement: boolean
  /** CAP_NET_ADMIN is that of the initial user namespace: buffers are as large as one likes. Otherwise net.core.wmem_max and rmem_max rule. */
  readonly privileged: boolean
  /** Bytes of the largest transaction. */
  readonly sendBuffer: number
  /** Bytes that the answers to one may take in the kernel's accounts. A refused command takes about 1 KiB. */
  readonly receiveBuffer: number
}

const NOWHERE: Availability = { families: [], missing: [] }

/** What can be done here. Rejects when that can not be found out. */
export async function findCapabilities(kernel: Kernel, options: CapabilityOptions): Promise<Capabilities> {
  const { commit = false, ...callOptions } = options
  try {
    return await asking('capabilities', undefined, () => kernel.call(callOptions, limit => ask(kernel, commit, limit)))
  } catch (error) {
    const refused = error instanceof NetlinkError && (error.problem === 'not-permitted' || error.problem === 'not-supported')
    if (!refused) throw error
    return { ...assemble([], [], {}), ...buffersOf(kernel), available: false, reason: error }
  }
}

async function ask(kernel: Kernel, commit: boolean, limit: Limit): Promise<Capabilities> {
  await kernel.readGeneration(limit) // whether there is anything to ask
  const name = probeName()
  const { codes } = await trial(
    kernel,
    FAMILIES.map(family => dormant(family, name)),
    false,
    limit,
  )
  const families = FAMILIES.filter((_, i) => codes[i] === undefined)
  const [first] = families
  const found = first === undefined ? undefined : await tryAll(kernel, families, first, name, limit)
  return {
    ...assemble(families, found?.answers ?? [], found?.features ?? {}),
    ...buffersOf(kernel),
    ruleReset: await knows(kernel, message.getRuleReset, absentRule(name), limit),
    elementReset: await knows(kernel, message.getElementsReset, absentElement(name), limit),
    elementTimeoutUpdate: commit && first !== undefined ? await updatesTimeouts(kernel, first, name, limit) : undefined,
    endAcknowledgement: await acknowledgesEnd(kernel),
    available: true,
  }
}

interface Answer {
  readonly question: Question
  readonly there: boolean
}

type Features = Partial<Readonly<Record<Feature, boolean>>>

async function tryAll(
  kernel: Kernel,
  families: readonly Family[],
  first: Family,
  name: string,
  limit: Limit,
): Promise<{ readonly answers: readonly Answer[]; readonly features: Features }> {
  const asked = questions(families, name)
  const features = Object.entries(featureCommands(first, name)) as [Feature, readonly Command[]][]
  const setup = families.flatMap(family => [dormant(family, name), { add: { chain: { family, table: name, name: 'regular' } } }])
  const tries = [...asked.map(({ command }) => command), ...features.flatMap(([, commands]) => commands)]
  const { codes } = await trial(kernel, [...setup, ...tries], false, limit)
  const answers = asked.map((question, i): Answer => {
    const code = codes[setup.length + i]
    return { question, there: code === undefined || !question.isMissing(code) }
  })
  let next = setup.length + asked.length
  const found = features.map(([feature, commands]) => {
    const refusals = codes.slice(next, next + commands.length)
    next += commands.length
    return [feature, refusals.every(code => isThere(feature, code))]
  })
  return { answers, features: Object.fromEntries(found) }
}

type Assembled = Omit<Capabilities, 'available' | 'privileged' | 'sendBuffer' | 'receiveBuffer'>

function assemble(families: readonly Family[], answers: readonly Answer[], features: Features): Assembled {
  const section = (section: Question['section'], names: readonly string[]) =>
    Object.fromEntries(
      names.map(name => [name, availabilityOf(answers.filter(({ question: q }) => q.section === section && q.name === name))]),
    )
  const lacking = FAMILIES.filter(family => !families.includes(family))
  return {
    families: { families, missing: lacking.map(family => ({ ...missing(optionOfFamily(family)), families: [family] })) },
    expressions: section('expressions', EXPRESSION_NAMES),
    objects: section('objects', OBJECT_TYPES) as Capabilities['objects'],
    chainTypes: section('chainTypes', ['nat', 'route']) as Capabilities['chainTypes'],
    hooks: section('hooks', ['ingress', 'egress']) as Capabilities['hooks'],
    flowtables: section('flowtables', ['flowtables']).flowtables ?? NOWHERE,
    ...NO_FEATURES,
    ...features,
  }
}

const NO_FEATURES = {
  destroy: false,
  tableOwner: false,
  tablePersist: false,
  severalDevices: false,
  devicesByPattern: false,
  catchAllElements: false,
  severalElementExpressions: false,
  bitwiseRegisters: false,
  bridgeMeta: false,
  ruleReset: false,
  elementReset: false,
  elementTimeoutUpdate: undefined,
  endAcknowledgement: false,
} as const

function availabilityOf(answers: readonly Answer[]): Availability {
  const lacking = new Map<string, { readonly option: KernelOption; readonly families: Family[] }>()
  for (const { question, there } of answers) {
    const { option, family } = question
    if (there || !option) continue
    const known = lacking.get(option.option)
    if (known) known.families.push(family)
    else lacking.set(option.option, { option, families: [family] })
  }
  return {
    families: answers.filter(({ there }) => there).map(({ question }) => question.family),
    missing: [...lacking.values()].map(({ option, families }) => ({ ...missing(option), families })),
  }
}

function missing({ option, module }: KernelOption): { readonly option: string; readonly module?: string } {
  return { option: `CONFIG_${option}`, ...(module !== undefined && { module }) }
}

function buffersOf(kernel: Kernel): Pick<Capabilities, 'privileged' | 'sendBuffer' | 'receiveBuffer'> {
  const { sendBuffer, receiveBuffer } = kernel.writes.open()
  return { privileged: sendBuffer >= SEND_BUFFER, sendBuffer, receiveBuffer }
}

/** Whether the kernel knows a message: it says then that the table is not there, else EINVAL (nfnetlink_rcv_msg). */
async function knows(kernel: Kernel, number: number, body: Body, limit: Limit): Promise<boolean> {
  try {
    await kernel.request(number, familyToWire('ip'), body, limit)
    return true
  } catch (error) {
    if (isMissing(error)) return true
    if (error instanceof Refusal) return false
    throw error
  }
}

const absentRule =
  (table: string): Body =>
  writer =>
    ruleAttributes.encode(writer, { table, chain: 'none', handle: 1 })

const absentElement =
  (table: string): Body =>
  writer =>
    setElementListAttributes.encode(writer, { table, set: 'none', elements: [{ key: new Uint8Array(4) }] })

/** Of an element that is written again the kernel tells only when that changed something. */
async function updatesTimeouts(kernel: Kernel, family: Family, name: string, limit: Limit): Promise<boolean> {
  const { codes, echoed } = await trial(kernel, timeoutUpdate(family, name), true, limit)
  return codes.every(code => code === undefined) && echoed.filter(number => number === message.newElements).length === 2
}

/** Milliseconds: the kernel has answered when it has taken the message. */
const AT_ONCE = 1

/** Ends a transaction in which there is nothing. */
async function acknowledgesEnd({ transport }: Kernel): Promise<boolean> {
  const socket = transport.open({ protocol: NETLINK_NETFILTER })
  try {
    const writer = new MessageWriter(64)
    endMessage(writer, beginNetfilter(writer, BATCH_BEGIN, NLM_F_REQUEST, 1, 0, NFNL_SUBSYS_NFTABLES))
    endMessage(writer, beginNetfilter(writer, BATCH_END, NLM_F_REQUEST | NLM_F_ACK, 2, 0, NFNL_SUBSYS_NFTABLES))
    const { complete } = await socket.exchange(writer.written(), 2, AT_ONCE)
    return complete
  } finally {
    await socket.close()
  }
}
