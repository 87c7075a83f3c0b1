/** The rulesets of test/nft/corpus. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { type LinuxContext, Skip } from './case.js'

const CORPUS = new URL('../../../../../test/nft/corpus/', import.meta.url)
export const RULESETS: readonly string[] = readdirSync(CORPUS)

/** Whether a program loads a ruleset in a namespace. */
export async function load({ sh }: LinuxContext, netns: string, program: string, file: string): Promise<boolean> {
  const loading = sh(`ip netns exec ${netns} ${program} -f ${new URL(file, CORPUS).pathname}`)
  return loading.then(
    () => true,
    () => false,
  )
}

/** The device that rulesets name beside lo: kernels before 6.16 want it to be there. */
export async function addDevice({ sh }: LinuxContext, netns: string): Promise<void> {
  await sh(`ip -n ${netns} link add other0 type veth peer name other1`)
}

/** What to say when no program could load a ruleset. Throws an assertion when it tells nothing that it needs. */
export function unloadable(file: string): Skip {
  const needs = readFileSync(new URL(file, CORPUS), 'utf8').match(/^# (?:nft|kernel): .*$/gm) ?? []
  assert.ok(needs.length > 0, 'no nft loads it, and it does not say what it needs')
  return new Skip(`need ${needs.map(line => line.replace(/^# /, '')).join(', ')}`)
}
