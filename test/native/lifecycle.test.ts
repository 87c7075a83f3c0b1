import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import t from 'tap'
import { root } from './support.js'

t.setTimeout(0) // hundreds of Workers

const program = join(root, 'test/native/lifecycle.cjs')
const { states, endless, codes } = createRequire(import.meta.url)(program) as {
  states: string[]
  endless: string[]
  codes: Record<string, number[]>
}

/** Its exit code, and all that it printed: a sanitizer's report is shown with a failure. Without the loaders that tap gives to children. */
async function run(...words: string[]) {
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, '--expose-gc', program, ...words], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let printed = ''
  child.stderr.setEncoding('utf8').on('data', text => {
    printed += text
  })
  const [code, signal] = await once(child, 'close')
  return { code, signal, printed }
}

const possible = (state: string) => Object.keys(codes).filter(end => end !== 'natural' || !endless.includes(state))

t.test('a process ends as it should', async t => {
  t.jobs = 2
  for (const state of states) {
    for (const end of possible(state).filter(end => end !== 'terminate')) {
      t.test(`${state}, ${end}`, async t => {
        const { code, signal, printed } = await run(state, end, 'main')
        t.match({ code, signal }, { code: codes[end]?.[0], signal: null }, { printed })
      })
    }
  }
})

t.test('Workers end as they should, and leave nothing open', async t => {
  t.jobs = 2
  for (const state of states) {
    t.test(`${state}: ${possible(state).join(', ')}`, async t => {
      const { code, signal, printed } = await run(state, possible(state).join(), 'worker')
      t.match({ code, signal }, { code: 0, signal: null }, { printed })
    })
  }
})

t.test('a process ends as it should while Workers are busy', async t => {
  t.jobs = 2
  const ends = ['natural', 'exit', 'throw']
  // Every state, and every end with a third of them: what Workers leave does not depend on how the process ends.
  for (const [at, state] of states.entries()) {
    for (const end of ends.slice(at % 3, (at % 3) + 1)) {
      t.test(`${state}, ${end}`, async t => {
        const { code, signal, printed } = await run(state, end, 'abandoned')
        t.match({ code, signal }, { code: codes[end]?.[0], signal: null }, { printed })
      })
    }
  }
})
