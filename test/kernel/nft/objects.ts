/** Stateful objects. */
import assert from 'node:assert/strict'
import { type StatefulObject, TransactionError } from '../../../lib/nft/index.js'
import { type Case, type Context, Skip } from './case.js'

const table = { family: 'ip', name: 'web' } as const
const of = { family: 'ip', table: 'web', name: 'o' } as const

interface Row {
  readonly written: StatefulObject
  /** What the kernel adds to it. */
  readonly told?: object
  /** What it is refused with where the kernel lacks the option. */
  readonly lacking?: string
}

const rows: readonly Row[] = [
  { written: { ...of, type: 'counter' }, told: { packets: 0n, bytes: 0n } },
  { written: { ...of, type: 'counter', packets: 3n, bytes: 0xffff_ffff_ffff_fffen, comment: 'hé' } },
  { written: { ...of, type: 'quota', bytes: 1000n }, told: { used: 0n, flags: [] } },
  { written: { ...of, type: 'quota', bytes: 0x7fff_ffff_ffff_ffffn, used: 10n, flags: ['over'] } },
  { written: { ...of, type: 'limit', rate: 10n, unit: 60n }, told: { burst: 5, of: 'packets', flags: [] } },
  { written: { ...of, type: 'limit', rate: 1_000_000n, unit: 1n, burst: 7, of: 'bytes', flags: ['invert'] } },
  { written: { ...of, type: 'connlimit', count: 9 } },
  { written: { ...of, type: 'connlimit', count: 9, flags: ['invert'] } },
  { written: { ...of, type: 'ct helper', helper: 'ftp', protocol: 6 }, told: { layer3: 'ip' }, lacking: 'ENOENT' },
  { written: { ...of, type: 'ct timeout', layer3: 'ip', protocol: 17, policy: { 1: 20, 2: 4_000_000 } } },
  { written: { ...of, type: 'ct expectation', protocol: 6, port: 5432, timeout: 30, size: 255 }, told: { layer3: 'ip' } },
  { written: { ...of, type: 'secmark', context: 'system_u:object_r:ssh_server_packet_t:s0' }, lacking: 'ENOENT' },
  { written: { ...of, type: 'synproxy' }, told: { mss: 0, windowScale: 0, flags: [] }, lacking: 'ENOENT' },
  {
    written: { ...of, type: 'synproxy', mss: 1460, windowScale: 7, flags: ['mss', 'window-scale', 'sack-permitted'] },
    lacking: 'ENOENT',
  },
]

const withoutOption = (error: unknown): boolean =>
  error instanceof TransactionError && ['ENOENT', 'ENOTSUP', 'EOPNOTSUPP'].includes(error.code)

async function roundTrip({ open }: Context, { written, told, lacking }: Row): Promise<void> {
  const nf = await open()
  await nf.commit([{ add: { table } }])
  try {
    await nf.commit([{ create: { object: written } }])
  } catch (error) {
    if (lacking && withoutOption(error)) throw new Skip(`the kernel lacks what ${written.type} needs`)
    throw error
  }
  const read = await nf.getObject(written)
  const { handle, use, ...rest } = read ?? {}
  assert.equal(typeof handle, 'number')
  assert.equal(use, 0)
  assert.deepEqual(rest, { ...written, ...told })
  assert.deepEqual(await nf.objects(), [read])
  await nf.commit([{ delete: { object: { family: 'ip', table: 'web', type: written.type, handle: handle ?? 0 } } }])
  assert.deepEqual(await nf.objects(), [])
}

export const cases: readonly Case[] = [
  ...rows.map(
    (row, i): Case => ({
      name: `${row.written.type} (${i + 1}) is read as it was written, and removed by its handle`,
      run: context => roundTrip(context, row),
    }),
  ),
  {
    name: 'objects of different types may have the same name',
    async run({ open }) {
      const nf = await open()
      const counter = { ...of, type: 'counter' } as const
      const quota = { ...of, type: 'quota', bytes: 1n } as const
      await nf.commit([{ add: { table } }, { add: { object: counter } }, { add: { object: quota } }])
      assert.deepEqual((await nf.objects()).map(({ type }) => type).sort(), ['counter', 'quota'])
      assert.deepEqual(
        (await nf.objects({ type: 'quota' })).map(({ type }) => type),
        ['quota'],
      )
      await nf.commit([{ delete: { object: counter } }])
      assert.equal(await nf.getObject(counter), undefined)
      assert.equal((await nf.getObject(quota))?.type, 'quota')
    },
  },
  {
    name: 'a type whose attributes are not known here is written back byte for byte',
    async run({ open }) {
      const nf = await open()
      // NFTA_TUNNEL_KEY_ID, and NFTA_TUNNEL_KEY_IP with a destination.
      const data = new Uint8Array(Buffer.from('080001000000002a0c000280080002000a000001', 'hex'))
      const tunnel = { family: 'netdev', table: 'n', name: 'o', type: 'tunnel', data } as const
      try {
        await nf.commit([{ add: { table: { family: 'netdev', name: 'n' } } }, { add: { object: tunnel } }])
      } catch (error) {
        if (withoutOption(error)) throw new Skip('the kernel lacks CONFIG_NFT_TUNNEL')
        throw error
      }
      const read = await nf.getObject(tunnel)
      assert.ok(read?.type === 'tunnel')
      await nf.commit([{ add: { object: { ...read, name: 'again' } } }])
      const again = await nf.getObject({ ...tunnel, name: 'again' })
      assert.deepEqual(again, { ...read, name: 'again', handle: again?.handle })
    },
  },
  {
    name: 'nft prints the objects that were written',
    needs: 'linux',
    async run({ open, inside }) {
      const nf = await open()
      await nf.commit([
        { add: { table } },
        { add: { object: { ...of, name: 'c', type: 'counter', packets: 3n, bytes: 5n, comment: 'hé' } } },
        { add: { object: { ...of, name: 'q', type: 'quota', bytes: 1000n, used: 10n, flags: ['over'] } } },
        { add: { object: { ...of, name: 'l', type: 'limit', rate: 10n, unit: 60n, burst: 7, flags: ['invert'] } } },
        { add: { object: { ...of, name: 't', type: 'ct timeout', protocol: 6, policy: { 1: 20, 3: 100 } } } },
      ])
      const printed = (await inside('nft list ruleset')).replaceAll(/\s+/g, ' ')
      for (const part of [
        'counter c { comment "hé" packets 3 bytes 5 }',
        'quota q { over 1000 bytes used 10 bytes }',
        'limit l { rate over 10/minute burst 7 packets }',
        'ct timeout t { protocol tcp l3proto ip policy = { syn_sent : 20, established : 100 } }',
      ])
        assert.ok(printed.includes(part), `${part} in ${printed}`)
    },
  },
]
