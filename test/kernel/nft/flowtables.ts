/** Flowtables. */
import assert from 'node:assert/strict'
import { type NftClient, TransactionError } from '../../../lib/nft/index.js'
import { type Case, type Context, Skip } from './case.js'

const table = { family: 'inet', name: 'web' } as const
const flowtable = { family: 'inet', table: 'web', name: 'f' } as const

/** A client of a kernel that has flowtables, with a table. */
async function prepared({ open }: Context): Promise<NftClient> {
  const nf = await open()
  try {
    await nf.check([{ add: { table } }, { add: { flowtable } }])
  } catch (error) {
    if (error instanceof TransactionError && error.code === 'ENOENT') throw new Skip('the kernel lacks CONFIG_NF_FLOW_TABLE')
    throw error
  }
  await nf.commit([{ add: { table } }])
  return nf
}

export const cases: readonly Case[] = [
  {
    name: 'a flowtable is read as it was written, and removed by its handle',
    async run(context) {
      const nf = await prepared(context)
      const written = { ...flowtable, priority: -5, devices: ['lo'], flags: ['counter'] } as const
      await nf.commit([{ create: { flowtable: written } }])
      const read = await nf.getFlowtable(flowtable)
      assert.deepEqual(read, { ...written, hook: 'ingress', handle: read?.handle, use: 0 })
      assert.deepEqual(await nf.flowtables({ table: 'web' }), [read])
      assert.deepEqual(await nf.getFlowtable({ family: 'inet', table: 'web', handle: read?.handle ?? 0 }), read)
      await nf.commit([{ delete: { flowtable: { family: 'inet', table: 'web', handle: read?.handle ?? 0 } } }])
      assert.deepEqual(await nf.flowtables(), [])
    },
  },
  {
    name: 'devices are added to a flowtable and taken from it',
    async run(context) {
      const nf = await prepared(context)
      await nf.commit([{ add: { flowtable } }])
      const devices = async () => (await nf.getFlowtable(flowtable))?.devices ?? []
      assert.deepEqual(await devices(), [])
      await nf.commit([{ add: { flowtable: { ...flowtable, devices: ['lo'] } } }])
      assert.deepEqual(await devices(), ['lo'])
      await nf.commit([{ delete: { flowtable: { ...flowtable, onlyDevices: ['lo'] } } }])
      assert.deepEqual(await devices(), [])
    },
  },
]
