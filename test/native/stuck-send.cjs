// In a virtual machine only: while the kernel keeps a sendmsg, prints what gets done in this process, or beside a Worker that ends.
//
//   UV_THREADPOOL_SIZE=1 node stuck-send.cjs request|worker
const { existsSync, mkdtempSync, writeFileSync } = require('node:fs')
const { lookup } = require('node:dns/promises')
const { readFile } = require('node:fs/promises')
const { setTimeout: sleep } = require('node:timers/promises')
const { Worker, isMainThread } = require('node:worker_threads')
const addon = require('../../addon.cjs')

/** CTRL_CMD_GETFAMILY of a family that there is not: inside sendmsg, the kernel has modprobe look for a module that has it. */
const unknownFamily = Buffer.from('20000000100001000100000000000000030200000b000200' + '6e6f626f647900' + '00', 'hex')
const barrier = Buffer.from('10000000010005000200000000000000', 'hex')
const open = () => addon.open({ protocol: 16 }).socket
const ask = () => addon.exchange(open(), unknownFamily, 1, 0)

/** Makes modprobe a program that ends when it is told to. */
function replaceModprobe() {
  if (!existsSync('/run/vm/guest-run')) throw new Error('this changes the kernel: run it with scripts/vm')
  const folder = mkdtempSync('/run/modprobe-')
  const program = `${folder}/modprobe`
  writeFileSync(program, `#!/bin/sh\n>${folder}/began\nuntil [ -e ${folder}/end ]; do sleep 0.01; done\n`, { mode: 0o755 })
  writeFileSync('/proc/sys/kernel/modprobe', program)
  return {
    began: async () => {
      while (!existsSync(`${folder}/began`)) await sleep(10)
    },
    end: () => writeFileSync(`${folder}/end`, ''),
  }
}

/** What is stuck, and the promise of its end. */
const ways = {
  request: () => {
    const replies = Promise.all(Array.from({ length: 6 }, ask))
    return () => replies.then(all => `${all.filter(({ sent, complete }) => sent === 32 && complete).length} answered`)
  },
  worker: () => {
    const worker = new Worker(__filename)
    return () => worker.terminate().then(code => `exited with ${code}`)
  },
}

async function main(way) {
  const modprobe = replaceModprobe()
  const done = []
  const wait = ways[way]()
  await modprobe.began()
  const ended = wait().then(how => done.push(how))
  await readFile(__filename)
  done.push('read')
  await lookup('localhost')
  done.push('looked up')
  if ((await addon.exchange(open(), barrier, 2, 0)).complete) done.push('asked on another socket')
  modprobe.end()
  await ended
  console.log(JSON.stringify(done))
}

if (isMainThread) main(process.argv[2])
else ask()
