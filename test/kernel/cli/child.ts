/**
 * The command line as a process that gets a signal when the kernel has taken so many messages of it, in the middle of a window if need be:
 * `node child.js SIGKILL 12 apply --netns blue -f FILE`.
 */
import { main } from '../../../lib/cli/main.js'
import { open } from '../../../lib/ipvs/index.js'
import { nativeTransport } from '../../../lib/netlink/index.js'
import { dying } from '../support/dying.js'

const [signal, most, ...argv] = process.argv.slice(2)

const status = await main(argv, {
  program: 'ts-ipvs',
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: new AbortController().signal,
  suspend() {},
  open({ netns }) {
    const { transport, dead } = dying(nativeTransport(netns), Number(most))
    dead.then(() => process.kill(process.pid, signal))
    return open({ transport })
  },
  openNft: () => Promise.reject(new Error('nothing is opened')),
})
process.exit(status)
