/** A terminal with a shell in it: tmux, of which one sees the screen and presses the keys. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { LinuxContext } from '../support/case.js'
import { eventually } from '../support/expect.js'
import { PROGRAM } from './program.js'

const run = promisify(execFile)

const PROMPT = 'ready>'

/** Milliseconds between two looks at the screen: each is a process, which takes its time from the program that is looked at. */
const PAUSE = 300

let terminals = 0

export class Terminal {
  readonly #server = `ts-ipvs-${process.pid}-${terminals++}`

  /** Opens one that is closed after the case. */
  static async open({ after }: LinuxContext, columns = 120, rows = 24): Promise<Terminal> {
    const terminal = new Terminal()
    after(() => terminal.close())
    await terminal.#tmux('-u', '-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', String(rows), 'sh')
    await terminal.shell(`PS1='${PROMPT} '; export LC_ALL=C.UTF-8; alias ts-ipvs='${process.execPath} ${PROGRAM}'; clear`)
    await terminal.until('the shell is ready', lines => lines[0] === PROMPT)
    return terminal
  }

  /** Types a command of the program into the shell. */
  start(...words: readonly string[]): Promise<void> {
    return this.shell(['ts-ipvs', ...words].join(' '))
  }

  /** Types a command into the shell. */
  async shell(command: string): Promise<void> {
    await this.#tmux('send-keys', '-l', command)
    await this.press('Enter')
  }

  /** Keys as tmux calls them: `q`, `Left`, `C-c`. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#tmux('send-keys', ...keys)
  }

  /** The lines of the screen, without the blanks at their ends. */
  async screen(): Promise<string[]> {
    return (await this.#tmux('capture-pane', '-p')).replace(/\n$/, '').split('\n')
  }

  /** Waits until the screen is so, and returns it; else it fails and shows what was there. */
  async until(what: string, condition: (lines: readonly string[]) => boolean): Promise<string[]> {
    let lines: string[] = []
    const look = async (): Promise<boolean> => {
      lines = await this.screen()
      return condition(lines)
    }
    await eventually(what, look, PAUSE).catch((error: Error) => assert.fail(`${error.message}\n${lines.join('\n')}`))
    return lines
  }

  /** Waits for a new prompt below everything else, and returns what stands between it and the command before. */
  async prompt(): Promise<string[]> {
    const written = (lines: readonly string[]): string[] => lines.filter((_, i) => lines.slice(i).some(line => line !== ''))
    const isBack = (lines: readonly string[]): boolean => written(lines).at(-1)?.endsWith(PROMPT) === true
    const lines = written(await this.until('the shell is back', isBack))
    const command = lines.findLastIndex(line => line.startsWith(`${PROMPT} `))
    const before = lines.pop()?.slice(0, -PROMPT.length) // an echoed ^C may stand there
    return [...lines.slice(command + 1), ...(before ? [before] : [])]
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux('resize-window', '-x', String(columns), '-y', String(rows))
  }

  /** Everything that a full-screen program changes. */
  async state(): Promise<{ alternate: boolean; cursor: boolean; modes: string }> {
    const [alternate, cursor, device = ''] = (await this.#display('#{alternate_on} #{cursor_flag} #{pane_tty}')).split(' ')
    const { stdout: modes } = await run('stty', ['-a', '-F', device])
    return { alternate: alternate === '1', cursor: cursor === '1', modes }
  }

  /** The process that the shell has started. */
  async process(): Promise<number> {
    const { stdout } = await run('pgrep', ['-P', await this.#display('#{pane_pid}')])
    return Number(stdout)
  }

  async close(): Promise<void> {
    await this.#tmux('kill-server').catch(() => {}) // it was closed before
  }

  async #display(format: string): Promise<string> {
    return (await this.#tmux('display-message', '-p', format)).trim()
  }

  async #tmux(...words: readonly string[]): Promise<string> {
    const env = { PATH: process.env.PATH, HOME: '/', LC_ALL: 'C.UTF-8' }
    const { stdout } = await run('tmux', ['-L', this.#server, ...words], { env })
    return stdout
  }
}
