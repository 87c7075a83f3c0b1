/** SCTP. Node.js has no sockets for it, Perl has; the kernels of all guests have the module. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Forwarding } from '../../../lib/ipvs/index.js'
import type { Case, LinuxContext } from '../support/case.js'
import { all } from '../support/expect.js'
import { addressOf, CLIENT, CLIENT_NAMESPACE, nameOf, namespaceOf, network, realServer, SERVER_PORT, VIRTUAL } from './network.js'

const SOCKET = 'use Socket; socket(S, AF_INET, SOCK_STREAM, 132) or die "socket: $!"'
const bound = (address: string, port: number): string =>
  `bind(S, pack_sockaddr_in(${port}, inet_aton("${address}"))) or die "bind: $!"`

/** Answers every association with its name; says when it listens. */
const server = (name: string, address: string): string =>
  `${SOCKET}; ${bound(address, SERVER_PORT)}; listen(S, 5) or die "listen: $!"; $| = 1; print "listening\\n";
   while (accept(C, S)) { sysread(C, $question, 99); syswrite(C, "${name}"); close(C) }`

/** Asks, and prints the answer. */
const client = (address: string, port: number): string =>
  `alarm 60; ${SOCKET}; ${bound(CLIENT.ipv4[0], 0)};
   connect(S, pack_sockaddr_in(${port}, inet_aton("${address}"))) or die "connect: $!";
   syswrite(S, "who are you?"); sysread(S, $answer, 99) or die "no answer: $!"; print $answer`

async function startServer(context: LinuxContext, address: string): Promise<void> {
  const child = spawn('ip', ['netns', 'exec', namespaceOf(1), 'perl', '-e', server(nameOf(1), address)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  context.after(() => child.kill())
  const ended = once(child, 'exit').then(([code]) => assert.fail(`the SCTP server ended with status ${code}`))
  await Promise.race([once(child.stdout, 'data'), ended])
  ended.catch(() => {}) // it is killed in the end
}

const methods: readonly [words: string, forwarding: Forwarding, port: number, address: string][] = [
  ['NAT', 'masquerade', 80, addressOf(1, 'ipv4')],
  ['direct routing', 'direct-route', SERVER_PORT, VIRTUAL.ipv4],
]

export const cases: readonly Case[] = methods.map(
  ([words, forwarding, port, address]): Case => ({
    name: `an SCTP association goes through ${words}, and is in the connection table`,
    needs: 'linux',
    async run(context) {
      const { lvs } = await network(context)
      await context.sh('modprobe sctp')
      await startServer(context, address)
      const sctp = { protocol: 'sctp', address: VIRTUAL.ipv4, port } as const
      await lvs.addVirtualServer({ ...sctp, scheduler: 'rr' })
      await lvs.addRealServer(sctp, realServer(1, 'ipv4', forwarding))
      const answer = await context.sh(`ip netns exec ${CLIENT_NAMESPACE} perl -e '${client(sctp.address, port)}'`)
      assert.equal(answer, nameOf(1))
      const table = await all(lvs.connections())
      assert.deepEqual(
        table.map(({ protocol, destination }) => [protocol, destination.address]),
        [['sctp', addressOf(1, 'ipv4')]],
      )
    },
  }),
)
