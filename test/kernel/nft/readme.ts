import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Case } from './case.js'

/** The first block of a kind in the README's part on nftables. */
function block(language: string): string {
  const part = readFileSync('README.md', 'utf8').split('\n## nftables by example\n')[1] ?? ''
  // Between two fences stands every other piece; a block begins with its kind.
  const found = part
    .split('```')
    .filter((_, i) => i % 2 === 1)
    .find(text => text.startsWith(`${language}\n`))
    ?.slice(language.length + 1)
  assert.ok(found, `the README has a block of ${language || 'text'}`)
  return found
}

/** The program with a client that is there already, and without what only a compiler understands. */
function body(program: string): string {
  return program
    .replace(/^import .*\n/m, '')
    .replace(/^await using .*\n/m, '')
    .replaceAll(' as const', '')
}

export const cases: readonly Case[] = [
  {
    name: 'what the README writes is listed by nft as the README says',
    needs: 'linux',
    async run({ open, inside }) {
      const run = Object.getPrototypeOf(async () => {}).constructor('nf', body(block('ts')))
      await run(await open())
      assert.equal(await inside('nft list ruleset'), block(''))
    },
  },
]
