/** Every listing, of tables that hold everything and of connections that are open. */
import assert from 'node:assert/strict'
import type { Case, LinuxContext } from '../support/case.js'
import { startPeer } from '../traffic/remote.js'
import { byIpvsadm, byUs, line, listsTheSame } from './differential.js'

/** Something of every kind. No name server is reachable in a guest, so that names are those of /etc/hosts and /etc/services. */
const EVERYTHING = `
-A -t 127.0.0.1:80 -s rr
-a -t 127.0.0.1:80 -r 127.0.0.2:8080 -m -w 3
-a -t 127.0.0.1:80 -r 10.0.0.2:80 -i -w 1 --tun-type gre --tun-csum
-a -t 127.0.0.1:80 -r 10.0.0.3:80 -i -w 0 --tun-type gue --tun-port 6080 --tun-remcsum
-a -t 127.0.0.1:80 -r 10.0.0.4:80 -i -w 2147483647
-a -t 127.0.0.1:80 -r 10.0.0.1:80 -g
-A -u 1.2.3.4:53 -s mh -b mh-port,mh-fallback -p 360 -M 255.255.255.0 --pe sip
-a -u 1.2.3.4:53 -r 10.0.0.1:53 -m
-a -u 1.2.3.4:53 -r 100.100.100.100:65535 -m
-A -u 1.2.3.4:5060 -s wlc -o
-A -t 100.100.100.100:65535 -s lblcr -b flag-1,flag-2,flag-3
-A --sctp-service 1.2.3.4:9 -s sh -b sh-port
-A -t [2001:db8:1111:2222:3333:4444:5555:ffff]:443 -s rr -p 10 -M 64
-a -t [2001:db8:1111:2222:3333:4444:5555:ffff]:443 -r [2001:db8:1111:2222:3333:4444:5555:1]:65535 -m -w 7
-a -t [2001:db8:1111:2222:3333:4444:5555:ffff]:443 -r [2001:db8::2]:443 -i
-A -t [::1]:22 -s lc
-A -f 7 -s sed
-a -f 7 -r 10.0.0.1:0 -g
-a -f 7 -r 10.0.0.1:80 -m -w 2
-A -f 7 -6 -s nq -p 5
-a -f 7 -6 -r [2001:db8::2]:80 -g
-A -f 2147483647 -s fo
-A -t 1.2.3.4:0 -s ovf -p 60
`

async function withEverything(context: LinuxContext): Promise<void> {
  const [restored] = await byIpvsadm(context.netns, [line('-R', EVERYTHING.trim())])
  assert.deepEqual(restored, { status: 0, stdout: '', stderr: '' })
}

const VIEWS = ['', '--stats', '--rate', '--thresholds', '--persistent-conn', '--tun-info']

const connections: Case = {
  name: 'ipvsadm: connections, counters and rates are listed alike while clients are connected',
  needs: 'linux',
  async run(context) {
    const { netns } = context
    await context.inside('ip address add 10.9.0.1/32 dev lo')
    const server = startPeer(netns)
    await server.serve('one', ['127.0.0.11', '127.0.0.12'], 8080)
    const setUp = `
      -A -t 127.0.0.10:80 -s rr
      -a -t 127.0.0.10:80 -r 127.0.0.11:8080 -m
      -a -t 127.0.0.10:80 -r 127.0.0.12:8080 -m -x 100 -y 50
      -A -u 127.0.0.10:53 -s rr -p 100
      -a -u 127.0.0.10:53 -r 127.0.0.11:8080 -m`
    const [made] = await byIpvsadm(netns, [line('-R', setUp)])
    assert.equal(made?.status, 0, made?.stderr)
    for (let i = 0; i < 4; i++) {
      await server.hold({ protocol: 'tcp', address: '127.0.0.10', port: 80 })
      await server.hold({ protocol: 'udp', address: '127.0.0.10', port: 53 })
    }
    const [numeric] = await listsTheSame(netns, ['-Lnc'])
    assert.match(numeric?.stdout ?? '', /^TCP MM:SS {2}ESTABLISHED 127\.0\.0\.1:\d+ +127\.0\.0\.10:80 +127\.0\.0\.1[12]:8080$/m)
    await listsTheSame(netns, ['-Lc'])
    await listsTheSame(netns, ['-Lnc --persistent-conn'])
    const [, , stats] = await listsTheSame(netns, ['-Ln', '-Ln --persistent-conn', '-Ln --stats', '-Ln --thresholds'])
    assert.match(stats?.stdout ?? '', /^TCP {2}127\.0\.0\.10:80 +4 /m, 'the connections were counted')
    await listsTheSame(netns, ['-Ln --rate', '-Ln --rate --exact', '-Ln --stats --exact', '-Ln -t 127.0.0.10:80 --stats'])
  },
}

export const cases: readonly Case[] = [
  ...['-n ', ''].map(
    (numeric): Case => ({
      name: `ipvsadm: every view of tables with everything is the same, ${numeric ? 'with numbers' : 'with names'}`,
      needs: 'linux',
      async run(context) {
        await withEverything(context)
        const all = VIEWS.flatMap(view => [`-L ${numeric}${view}`, `-L ${numeric}${view} --nosort`])
        const one = VIEWS.map(view => `-L ${numeric}-t 127.0.0.1:80 ${view}`)
        const others = ['-u 1.2.3.4:53', '-f 7', '-f 7 -6', '-t [::1]:22', '-t 1.2.3.4:1'].map(key => `-L ${numeric}${key}`)
        const outcomes = await listsTheSame(context.netns, [...all, ...one, ...others, `-S ${numeric}`])
        assert.match(outcomes[0]?.stdout ?? '', numeric ? /^TCP {2}127\.0\.0\.1:80 rr$/m : /^TCP {2}localhost:http rr$/m)
      },
    }),
  ),
  connections,
  {
    name: 'the rules that -S prints make the same tables in an empty namespace, whoever restores them',
    needs: 'linux',
    async run(context) {
      await withEverything(context)
      const { stdout: saved } = await byUs(context.netns, line('-Sn'))
      const other = await context.another()
      for (const [netns, restore] of [
        [await context.another(), byUs],
        [other, async (name: string, one: ReturnType<typeof line>) => (await byIpvsadm(name, [one]))[0]],
      ] as const) {
        assert.deepEqual(await restore(netns, line('-R', saved)), { status: 0, stdout: '', stderr: '' })
        assert.equal((await byUs(netns, line('-Sn'))).stdout, saved)
      }
    },
  },
]
