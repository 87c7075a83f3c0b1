// Prints what 100,000 requests and 2,000 subscriptions leave behind.
const { readdirSync } = require('node:fs')
const addon = require('../../addon.cjs')

const barrier = Buffer.from('10000000010005000000000000000000', 'hex')
const open = () => addon.open({ protocol: 16 }).socket
const descriptors = () => readdirSync('/proc/self/fd').length

async function requests(count) {
  const sockets = Array.from({ length: 10 }, open)
  for (let i = 0; i < count; i += 100) {
    const replies = await Promise.all(Array.from({ length: 100 }, (_, n) => addon.exchange(sockets[n % 10], barrier, 0, 5000)))
    if (!replies.every(({ complete }) => complete)) throw new Error('not answered')
  }
  await Promise.all(sockets.map(addon.close))
}

async function subscriptions(count) {
  for (let i = 0; i < count; i++) {
    const socket = open()
    addon.subscribe(socket, () => {})
    await addon.close(socket)
  }
}

async function settled() {
  for (let i = 0; i < 5; i++) {
    global.gc()
    await new Promise(resolve => setImmediate(resolve))
  }
  return { descriptors: descriptors(), resident: process.memoryUsage.rss() }
}

async function main() {
  await requests(20_000)
  await subscriptions(500)
  const before = await settled()
  await requests(100_000)
  await subscriptions(2_000)
  const after = await settled()
  const grown = Math.round((after.resident - before.resident) / 2 ** 20)
  console.log(JSON.stringify({ descriptors: { before: before.descriptors, after: after.descriptors }, megabytes: { grown } }))
}

main()
