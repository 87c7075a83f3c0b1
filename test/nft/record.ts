/**
 * Records what this kernel says while rulesets of the corpus are loaded, read and removed:
 * `scripts/in-namespace node build/js/test/nft/record.js OUT`, or in a guest of scripts/vm. Into OUT go the lines of test/nft/messages.txt,
 * and for each shape that these do not have yet a new one: run it under several kernels.
 */
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as after } from 'node:timers/promises'
import { MessageReader, MessageWriter } from '../../lib/netlink/buffer.js'
import { NETLINK_NETFILTER, nativeTransport, type Socket } from '../../lib/netlink/index.js'
import { endMessage, messagesOf, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NLMSG_ERROR } from '../../lib/netlink/message.js'
import { beginNetfilter } from '../../lib/netlink/netfilter.js'
import {
  message,
  messageType,
  NFNLGRP_NFTABLES,
  NFNLGRP_NFTRACE,
  setAttributes,
  setElementListAttributes,
  tableAttributes,
} from '../../lib/nft/wire.js'
import { type Attribute, attributesIn } from './support/attributes.js'
import { ERROR, kindOf, lineOf, type Recorded, readRecording } from './support/recording.js'

const CORPUS = new URL('../../../../test/nft/corpus/', import.meta.url)
const NEWER = `${process.env.XDG_CACHE_HOME ?? `${process.env.HOME}/.cache`}/ts-ipvs/nft-debian13/nft`
const HEADER = 4

/** Rules that make the kernel tell of packets, and of what it is asked and has not. */
const TRACED = `table inet traced {
  chain other { udp dport 9 counter return; }
  chain in { type filter hook input priority 0; policy drop; meta nftrace set 1; jump other; }
}`

const recorded: Recorded[] = []
const sets = new Map<string, Uint8Array>()

/** What the data of a reply says, and for elements of which set. */
function take(data: Uint8Array): void {
  const reader = new MessageReader(data)
  for (const { type, payload, end } of messagesOf(reader)) {
    const bytes = reader.bytes.slice(payload, end)
    const kind = type === NLMSG_ERROR ? ERROR : kindOf(type)
    if (kind === undefined || (kind === ERROR && new MessageReader(bytes).u32[0] === 0)) continue
    const own = new MessageReader(bytes)
    if (kind === 'newSet') {
      const { table, name } = setAttributes.decode(own, HEADER, own.end) ?? {}
      sets.set(`${bytes[0]} ${table} ${name}`, bytes)
    }
    const list = kind.endsWith('Elements') ? setElementListAttributes.decode(own, HEADER, own.end) : undefined
    const set = list && sets.get(`${bytes[0]} ${list.table} ${list.set}`)
    recorded.push({ kind, bytes, ...(set && { set }) })
  }
}

async function ask(socket: Socket, number: number, flags: number, family: number, body?: Uint8Array): Promise<void> {
  const writer = new MessageWriter(1024)
  const start = beginNetfilter(writer, messageType(number), NLM_F_REQUEST | flags, 1, family)
  if (body) writer.append(body)
  endMessage(writer, start)
  take((await socket.exchange(writer.written(), 1, 60_000)).data)
}

/** Everything there is. */
async function readAll(socket: Socket): Promise<void> {
  const { getTable, getChain, getRule, getSet, getObject, getFlowtable, getGeneration, getElements } = message
  sets.clear()
  await ask(socket, getGeneration, NLM_F_ACK, 0)
  for (const number of [getTable, getChain, getRule, getSet, getObject, getFlowtable]) await ask(socket, number, NLM_F_DUMP, 0)
  for (const bytes of [...sets.values()]) {
    const reader = new MessageReader(bytes)
    const { table, name } = setAttributes.decode(reader, HEADER, reader.end) ?? {}
    const writer = new MessageWriter(1024)
    setElementListAttributes.encode(writer, { table, set: name })
    await ask(socket, getElements, NLM_F_DUMP, bytes[0] as number, writer.written())
  }
  const missing = new MessageWriter(1024)
  tableAttributes.encode(missing, { name: 'missing' })
  await ask(socket, getTable, NLM_F_ACK, 1, missing.written())
}

function nft(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Numbers and lengths of all attributes, with their places: what makes a message another one. */
function shapeOf(kind: string, attributes: readonly Attribute[], above = kind): string[] {
  return attributes.flatMap(({ type, value }) => {
    const place = `${above}/${type & 0x3fff}`
    if (Array.isArray(value)) return shapeOf(kind, value, place)
    // Names of expressions, and how long values are.
    const word =
      value.length < 24 && value.at(-1) === 0 && (value[0] as number) > 96 ? Buffer.from(value).toString('latin1') : value.length
    return `${place}=${word}`
  })
}

/** Those that show something that none before them does. */
function distinct(all: readonly Recorded[]): Recorded[] {
  const seen = new Set<string>()
  return all.filter(({ kind, bytes, set }) => {
    if (kind.endsWith('Elements') && !set) return false
    if (bytes.length > 4096) return false
    const shape = shapeOf(kind, attributesIn(bytes, kind === ERROR ? 20 : HEADER, bytes.length) ?? [])
    const fresh = shape.filter(part => !seen.has(part))
    for (const part of fresh) seen.add(part)
    return fresh.length > 0
  })
}

async function main(out: string): Promise<void> {
  const transport = nativeTransport()
  const socket = transport.open({ protocol: NETLINK_NETFILTER })
  const events = transport.open({ protocol: NETLINK_NETFILTER, receiveBuffer: 8 << 20 })
  events.subscribe(data => take(data))
  for (const group of [NFNLGRP_NFTABLES, NFNLGRP_NFTRACE]) events.join(group)
  execFileSync('sh', ['-c', 'ip link set lo up; ip link add other0 type veth peer name other1'])
  for (const program of ['nft', NEWER]) {
    for (const file of readdirSync(CORPUS)) {
      const text = readFileSync(new URL(file, CORPUS), 'utf8')
      if (!nft(program, '-f', new URL(file, CORPUS).pathname))
        console.log(`${program} does not load ${file}: ${text.split('\n')[0]}`)
      await readAll(socket)
      nft(program, 'flush', 'ruleset')
    }
  }
  nft('nft', TRACED)
  createSocket('udp4').send('traced', 9, '127.0.0.1')
  await after(500)
  nft('nft', 'flush', 'ruleset')
  await after(500)
  const before = readRecording()
  const all = distinct([...before, ...recorded])
  writeFileSync(out, `${all.map(lineOf).join('\n')}\n`)
  console.log(`${recorded.length} messages; ${all.length - before.length} with a new shape, ${all.length} in all`)
  await Promise.all([socket.close(), events.close()])
}

const [out] = process.argv.slice(2)
if (out === undefined) throw new Error('usage: record.js OUT')
await main(out)
process.exit()
