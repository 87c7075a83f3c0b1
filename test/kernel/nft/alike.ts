/** The memory kernel answers as this kernel does. It plays Linux 6.18. */

import { message } from '../../../lib/nft/wire.js'
import { memoryKernel } from '../../../lib/testing/index.js'
import { Random } from '../support/random.js'
import { batch, CREATE, dump, set, spec, table } from './alike/messages.js'
import { objects } from './alike/objects.js'
import { beginning, everything, RandomTransactions } from './alike/random.js'
import { rules } from './alike/rules.js'
import { playBoth, type Step } from './alike/scenario.js'
import { setsAndElements } from './alike/sets.js'
import { Side } from './alike/side.js'
import { tables } from './alike/tables.js'
import { type Case, type LinuxContext, Skip } from './case.js'

/** Transactions made at random, and after how many of them all is begun anew. */
const [TRANSACTIONS, ANEW] = [300, 50]
const LISTENER = 'listener'

async function playAlike({ transport, after }: LinuxContext, steps: Iterable<Step>): Promise<void> {
  const linux = new Side(transport())
  const memory = new Side(memoryKernel())
  after(() => linux.end())
  after(() => memory.end())
  await tellSet(memory) // so that both have seen the same
  // How many elements there are is told with sets since 6.16, and that is what other answers differ by, too.
  if (!/ 20:00000000/.test(await tellSet(linux))) throw new Skip('the memory kernel plays Linux 6.18')
  await playBoth(steps, linux, memory)
}

/** How a set is told. */
async function tellSet(side: Side): Promise<string> {
  await side.ask('probe', batch(table('ip', 'probe'), set('ip', 'probe', 's', CREATE, 0, 4)))
  const [told = ''] = await side.ask('probe', [dump(message.getSet)])
  await side.ask('probe', batch(spec(message.deleteTable, 'ip', 0, [[1, 'probe']])))
  await side.close('probe')
  return told
}

/** Each is answered, told to others, and leaves the same behind. */
function* randomSteps(seed: number): Generator<Step> {
  const transactions = new RandomTransactions(new Random(seed))
  yield { listen: LISTENER }
  for (let i = 0; i < TRANSACTIONS; i++) {
    if (i % ANEW === 0) yield batch(spec(message.deleteTable, 'unspecified', 0))
    if (i % ANEW === 0) yield beginning
    yield transactions.transaction()
    yield { read: LISTENER }
    if (i % 5 === 4) yield* everything
  }
}

export const cases: readonly Case[] = [
  ...[...tables, ...rules, ...objects, ...setsAndElements].map(
    ({ name, steps }): Case => ({
      name: `the memory kernel answers as this one: ${name}`,
      needs: 'linux',
      run: context => playAlike(context, steps),
    }),
  ),
  ...[1, 2, 3].map(
    (seed): Case => ({
      name: `the memory kernel answers as this one: transactions at random (${seed})`,
      needs: 'linux',
      run: context => playAlike(context, randomSteps(seed)),
    }),
  ),
]
