/** Where we differ from ipvsadm on purpose: both sides are shown, so that each difference is one. */
import assert from 'node:assert/strict'
import type { Case, LinuxContext } from '../support/case.js'
import { byIpvsadm, byUs, type Line, line } from './differential.js'

/** What both print when they have run the same lines, each in a namespace of its own. */
async function both(context: LinuxContext, lines: readonly Line[]): Promise<{ theirs: string; ours: string }> {
  const theirs = (await byIpvsadm(await context.another(), lines)).at(-1)
  let ours = ''
  for (const one of lines) ours = (await byUs(context.netns, one)).stdout
  return { theirs: theirs?.stdout ?? '', ours }
}

const inOrder = (text: string): string[] => [...text.matchAll(/\d+\.0\.0\.1(?=:80)/g)].map(([address]) => address)

export const cases: readonly Case[] = [
  {
    name: 'difference: addresses are sorted as numbers, where the subtraction of ipvsadm overflows',
    needs: 'linux',
    async run(context) {
      const addresses = ['1.0.0.1', '100.0.0.1', '150.0.0.1', '200.0.0.1']
      const { theirs, ours } = await both(context, [...addresses.map(address => line(`-A -t ${address}:80`)), line('-Ln')])
      assert.deepEqual(inOrder(ours), addresses)
      assert.deepEqual(inOrder(theirs), ['150.0.0.1', '200.0.0.1', '1.0.0.1', '100.0.0.1'])
    },
  },
  {
    name: 'difference: firewall marks above 2147483647 are printed as they are, and can be restored',
    needs: 'linux',
    async run(context) {
      const { theirs, ours } = await both(context, [line('-A -f 4000000000'), line('-Sn')])
      assert.equal(ours, '-A -f 4000000000 -s wlc\n')
      assert.equal(theirs, '-A -f -294967296 -s wlc\n')
      const other = await context.another()
      assert.deepEqual(await byUs(other, line('-R', ours)), { status: 0, stdout: '', stderr: '' })
      assert.equal((await byUs(other, line('-Sn'))).stdout, ours)
    },
  },
  {
    name: 'difference: thresholds are saved',
    needs: 'linux',
    async run(context) {
      const lines = [line('-A -t 1.0.0.1:80'), line('-a -t 1.0.0.1:80 -r 10.0.0.1 -m -x 10 -y 5'), line('-Sn')]
      const { theirs, ours } = await both(context, lines)
      assert.equal(ours, '-A -t 1.0.0.1:80 -s wlc\n-a -t 1.0.0.1:80 -r 10.0.0.1:80 -m -w 1 -x 10 -y 5\n')
      assert.equal(theirs, '-A -t 1.0.0.1:80 -s wlc\n-a -t 1.0.0.1:80 -r 10.0.0.1:80 -m -w 1\n')
      const [restored, saved] = await byIpvsadm(await context.another(), [line('-R', ours), line('-Ln --thresholds')])
      assert.equal(restored?.status, 0, 'ipvsadm takes the lines')
      assert.match(saved?.stdout ?? '', /10\.0\.0\.1:80 +10 +5 /)
    },
  },
  {
    name: 'difference: a restore goes on after a bad line, tells each with its number, and ends with a status of its own',
    needs: 'linux',
    async run(context) {
      const text = '-A -t 1.0.0.1:80\n-A -t 1.0.0.1:80\n# a comment\n--foo\n\n-A -t 1.0.0.2:80 -s nosuch\n-A -t 1.0.0.3:80\n'
      const ours = await byUs(context.netns, line('-R', text))
      assert.deepEqual(ours, {
        status: 1,
        stdout: '',
        stderr: [
          'line 2: -A -t 1.0.0.1:80: Service already exists',
          'line 4: --foo: this is no command',
          'line 6: -A -t 1.0.0.2:80 -s nosuch: Scheduler or persistence engine not found',
          '3 of 7 lines failed, the others were carried out\n',
        ].join('\n'),
      })
      assert.equal((await byUs(context.netns, line('-Sn'))).stdout, '-A -t 1.0.0.1:80 -s wlc\n-A -t 1.0.0.3:80 -s wlc\n')
      const other = await context.another()
      const [theirs, left] = await byIpvsadm(other, [line('-R', text), line('-Sn')])
      assert.equal(theirs?.status, 255)
      assert.equal(left?.stdout, '-A -t 1.0.0.1:80 -s wlc\n', 'ipvsadm ends at the first line that it can not read')
      const [lucky] = await byIpvsadm(other, [line('-R', '-A -t 1.0.0.1:80\n-A -t 1.0.0.9:80\n')])
      assert.equal(lucky?.status, 0, 'and its status is that of the last line')
    },
  },
  {
    name: 'difference: a list of scheduler flags with nothing in it is refused, where ipvsadm crashes',
    needs: 'linux',
    async run(context) {
      const lines = [line('-A -t 1.0.0.1:80 -b ,')]
      assert.equal((await byIpvsadm(await context.another(), lines))[0]?.status, 139)
      const [asked] = lines
      assert.deepEqual(asked && (await byUs(context.netns, asked)), {
        status: 2,
        stdout: '',
        stderr: "invalid scheduler flag `,'\n",
      })
    },
  },
  {
    name: 'difference: forwarding that ipvsadm has no word for is named in listings, and told when it can not be saved',
    needs: 'linux',
    async run(context) {
      const lvs = await context.open()
      const web = { protocol: 'tcp', address: '1.0.0.1', port: 80 } as const
      await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
      await lvs.addRealServer(web, { address: '10.0.0.1', port: 80, forwarding: 'bypass' })
      const [theirs] = await byIpvsadm(context.netns, [line('-Ln')])
      assert.match(theirs?.stdout ?? '', /-> 10\.0\.0\.1:80 +\(null\)/)
      assert.match((await byUs(context.netns, line('-Ln'))).stdout, /-> 10\.0\.0\.1:80 +Bypass {2}1 /)
      const saved = await byUs(context.netns, line('-Sn'))
      assert.equal(saved.stdout, '-A -t 1.0.0.1:80 -s rr\n')
      assert.equal(saved.stderr, "Not saved: -t 1.0.0.1:80 -r 10.0.0.1:80: a real server with forwarding 'bypass'\n")
    },
  },
  {
    name: 'difference: a third flag of sh and mh has a name',
    needs: 'linux',
    async run(context) {
      const { theirs, ours } = await both(context, [line('-A -t 1.0.0.1:80 -s sh -b flag-3'), line('-Ln')])
      assert.match(ours, /^TCP {2}1\.0\.0\.1:80 sh \(flag-3\)$/m)
      assert.match(theirs, /^TCP {2}1\.0\.0\.1:80 sh \(\)$/m)
    },
  },
]
