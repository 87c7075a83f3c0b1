/** etcd itself, as scripts/etcd has fetched it: a process with a folder that goes away with the test. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'

const FOLDER = `${process.env.XDG_CACHE_HOME ?? `${process.env.HOME}/.cache`}/ts-ipvs/etcd-debian12`

/** What the tests of etcd are skipped for. */
export const skip: string | false = existsSync(join(FOLDER, 'etcd')) ? false : 'needs scripts/setup --etcd'

const run = promisify(execFile)

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

export class EtcdServer {
  readonly endpoint: string
  readonly #folder: string
  readonly #peer: string
  readonly #options: readonly string[]
  #process: ChildProcess | undefined

  private constructor(endpoint: string, peer: string, folder: string, options: readonly string[]) {
    this.endpoint = endpoint
    this.#peer = peer
    this.#folder = folder
    this.#options = options
  }

  static async start(t: Test, { secure = false, options = [] as readonly string[] } = {}): Promise<EtcdServer> {
    const folder = await mkdtemp(join(tmpdir(), 'etcd-'))
    const scheme = secure ? 'https' : 'http'
    const [client, peer] = [await freePort(), await freePort()]
    const server = new EtcdServer(`${scheme}://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`, folder, options)
    t.teardown(async () => {
      await server.kill()
      await rm(folder, { recursive: true, force: true })
    })
    await server.run()
    return server
  }

  /** Starts it, with what it had before. Resolves when it listens. */
  async run(): Promise<void> {
    const { endpoint } = this
    const urls = ['--listen-client-urls', endpoint, '--advertise-client-urls', endpoint, '--listen-peer-urls', this.#peer]
    const cluster = ['--initial-advertise-peer-urls', this.#peer, '--initial-cluster', `default=${this.#peer}`]
    const args = ['--data-dir', join(this.#folder, 'data'), ...urls, ...cluster, '--logger', 'zap', ...this.#options]
    const child = spawn(join(FOLDER, 'etcd'), args, { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#process = child
    let said = ''
    await new Promise<void>((resolve, reject) => {
      child.stderr?.on('data', text => {
        said += text
        if (/serving client traffic/.test(said)) resolve()
      })
      child.on('exit', status => reject(new Error(`etcd ended with ${status}: ${said.slice(-1000)}`)))
    })
    child.stderr?.resume()
  }

  /** As kill -9 does. */
  async kill(): Promise<void> {
    const child = this.#process
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  /** Lets it hang, with its connections open. */
  stop(): void {
    this.#process?.kill('SIGSTOP')
  }

  goOn(): void {
    this.#process?.kill('SIGCONT')
  }

  /** Forgets everything, and its revisions with that: to be run again. */
  async forget(): Promise<void> {
    await this.kill()
    await rm(join(this.#folder, 'data'), { recursive: true, force: true })
  }

  /** Runs etcdctl. Returns what it says. */
  async ctl(...args: readonly string[]): Promise<string> {
    const { stdout } = await run(join(FOLDER, 'etcdctl'), ['--endpoints', this.endpoint, ...args], { env: { ETCDCTL_API: '3' } })
    return stdout
  }

  async put(key: string, value: string): Promise<void> {
    await this.ctl('put', '--', key, value)
  }

  async remove(key: string): Promise<void> {
    await this.ctl('del', key)
  }

  /** Many commands of `etcdctl txn` at once. */
  async transaction(commands: readonly string[]): Promise<void> {
    const child = run(join(FOLDER, 'etcdctl'), ['--endpoints', this.endpoint, 'txn'], { env: { ETCDCTL_API: '3' } })
    child.child.stdin?.end(`\n${commands.join('')}\n\n`)
    await child
  }

  /** Runs it where its clients do not find it, with what it had, and ends it. It must not run. */
  async elsewhere(action: (other: EtcdServer) => Promise<void>): Promise<void> {
    const other = new EtcdServer(`http://127.0.0.1:${await freePort()}`, this.#peer, this.#folder, this.#options)
    await other.run()
    try {
      await action(other)
    } finally {
      await other.kill()
    }
  }

  /** Forgets what was before now. */
  async compact(): Promise<void> {
    const [{ Status }] = JSON.parse(await this.ctl('endpoint', 'status', '-w', 'json')) as [
      { Status: { header: { revision: number } } },
    ]
    await this.ctl('compact', '--physical', `${Status.header.revision}`)
  }
}
