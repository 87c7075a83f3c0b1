/** What the README shows of routes and connections runs. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Case } from './case.js'
import { tuple } from './conntrack/flows.js'

/** The programs of that part: without their imports, with a client that is there already, and without loops that are only hinted at. */
function programs(): string[] {
  const part = readFileSync('README.md', 'utf8').split('\n## Routes and connections by example\n')[1]?.split('\n## ')[0] ?? ''
  return part
    .split('```')
    .filter(text => text.startsWith('ts\n'))
    .map(text =>
      text
        .slice(3)
        .split('\n')
        .filter(line => !/^(import|await using) |\) …( |$)/.test(line))
        .join('\n'),
    )
}

const Program = Object.getPrototypeOf(async () => {}).constructor

export const cases: readonly Case[] = [
  {
    name: 'what the README shows of routes and connections runs',
    async run({ route, conntrack }) {
      const [first, second] = programs()
      assert.ok(first && second)
      const routes = await route()
      await new Program('routes', first)(routes)
      const [made] = await routes.routes({ table: 'local', type: 'local', protocol: 77 })
      assert.equal(made?.destination, '10.96.0.0/12')
      const tracked = await conntrack()
      const flow = {
        original: tuple('tcp', '10.0.0.1', 1, '10.96.0.10', 53),
        reply: tuple('tcp', '10.244.0.5', 53, '10.0.0.1', 1),
        timeout: 60,
      }
      await tracked.add({ ...flow, state: 'established' })
      await tracked.add({ original: tuple('udp', '10.0.0.1', 1, '10.96.0.10', 53), timeout: 60 })
      const told: unknown[] = []
      await new Program('tracked', 'flow', 'console', second)(tracked, flow, { log: (...words: unknown[]) => told.push(words) })
      assert.deepEqual(told, [[flow.original, 'established']])
      assert.equal((await tracked.count()).entries, 0)
    },
  },
]
