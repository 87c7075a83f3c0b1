// A Worker whose subscription throws: its 'uncaughtException' gets each, and the next message still comes.
const { execFileSync } = require('node:child_process')
const { parentPort, workerData } = require('node:worker_threads')
const addon = require('../../addon.cjs')

const { fd, name, protocol, group } = workerData
const caught = []
const addLink = () => execFileSync('ip', ['-n', name, 'link', 'add', `link${caught.length}`, 'type', 'veth'])

process.on('uncaughtException', error => {
  caught.push(error.message)
  if (caught.length === 1) addLink()
  else if (caught.length === 2) parentPort.postMessage(caught)
})

let calls = 0
const { socket } = addon.open({ protocol, netns: fd, groups: [group] })
addon.subscribe(socket, () => {
  calls++
  throw new Error(`thrown ${calls}`)
})
addLink()
