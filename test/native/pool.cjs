// With UV_THREADPOOL_SIZE=1, while eight requests wait for a peer that is silent: prints what libuv's pool gets done.
const { lookup } = require('node:dns/promises')
const { readFile } = require('node:fs/promises')
const addon = require('../../addon.cjs')

const unanswered = Buffer.from('10000000010001000000000000000000', 'hex')

async function main() {
  const peer = addon.open({ protocol: 16 })
  const done = []
  for (let i = 0; i < 8; i++) {
    const { socket } = addon.open({ protocol: 16, destination: peer.portId })
    addon.exchange(socket, unanswered, 0, 0).then(() => done.push('answered'))
  }
  await readFile(__filename)
  done.push('read')
  await lookup('localhost')
  done.push('looked up')
  console.log(JSON.stringify(done))
  process.exit()
}

main()
