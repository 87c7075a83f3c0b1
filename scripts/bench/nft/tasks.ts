/** What a client is asked to do: the same when it is timed, recorded, replayed and weighed. */
import type { NftClient } from '../../../lib/nft/client.js'
import type { Element } from '../../../lib/nft/types.js'
import { elementsOf, map, rulesOf } from './objects.js'

export interface Size {
  readonly elements: number
  readonly rules: number
}

/** Prepares what the caller has, and returns what the library does with it. */
type Preparation = (size: Size) => (nf: NftClient) => Promise<unknown>

const tasks = {
  'commit of elements': ({ elements }) => {
    const commands = elementsOf(elements)
    return nf => nf.commit(commands)
  },
  'reading elements': () => read,
  'commit of rules': ({ rules }) => {
    const commands = rulesOf(rules)
    return nf => nf.commit(commands)
  },
} satisfies Record<string, Preparation>

export type Task = keyof typeof tasks
export const taskNames = Object.keys(tasks) as Task[]

export function prepare(task: Task, size: Size): ReturnType<Preparation> {
  const preparation: Preparation = tasks[task]
  return preparation(size)
}

/** All elements of the map. */
export function read(nf: NftClient): Promise<Element[]> {
  return nf.elements(map).toArray()
}
