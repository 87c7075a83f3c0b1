/**
 * Which virtual servers apply has made. The kernel does not say who made one, so their names are kept in a file, which means nothing when
 * the machine has started anew, or in another network namespace. One thing it can not tell: that somebody has removed a virtual server of
 * ours and made another with its name before apply looked again.
 */
import { constants, type Stats } from 'node:fs'
import { chmod, lstat, mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CommandError, FAILURE } from '../io.js'

const FOLDER = '/run/ts-ipvs'
const VERSION = 1

export interface State {
  /** Names as `describeVirtualServer` gives them. */
  readonly made: ReadonlySet<string>
  /** Why the file is void: a sentence. */
  readonly void?: string
}

interface Content {
  readonly version: number
  /** As `IpvsClient.namespaceId` gives it. */
  readonly namespace: string
  readonly virtualServers: readonly string[]
}

/** Where the state of a namespace is kept unless the user says otherwise. */
export function defaultStateFile(namespace: string): string {
  return `${FOLDER}/${namespace.slice(namespace.indexOf('/') + 1)}.json`
}

/** Makes the folder of the default state files. A folder of the user's own is the user's. */
export async function prepareState(file: string): Promise<void> {
  if (dirname(file) === FOLDER) await prepareFolder(FOLDER)
}

/**
 * Makes a folder that its owner alone can write, whatever the umask. One that is there and others can write is refused: they could have put
 * names into a state, for apply to remove.
 * @param owner - Number of a user. Default root.
 */
export async function prepareFolder(folder: string, owner = 0): Promise<void> {
  try {
    await mkdir(folder, 0o755)
    await chmod(folder, 0o755)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unwritable(folder, error)
  }
  const why = mistrust(await lstat(folder), owner)
  if (why !== undefined)
    throw new CommandError(`${folder} can not be trusted: ${why}: remove it, or give --state FILE at another place`, FAILURE)
}

function mistrust(found: Stats, owner: number): string | undefined {
  if (!found.isDirectory()) return 'it is no folder'
  if (found.uid !== owner) return `it belongs to the user ${found.uid}, not to ${owner === 0 ? 'root' : owner}`
  return found.mode & 0o022 ? 'others can write it' : undefined
}

/** The state of a namespace. A file that is no state is refused: it may be something else that somebody needs. */
export async function readState(file: string, namespace: string): Promise<State> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { made: new Set() }
    throw new CommandError(`the state ${file} can not be read: ${(error as Error).message}`, FAILURE)
  }
  if (text === '') return { made: new Set() } // mktemp
  const content = parse(text)
  if (!content) throw new CommandError(`${file} is no state that apply has written: give another --state, or move it away`)
  if (content.namespace === namespace) return { made: new Set(content.virtualServers) }
  const [boot] = namespace.split('/')
  const why = content.namespace.startsWith(`${boot}/`) ? 'another network namespace' : 'before the machine started anew'
  return { made: new Set(), void: `the state ${file} is void, for it is of ${why}: what it names is left alone` }
}

function parse(text: string): Content | undefined {
  try {
    const content = JSON.parse(text) as Partial<Content> | null
    const names: unknown = content?.virtualServers
    const whole =
      content?.version === VERSION &&
      typeof content.namespace === 'string' &&
      Array.isArray(names) &&
      names.every(name => typeof name === 'string')
    return whole ? (content as Content) : undefined
  } catch {
    return undefined
  }
}

/** Writes the state: whoever reads it, also after a crash, finds the old or the new one, whole. */
export async function writeState(file: string, namespace: string, made: ReadonlySet<string>): Promise<void> {
  const content: Content = { version: VERSION, namespace, virtualServers: [...made].sort() }
  const beside = `${file}.new`
  try {
    await writeThrough(beside, `${JSON.stringify(content, undefined, 2)}\n`)
    await rename(beside, file)
    await syncFolder(dirname(file))
  } catch (error) {
    throw unwritable(file, error)
  }
}

async function writeThrough(file: string, text: string): Promise<void> {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants // a link would lead to a file of somebody else's choice
  const handle = await open(file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o644)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export function unwritable(file: string, error: unknown): CommandError {
  const remedy = 'run as root, or give --state FILE at a place that can be written'
  return new CommandError(`the state ${file} can not be written: ${(error as Error).message}: ${remedy}`, FAILURE)
}
