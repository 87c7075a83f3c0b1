/** To the kernel what names nothing means all there is: nothing may come about by leaving something out. */
import t from 'tap'
import { MessageReader } from '../../lib/netlink/buffer.js'
import { messagesOf } from '../../lib/netlink/message.js'
import { NETFILTER_HEADER } from '../../lib/netlink/netfilter.js'
import { type Command, open } from '../../lib/nft/index.js'
import { tableOf } from '../../lib/nft/trace.js'
import { scripted } from './scripted.js'
import { attempt, GOOD, inTable } from './support/commands.js'

const elements = { set: { ...inTable, name: 's', key: 'ipv4_addr' }, elements: [{ key: '10.0.0.1' }] } as const

const KEYS = [
  { table: { family: 'inet', name: 'web' } },
  { table: { family: 'inet', handle: 4 } },
  { chain: { ...inTable, name: 'in' } },
  { chain: { ...inTable, handle: 4 } },
  { rule: { ...inTable, chain: 'in', handle: 4 } },
  { set: { ...inTable, name: 's' } },
  { set: { ...inTable, handle: 4 } },
  { elements },
  { object: { ...inTable, type: 'counter', name: 'c' } },
  { object: { ...inTable, type: 'counter', handle: 4 } },
  { flowtable: { ...inTable, name: 'f' } },
  { flowtable: { ...inTable, handle: 4 } },
] as const

const COMMANDS: readonly Command[] = [
  ...GOOD,
  ...KEYS.flatMap((key): Command[] => [{ delete: key }, { destroy: key }]),
  { add: { chain: { ...inTable, flags: ['binding'], id: 1 } as never } },
  { rename: { chain: { ...inTable, name: 'in', newName: 'out' } } },
]

/** What says which object is meant. */
const NAMES = ['family', 'table', 'chain', 'name', 'type', 'handle', 'newName']

type Fields = Readonly<Record<string, unknown>>

/** A command, the object that it names, and where that stands. */
function partsOf(command: Command): { readonly path: string; readonly object: Fields; with(object: Fields): Command } {
  const [[verb, target]] = Object.entries(command) as unknown as [[string, Fields]]
  const [[word, object]] = Object.entries(target) as unknown as [[string, Fields]]
  const of = word === 'elements' ? (object.set as Fields) : object
  const put = (it: Fields) => ({ [verb]: { [word]: word === 'elements' ? { ...object, set: it } : it } }) as unknown as Command
  return { path: `commands[0].${verb}.${word}${word === 'elements' ? '.set' : ''}`, object: of, with: put }
}

/** What may be left out although it names something. */
function isOptional(path: string, object: Fields, field: string): boolean {
  if (field === 'type') return /\.chain$/.test(path)
  if (field === 'handle') return object.name !== undefined && /\.(rename|add)\./.test(path)
  return field === 'name' && object.handle !== undefined && /\.rename\./.test(path)
}

t.test('no command is sent without what says which object it is about', async t => {
  let tried = 0
  for (const command of COMMANDS) {
    const parts = partsOf(command)
    for (const field of NAMES.filter(name => name in parts.object && !isOptional(parts.path, parts.object, name))) {
      const { [field]: _, ...rest } = parts.object
      for (const object of [rest, { ...rest, [field]: undefined }]) {
        const error = await attempt(parts.with(object))
        const place = field === 'handle' && !parts.path.endsWith('.rule') ? 'name' : field
        tried++
        const told = error instanceof TypeError ? error.message : String(error)
        t.match(told, new RegExp(`^${`${parts.path}.${place}`.replace(/[[\].]/g, '\\$&')}: `), `${parts.path}.${field}`)
      }
    }
  }
  t.ok(tried > 150, `${tried} tried`)
})

t.test('what is made has a name that nft can write', async t => {
  for (const command of GOOD) {
    const { path, object, with: put } = partsOf(command)
    const field = path.includes('.rename.') ? 'newName' : 'name'
    if (!/\.(add|rename)\.(table|chain|set|object|flowtable)$/.test(path)) continue
    t.match(await attempt(put({ ...object, [field]: '' })), { name: 'RangeError', message: `${path}.${field}: "": give a name` })
  }
  t.equal(await attempt({ delete: { table: { family: 'inet', name: '' } } }), undefined, 'what others made so can be removed')
})

t.test('what is no longer there when it is looked at again names nothing else', async t => {
  for (const command of COMMANDS) {
    const { path, object, with: put } = partsOf(command)
    for (const field of NAMES.filter(name => name in object)) {
      for (let times = 1; times < 8; times++) {
        let left = times
        const fading = Object.defineProperty({ ...object }, field, {
          enumerable: true,
          get: () => (left-- > 0 ? object[field] : undefined),
        })
        const kernel = scripted([sent => ({ replies: [sent.ack(1)], counted: 1 })])
        await using nf = await open({ transport: kernel })
        const sent = await nf.commit([put(fading)]).then(
          () => true,
          () => false,
        )
        if (sent) t.ok(isWhole(path, kernel.sent[0]?.bytes ?? new Uint8Array()), `${path}.${field}, ${times} times`)
      }
    }
  }
})

/** What the message of a command has to say, by its path. */
const WHOLE: readonly (readonly [path: RegExp, fields: readonly string[]])[] = [
  [/\.(add|flush)\.table$/, ['table|name']],
  [/\.table$/, ['name|handle']],
  [/\.(delete|destroy|replace)\.rule$/, ['table', 'chain', 'handle']],
  [/\.flush\.(chain|set)$/, ['table', 'chain|set']],
  [/\.rule$/, ['table', 'chain|chainId']],
  [/\.set$/, ['table', 'set|name|handle']],
  [/./, ['table', 'name|handle|id']],
]

/** Whether the transaction's message says all that names its object. */
function isWhole(path: string, bytes: Uint8Array): boolean {
  const reader = new MessageReader(bytes)
  const sent = [...messagesOf(reader)][1]
  const fields = sent && tableOf(sent.type & 255)?.decode(reader, sent.payload + NETFILTER_HEADER, sent.end)
  const [, wanted = []] = WHOLE.find(([pattern]) => pattern.test(path)) ?? []
  return wanted.every(names => names.split('|').some(name => (fields as Fields | undefined)?.[name] !== undefined))
}
