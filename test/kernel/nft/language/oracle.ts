/** nft, in a namespace: what it loads, and how it lists that. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type * as json from '../../../../lib/nft/json/index.js'
import { documentOfText } from '../../../../lib/nft/json/number.js'
import { PROGRAMS } from '../programs.js'

/** nft 1.0.6 of Debian 12, and 1.1.3 of Debian 13. */
export const [OLD = 'nft', NEW] = PROGRAMS

/** Why something can not be tried here. */
export class Missing extends Error {}

/** What `nft list ruleset` and `nft -j list ruleset` print. */
export interface Listed {
  readonly text: string
  readonly json: json.Document
}

/** Files that commands read and write, for as long as it is open. */
export class Oracle {
  readonly #folder = mkdtempSync(join(tmpdir(), 'nft-language-'))
  #count = 0

  /** The errors that loading gives; none: it is loaded. */
  async load(program: string, netns: string, text: string, asJson = false): Promise<string | undefined> {
    const file = this.#file()
    writeFileSync(file, text)
    const { failed, output } = await inside(netns, `${program} ${asJson ? '-j ' : ''}-f ${file}`)
    return failed ? output.replaceAll(file, 'line') || 'no message' : undefined
  }

  /** Undefined where the program does not survive it: nft 1.0.6 and what nft 1.1.3 writes into the user data of sets. */
  async listText(program: string, netns: string): Promise<string | undefined> {
    const file = this.#file()
    const { failed, output } = await inside(netns, `${program} list ruleset >${file}`)
    return failed || /netlink: Error|rule without/.test(output) ? undefined : readFileSync(file, 'utf8')
  }

  /** Throws where nft itself can not list what is there. */
  async list(program: string, netns: string): Promise<Listed> {
    const [text, asJson] = [this.#file(), this.#file()]
    const { failed, output } = await inside(netns, `${program} list ruleset >${text} && ${program} -j list ruleset >${asJson}`)
    if (output.includes('no json callback')) throw new Missing(output.trim())
    if (failed || output !== '') throw new Error(`nft does not list it: ${output.slice(0, 500)}`)
    return { text: readFileSync(text, 'utf8'), json: documentOfText(readFileSync(asJson, 'utf8')) }
  }

  close(): void {
    rmSync(this.#folder, { recursive: true })
  }

  #file(): string {
    return join(this.#folder, String(this.#count++))
  }
}

function inside(netns: string, command: string): Promise<{ readonly failed: boolean; readonly output: string }> {
  return new Promise(resolve => {
    execFile('nsenter', [`--net=/run/netns/${netns}`, 'sh', '-c', command], (error, stdout, stderr) =>
      resolve({ failed: error !== null, output: stdout + stderr }),
    )
  })
}
