/** `ts-ipvs schema`: the JSON Schema of the files that apply takes. */
import schemaOfFiles from '../../../schema/virtual-servers.schema.json' with { type: 'json' }
import { type Io, SUCCESS, write } from '../io.js'

export async function schema(io: Io): Promise<number> {
  await write(io.stdout, `${JSON.stringify(schemaOfFiles, undefined, 2)}\n`)
  return SUCCESS
}
