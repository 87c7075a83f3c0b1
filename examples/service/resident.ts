/** What runs on a machine: a web server, and what asks others when it is told to. The machine's name is its only argument. */
import { ask, isOpen, serve } from '../web.js'
import type { Order, Outcome } from './machine.js'

const [name = ''] = process.argv.slice(2)
// The story ends when it likes.
const end = (): never => process.exit()
process.on('disconnect', end)
process.on('error', end)
await serve(name, 8080)

async function carryOut({ target, patience }: Order): Promise<Outcome> {
  if (patience !== undefined) return { open: await isOpen(target, patience) }
  return ask(target).then(
    answer => ({ answer }),
    error => ({ problem: String(error) }),
  )
}

process.on('message', async (order: Order) => process.send?.([order.id, await carryOut(order)]))
process.send?.('ready')
