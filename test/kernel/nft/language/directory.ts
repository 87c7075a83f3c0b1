/** Any directory of rulesets. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Check } from './check.js'
import { checkDocument, checkText } from './corpus.js'
import type { Bench } from './examine.js'

/** Each file of a directory and of those in it. */
export function directoryFiles(directory: string): { readonly name: string; check(bench: Bench): Promise<Check[]> }[] {
  const names = readdirSync(directory, { recursive: true }).map(String)
  return names
    .filter(name => statSync(join(directory, name)).isFile())
    .sort()
    .map(name => ({
      name,
      check: bench => checkFile(bench, readFileSync(join(directory, name), 'utf8'), name.endsWith('.json')),
    }))
}

const checkFile = (bench: Bench, text: string, isJson: boolean): Promise<Check[]> =>
  isJson ? checkDocument(bench, text) : checkText(bench, text)
