// One way of ending with sockets in one state. lifecycle.test.ts goes through all of them.
//
//   node --expose-gc lifecycle.cjs STATE END main       this process goes through it
//   node --expose-gc lifecycle.cjs STATE ENDS worker    WORKERS Workers do, several at a time, and then no socket may be left; END,END…
//   node --expose-gc lifecycle.cjs STATE END abandoned  this process ends so while Workers are in that state
const { once } = require('node:events')
const { readdirSync, readlinkSync } = require('node:fs')
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
const addon = require('../../addon.cjs')

const workers = Number(process.env.WORKERS ?? 4)
const atATime = 4
const NETLINK_GENERIC = 16
const second = 1000

/** NLMSG_NOOP (1) with NLM_F_REQUEST, and with NLM_F_ACK (4) if it is to be answered. */
function noop(flags) {
  const message = Buffer.alloc(16)
  message.writeUInt32LE(16, 0)
  message.writeUInt16LE(1, 4)
  message.writeUInt16LE(1 | flags, 6)
  return message
}
const barrier = noop(4)
const unanswered = noop(0)
const open = options => addon.open({ protocol: NETLINK_GENERIC, ...options }).socket
const ask = socket => addon.exchange(socket, barrier, 0, second)
const wait = socket => addon.exchange(socket, unanswered, 0, 0)
const subscribed = (socket = open()) => {
  addon.subscribe(socket, () => {})
  return socket
}

/** Finalizers run in a later turn of the event loop. */
async function collect() {
  for (let turn = 0; turn < 3; turn++) {
    global.gc()
    await new Promise(resolve => setImmediate(resolve))
  }
}

const states = {
  loaded: () => {},
  open: () => void Array.from({ length: 20 }, () => open()),
  used: async () => {
    const socket = open()
    for (let i = 0; i < 20; i++) await ask(socket)
  },
  closed: async () => {
    const socket = open()
    await ask(socket)
    await Promise.all([addon.close(socket), addon.close(socket)])
  },
  // Answered by nobody: one of each socket waits on a thread, and one has not begun.
  waiting: () => {
    const sockets = Array.from({ length: 8 }, () => open())
    for (const socket of [...sockets, ...sockets]) wait(socket)
  },
  'in flight': () => {
    const sockets = Array.from({ length: 8 }, () => open())
    for (let i = 0; i < 20; i++) for (const socket of sockets) ask(socket)
  },
  settling: async () => {
    const sockets = Array.from({ length: 8 }, () => open())
    await Promise.race(sockets.map(ask))
  },
  'closing in flight': () => {
    for (let i = 0; i < 8; i++) {
      const socket = open()
      ask(socket)
      ask(socket)
      addon.close(socket)
    }
  },
  'closing while waiting': () => {
    const socket = open()
    wait(socket)
    wait(socket)
    addon.close(socket)
  },
  subscribed: () => void Array.from({ length: 8 }, () => subscribed()),
  'subscribed, unref': () => {
    for (let i = 0; i < 8; i++) addon.unref(subscribed())
  },
  'subscribed, closing': () => {
    for (let i = 0; i < 8; i++) addon.close(subscribed())
  },
  'subscribed, closed': async () => {
    await Promise.all(Array.from({ length: 8 }, () => addon.close(subscribed())))
  },
  collected: async () => {
    for (let round = 0; round < 5; round++) {
      const promises = []
      for (let i = 0; i < 20; i++) {
        open()
        promises.push(ask(open()), addon.close(subscribed()))
      }
      // Only the addon knows of this one, and of its bytes, for as long as the collector has its time.
      promises.push(addon.exchange(open(), Buffer.from(unanswered), 0, 20))
      await collect()
      const replies = await Promise.all(promises)
      if (replies.some(reply => reply?.errno === 0 && !reply.complete)) throw new Error('not answered')
      await collect()
    }
  },
  everything: async () => {
    for (const state of ['open', 'used', 'waiting', 'in flight', 'closing in flight', 'subscribed', 'subscribed, closing'])
      await states[state]()
  },
}

/** States that keep a process alive: they have no natural end. */
const endless = ['waiting', 'closing while waiting', 'subscribed', 'everything']

const ends = {
  natural: () => {},
  exit: () => process.exit(0),
  throw: () => {
    throw new Error('on purpose')
  },
  terminate: () => parentPort.postMessage('ready'),
}
/** What the process or Worker may exit with: a Worker may be through before it is terminated. */
const codes = { natural: [0], exit: [0], throw: [1], terminate: [0, 1] }

async function run(state, end) {
  await states[state]()
  ends[end]()
}

const start = (state, end) => new Worker(__filename, { workerData: { state, end }, stderr: true })

/** One Worker's whole life. */
function live(state, end) {
  return new Promise((resolve, reject) => {
    const worker = start(state, end)
    worker.on('message', () => worker.terminate())
    worker.on('error', error => error.message !== 'on purpose' && reject(error))
    worker.on('exit', code =>
      codes[end].includes(code) ? resolve() : reject(new Error(`${state}, ${end}: a Worker exited with ${code}`)),
    )
  })
}

function sockets() {
  const targets = readdirSync('/proc/self/fd').map(fd => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return '' // the one that readdirSync had open
    }
  })
  return targets.filter(target => target.startsWith('socket:')).length
}

async function liveMany(state, ends) {
  const before = sockets()
  for (const end of ends.split(',')) {
    for (let i = 0; i < workers; i += atATime) await Promise.all(Array.from({ length: atATime }, () => live(state, end)))
    if (sockets() !== before) throw new Error(`${state}, ${end}: ${sockets() - before} sockets are left`)
  }
}

async function abandon(state, end) {
  const busy = Array.from({ length: atATime }, () => start(state, 'terminate'))
  await Promise.all(busy.map(worker => once(worker, 'message')))
  for (const worker of busy) worker.unref()
  ends[end]()
}

module.exports = { states: Object.keys(states), endless, codes }

if (!isMainThread) run(workerData.state, workerData.end)
else if (require.main === module) {
  const [state, end, where] = process.argv.slice(2)
  const ways = { main: run, worker: liveMany, abandoned: abandon }
  ways[where](state, end)
}
