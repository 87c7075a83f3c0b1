/** Which options go with which command: each with each, and at random. */
import { COLUMNS, type Column } from '../../../lib/cli/ipvsadm/options.js'
import type { Case } from '../support/case.js'
import { Random } from '../support/random.js'
import { type Line, line, sameAsIpvsadm } from './differential.js'

/** The fourteen commands, with what they cannot do without. */
const COMMANDS: readonly (readonly [command: string, base: string])[] = [
  ['-A', '-t 1.2.3.4:80'],
  ['-E', '-t 1.2.3.4:80'],
  ['-D', '-t 1.2.3.4:80'],
  ['-C', ''],
  ['-L', ''],
  ['-a', '-t 1.2.3.4:80 -r 10.0.0.1'],
  ['-d', '-t 1.2.3.4:80 -r 10.0.0.1'],
  ['-e', '-t 1.2.3.4:80 -r 10.0.0.1'],
  ['--set 1 2 3', ''],
  ['--start-daemon master', '--mcast-interface lo'],
  ['--stop-daemon master', ''],
  ['-R', ''],
  ['-S', ''],
  ['-Z', ''],
]

/** Each option with a value that is right. */
const OPTIONS: Readonly<Record<Column, string>> = {
  numeric: '-n',
  connection: '-c',
  'service-address': '-u 1.2.3.4:80',
  scheduler: '-s rr',
  persistent: '-p 100',
  netmask: '-M 255.255.255.0',
  'real-server': '-r 10.0.0.2:80',
  'forwarding-method': '-m',
  weight: '-w 5',
  'u-threshold': '-x 10',
  'l-threshold': '-y 5',
  'mcast-interface': '--mcast-interface lo',
  timeout: '--timeout',
  daemon: '--daemon',
  stats: '--stats',
  rate: '--rate',
  thresholds: '--thresholds',
  'persistent-conn': '--persistent-conn',
  nosort: '--nosort',
  syncid: '--syncid 7',
  exact: '--exact',
  ops: '-o',
  pe: '--pe sip',
  'sched-flags': '-b flag-1',
  'mcast-group': '--mcast-group 224.0.0.82',
  'mcast-port': '--mcast-port 9000',
  'mcast-ttl': '--mcast-ttl 2',
  'sync-maxlen': '--sync-maxlen 1000',
  'tun-info': '--tun-info',
  'tun-type': '--tun-type ipip',
  'tun-port': '--tun-port 6080',
  'tun-nocsum': '--tun-nocsum',
  'tun-csum': '--tun-csum',
  'tun-remcsum': '--tun-remcsum',
}

const PAIRS: readonly Line[] = COMMANDS.flatMap(([command, base]) =>
  COLUMNS.map(column => line(`${command} ${base} ${OPTIONS[column]}`)),
)

/** Command lines with some options each, in any order. */
function atRandom(count: number, seed: number): Line[] {
  const random = new Random(seed)
  return Array.from({ length: count }, () => {
    const [command, base] = random.of(COMMANDS)
    const options = Array.from({ length: random.below(4) }, () => OPTIONS[random.of(COLUMNS)])
    const words = random.below(4) > 0 ? [base, ...options] : options
    for (let i = words.length - 1; i > 0; i--) {
      const j = random.below(i + 1)
      ;[words[i], words[j]] = [words[j] as string, words[i] as string]
    }
    return line(`${command} ${words.join(' ')}`)
  })
}

const SEED = 20191224

export const cases: readonly Case[] = [
  {
    name: `ipvsadm: each of ${COMMANDS.length} commands with each of ${COLUMNS.length} options`,
    needs: 'linux',
    run: context => sameAsIpvsadm(context, PAIRS),
  },
  {
    name: `ipvsadm: 60 command lines with options at random (seed ${SEED})`,
    needs: 'linux',
    run: context => sameAsIpvsadm(context, atRandom(60, SEED)),
  },
]
