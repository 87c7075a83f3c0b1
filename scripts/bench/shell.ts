/** Other programs, and the machine that they all run on. */
import { spawn } from 'node:child_process'
import { cpus } from 'node:os'
import { setTimeout } from 'node:timers/promises'

/**
 * Runs programs by way of a shell that was started once, for a fork of this process would write-protect all of its memory, and the
 * page faults after that would be counted as the library's time.
 */
class Shell {
  readonly #shell = spawn('sh', { stdio: ['pipe', 'pipe', 'inherit'] })
  readonly #output = this.#shell.stdout.setEncoding('utf8')[Symbol.asyncIterator]()

  /** What `line` prints. Rejects when it fails. */
  async run(line: string): Promise<string> {
    this.#shell.stdin.write(`${line}\nprintf '\\0%s\\n' $?\n`)
    let output = ''
    for (;;) {
      const { value, done } = await this.#output.next()
      if (done) throw new Error(`${line}: the shell has ended`)
      output += value
      const [text = '', status] = output.split('\0')
      if (status === undefined || !status.endsWith('\n')) continue
      if (status !== '0\n') throw new Error(`${line}: exit status ${status.trim()}`)
      return text
    }
  }

  end(): void {
    this.#shell.stdin.end()
  }
}

export const shell = new Shell()

/** Milliseconds that a line takes in the shell. */
export async function timed(line: string): Promise<number> {
  const start = performance.now()
  await shell.run(line)
  return performance.now() - start
}

/** Milliseconds that the C program takes between its first send and its last answer. `netns` is the file of a namespace. */
export async function runFloor(floor: string, protocol: number, netns: string, requests: string): Promise<number> {
  const [microseconds, , errors] = (await shell.run(`${floor} ${protocol} ${netns} ${requests}`)).split(' ').map(Number)
  if (microseconds === undefined || errors !== 0) throw new Error(`${floor}: ${errors} errors`)
  return microseconds / 1000
}

/**
 * Waits until the processors are idle, but no longer than so many seconds: the kernel takes apart what was removed when the removal has
 * long returned.
 */
export async function quiet(seconds = 10): Promise<void> {
  for (let tries = 0; tries < 10 * seconds; tries++) {
    const before = processorTime()
    await setTimeout(100)
    const after = processorTime()
    if (after.busy - before.busy <= 0.1 * (after.all - before.all)) return
  }
}

function processorTime(): { busy: number; all: number } {
  const times = cpus().map(cpu => cpu.times)
  const idle = times.reduce((sum, time) => sum + time.idle, 0)
  const busy = times.reduce((sum, time) => sum + time.user + time.nice + time.sys + time.irq, 0)
  return { busy, all: busy + idle }
}

/** Says how far it is. What is measured goes to standard output, once, as JSON. */
export function say(text: string): void {
  process.stderr.write(`  ${text}\n`)
}
