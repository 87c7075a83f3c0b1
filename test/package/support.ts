import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

function findRoot(folder: string): string {
  return existsSync(join(folder, 'addon.cjs')) ? folder : findRoot(dirname(folder))
}

/** The project's folder, from the sources as well as from build/js. */
export const root = findRoot(dirname(fileURLToPath(import.meta.url)))
/** A program that npm has installed for this project. */
export const bin = (name: string): string => join(root, 'node_modules/.bin', name)

export interface Outcome {
  readonly status: number | string
  readonly stdout: string
  readonly stderr: string
}

interface RunOptions {
  readonly cwd: string
  readonly env?: NodeJS.ProcessEnv
}

/** Runs a program to its end, whatever that is. What it covers is not of this project's folder, so it is not counted. */
export function run({ cwd, env }: RunOptions, program: string, ...args: readonly string[]): Promise<Outcome> {
  const environment = { ...process.env, NODE_V8_COVERAGE: undefined, ...env }
  return new Promise(resolve => {
    execFile(program, args, { cwd, env: environment, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      resolve({ status: error ? (error.code ?? error.signal ?? 'unknown') : 0, stdout, stderr }),
    )
  })
}

/** Runs a program that has to succeed, and returns what it printed. */
export async function output(options: RunOptions, program: string, ...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await run(options, program, ...args)
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`)
  return stdout
}

/** The project as it is now, with its dependencies and without anything that was built. */
export async function cloneProject(folder: string): Promise<void> {
  const listed = await output({ cwd: root }, 'git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard')
  for (const file of listed.split('\0')) if (file && existsSync(join(root, file))) cpSync(join(root, file), join(folder, file))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
}

/** The newest Node.js of a line, with its headers, from the npm package that carries it; npm checks that it is whole. Kept in the cache. */
export async function nodeOfLine(line: number): Promise<{ readonly node: string; readonly headers: string }> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'ts-ipvs')
  const folder = join(cache, `node-${line}`)
  const found = { node: join(folder, 'bin/node'), headers: folder }
  if (existsSync(found.node)) return found
  mkdirSync(cache, { recursive: true })
  const made = mkdtempSync(join(cache, 'new.node-'))
  try {
    const printed = await output({ cwd: made }, 'npm', 'pack', '--silent', `node-linux-${process.arch}@${line}`)
    const archive = printed.trim().split('\n').at(-1) ?? ''
    await output({ cwd: made }, 'tar', 'xzf', archive, '--strip-components=1', 'package/bin', 'package/include')
    rmSync(join(made, archive))
    renameSync(made, folder)
  } catch (error) {
    if (!existsSync(found.node)) throw error // else another test has put it there meanwhile
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
  return found
}
