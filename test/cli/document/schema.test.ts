/** The JSON Schema and the library agree on what is right, but for what a schema can not say. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import t, { type Test } from 'tap'
import { checkConfiguration } from '../../../lib/ipvs/index.js'
import { Random } from '../../kernel/support/random.js'
import { root } from '../../native/support.js'
import { randomConfiguration } from '../random.js'
import { cli } from '../support.js'

const schema = JSON.parse(readFileSync(join(root, 'schema/virtual-servers.schema.json'), 'utf8')) as Record<string, unknown>
const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false })
const validate = ajv.compile(schema)

/** Mistakes of one thing against another: no schema sees them. */
const BETWEEN = / is there twice, | can not be reached by '| is above the upperThreshold /

function agree(t: Test, value: unknown, what: string): void {
  const mistakes = checkConfiguration(value).filter(({ message }) => !BETWEEN.test(message))
  const valid = validate(value)
  if (valid === (mistakes.length === 0)) return
  t.fail(`${what}: the schema and the library do not agree`, { value, mistakes, errors: validate.errors })
}

const SEED = 20
// biome-ignore format: values
const BAD: readonly unknown[] = [
  null, true, false, '', 'tcp', 'rr', '10.0.0.1', '::1', 'ipv4', 'a b', 'x'.repeat(16), 'sh', [], {}, [[]], [null], ['sh-port'], ['flag-1'],
  -1, 0, 1, 1.5, 6, 24, 32, 33, 80, 128, 129, 255, 256, 360, 65535, 65536, 2_147_483, 2_147_483_648, 4_294_967, 4_294_968, 4_294_967_296,
  'masquerade', 'tunnel', { type: 'gue' }, { type: 'gre', checksum: 'remote-checksum' }, { type: 'ipip', port: 1 }, { timeout: 0 },
  { netmask: 64 }, { netmask: '255.255.0.0' }, { engine: 'sip' }, '224.0.0.1', 'ff02::1', 'ffff:1', 'master',
]
// biome-ignore format: words
const NAMES = ['protocol', 'address', 'port', 'firewallMark', 'family', 'scheduler', 'schedulerFlags', 'persistence', 'onePacket',
  'dormantPersistence', 'realServers', 'otherFlags', 'statistics', 'weight', 'forwarding', 'upperThreshold', 'lowerThreshold', 'tunnel',
  'timeout', 'netmask', 'engine', 'type', 'checksum', 'role', 'interface', 'syncId', 'maximumLength', 'group', 'ttl', 'tcp', 'udp',
  'virtualServers', 'timeouts', 'syncDaemons', 'toString', '__proto__', 'nonesuch', 'activeConnections']

/** Every object and list in a value. */
function holders(value: unknown): (Record<string, unknown> | unknown[])[] {
  if (value === null || typeof value !== 'object') return []
  return [value as Record<string, unknown>, ...Object.values(value).flatMap(holders)]
}

/** Changes one place: a value, a name, an absence. */
function spoil(random: Random, value: unknown): void {
  const holder = random.of(holders(value))
  const bad = structuredClone(random.of(BAD))
  if (Array.isArray(holder)) {
    holder[random.below(holder.length + 1)] = bad
    return
  }
  const name = random.of(random.below(3) === 0 ? NAMES : Object.keys(holder))
  if (name === undefined || random.below(4) === 0) delete holder[name as string]
  else Object.defineProperty(holder, name, { value: bad, enumerable: true, configurable: true, writable: true })
}

t.test(`schema and library take the same random files, valid ones and spoilt ones (seed ${SEED})`, async t => {
  const random = new Random(SEED)
  const counts = { right: 0, wrong: 0 }
  for (let i = 0; i < 300; i++) {
    const value = JSON.parse(JSON.stringify(randomConfiguration(random))) as unknown
    t.strictSame(checkConfiguration(value), [], 'what is generated is right')
    agree(t, value, 'as generated')
    for (let j = 0; j < 20; j++) {
      const spoilt = structuredClone(value)
      for (let k = 0; k <= random.below(2); k++) spoil(random, spoilt)
      agree(t, spoilt, 'spoilt')
      counts[validate(spoilt) ? 'right' : 'wrong']++
    }
  }
  t.ok(counts.right > 300 && counts.wrong > 1000, 'both kinds occur', counts)
})

t.test('schema and library take the same addresses, of all kinds of text', async t => {
  const random = new Random(SEED)
  const parts = [
    '::',
    ':',
    '0',
    'ff',
    'abcd',
    'FFFF',
    '12345',
    'g',
    '1.2.3.4',
    '.',
    '255',
    '256',
    '01',
    '1:2:3',
    '%eth0',
    '/24',
    ' ',
  ]
  const texts = Array.from({ length: 6_000 }, () => Array.from({ length: 1 + random.below(9) }, () => random.of(parts)).join(''))
  texts.push(
    '1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7::',
    '::2:3:4:5:6:7:8',
    '1:2:3:4:5:6:1.2.3.4',
    '1:2:3:4:5::1.2.3.4',
    '1:2:3:4:5:6::1.2.3.4',
  )
  let right = 0
  for (const address of texts) {
    const value = { virtualServers: [{ protocol: 'tcp', address, port: 80 }] }
    agree(t, value, address)
    if (validate(value)) right++
  }
  t.ok(right > 50, 'some of them are addresses', { right })
})

/** Schemas of objects that have just these fields. */
function objects(value: unknown): { properties: Record<string, { description?: string; $ref?: string }> }[] {
  if (value === null || typeof value !== 'object') return []
  const inner = Object.values(value).flatMap(objects)
  return 'additionalProperties' in value ? [value as never, ...inner] : inner
}

t.test('each field is described by a sentence', async t => {
  const definitions = schema.$defs as Record<string, { description?: string }>
  for (const { properties } of objects(schema))
    for (const [name, { description, $ref = '' }] of Object.entries(properties))
      t.match(description ?? definitions[$ref.replace('#/$defs/', '')]?.description, /^[A-Za-z0-9].*\.$/, name)
})

t.test('ts-ipvs schema prints it', async t => {
  const { status, stdout, stderr } = await (await cli()).run(['schema'])
  t.strictSame(JSON.parse(stdout), schema)
  t.strictSame([status, stderr], [0, ''])
})
