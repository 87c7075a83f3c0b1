/** Where it is measured: this machine, and kernels that are started on it. */
import { execFileSync } from 'node:child_process'
import { cpus, loadavg, release } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const KERNELS = ['uml', 'debian12'] as const
export type Kernel = (typeof KERNELS)[number]
export const NAMES: Readonly<Record<Kernel, string>> = { uml: 'user-mode-linux', debian12: 'QEMU, emulated' }

export const root = join(dirname(fileURLToPath(import.meta.url)), '../../../..')

/**
 * Runs a program of the bench inside a kernel, and returns what it prints as JSON.
 * @param out folder where what it writes stays
 */
export function inside<O, T>(kernel: Kernel, program: string, options: O, out: string): T {
  process.stderr.write(`${NAMES[kernel]}: ${program}\n`)
  return run('scripts/vm', ['--kernel', kernel, '--out', out, '--'], program, options)
}

/** Runs a program of the bench on the host's kernel, in a network namespace of its own, and returns what it prints as JSON. */
export function inNamespace<O, T>(program: string, options: O): T {
  process.stderr.write(`${program}\n`)
  return run('scripts/in-namespace', [], program, options)
}

function run<O, T>(by: string, args: readonly string[], program: string, options: O): T {
  const script = join(root, 'build/js/scripts/bench', `${program}.js`)
  const all = [...args, process.execPath, '--expose-gc', script, JSON.stringify(options)]
  const text = execFileSync(join(root, by), all, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  return (text ? JSON.parse(text) : undefined) as T
}

/** How busy this machine is: processes that want a processor. */
export const load = (): string => (loadavg()[0] as number).toFixed(1)

/** This machine in a sentence. */
export function machine(loadBefore: string): string {
  const [cpu] = cpus()
  const model = cpu?.model.trim() ?? 'unknown processor'
  return `${model}, ${cpus().length} cores, Linux ${release()}, load ${loadBefore} before; Node.js ${process.version}.`
}
