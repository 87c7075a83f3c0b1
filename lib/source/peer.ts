/** Packages that only some need: they are loaded when they are used. */

/** Where its readers get it from, and what it is for. */
export interface Peer<T> {
  readonly name: string
  /** Versions that are known to do. */
  readonly range: string
  readonly use: string
  load(): Promise<T>
}

/** Rejects with what to install where it is not there. */
export async function loadPeer<T>({ name, range, use, load }: Peer<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const absent = (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') && message.includes(`'${name}'`)
    if (!absent) throw error
    throw new Error(`${use} needs the package ${name}, which is not installed: npm install '${name}@${range}'`, { cause: error })
  }
}
