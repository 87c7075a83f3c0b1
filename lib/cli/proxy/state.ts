/** What Services were given, from one start to the next. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Allocations } from '../../service/index.js'
import { toJson } from '../json.js'
import type { ProxyOptions } from './options.js'

const STATE = '/run/ts-ipvs/proxy.json'

/** What Services were given the last time; nothing where it can not be read. */
export async function remembered({ state = STATE }: ProxyOptions): Promise<Allocations> {
  try {
    return JSON.parse(await readFile(state, 'utf8')) as Allocations
  } catch {
    return {}
  }
}

export async function remember({ state = STATE }: ProxyOptions, allocations: Allocations): Promise<void> {
  await mkdir(dirname(state), { recursive: true })
  await writeFile(`${state}.new`, toJson(allocations))
  await rename(`${state}.new`, state)
}
