import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import * as nft from '../../../lib/nft/index.js'
import type { Case } from './case.js'

const LANGUAGE = 'nftables by example'
const EXPRESSIONS = 'What the kernel executes'

/** The first block of a kind below a headline of the README. */
function block(headline: string, language: string): string {
  const part = readFileSync('README.md', 'utf8').split(new RegExp(`\n##+ ${headline}\n`))[1] ?? ''
  // Between two fences stands every other piece; a block begins with its kind.
  const found = part
    .split('```')
    .filter((_, i) => i % 2 === 1)
    .find(text => text.startsWith(`${language}\n`))
    ?.slice(language.length + 1)
  assert.ok(found, `the README has a block of ${language || 'text'} below ${headline}`)
  return found
}

/** The program with a client that is there already, and without what only a compiler understands. */
function body(program: string): string {
  return program
    .replace(/^import .*\n/m, '')
    .replace(/^await using .*\n/m, '')
    .replaceAll(' as const', '')
}

export const cases: readonly Case[] = [LANGUAGE, EXPRESSIONS].map(headline => ({
  name: `what the README writes is listed by nft as the README says: ${headline}`,
  needs: 'linux',
  async run({ open, inside }) {
    const run = Object.getPrototypeOf(async () => {}).constructor('nft', 'nf', body(block(headline, 'ts')))
    await run(nft, await open())
    assert.equal(await inside('nft list ruleset'), block(headline, ''))
  },
}))
