/** `ts-ipvs proxy`, on a kernel in memory. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { main } from '../../../lib/cli/main.js'
import { serve } from '../../../lib/proxy/index.js'
import { memoryKernel } from '../../../lib/testing/index.js'
import { cli, ioFor, type Text } from '../support.js'

const folder = mkdtempSync(join(tmpdir(), 'ts-ipvs-proxy.'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

function file(content: string): string {
  const path = join(folder, `${++files}.yaml`)
  writeFileSync(path, content)
  return path
}

const state = (): string => join(folder, `${++files}.json`)

const SERVICE = `kind: Service
metadata: {name: web}
spec: {clusterIP: 10.96.0.10, ports: [{name: http, port: 80}]}
---
kind: EndpointSlice
metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints: [{addresses: [10.244.1.7]}, {addresses: [10.244.2.9]}]
---
kind: Service
metadata: {name: idle}
spec: {clusterIP: 10.96.0.11, ports: [{port: 80}]}
`
const RANGES = ['--service-cidr', '10.96.0.0/16', '--cluster-cidr', '10.244.0.0/16', '--node', 'here']
const nodeOptions = (manifests: string): readonly string[] => ['--manifests', manifests, '--state', state(), ...RANGES]

t.test('once brings the manifests to the kernel, and says what it did', async t => {
  const { run } = await cli(memoryKernel({ ipvs: false }))
  const { status, stdout, stderr } = await run(['proxy', 'run', '--once', ...nodeOptions(file(SERVICE))])
  t.match({ status, stdout }, { status: 0, stdout: '' })
  const [first = '', synced = '', last = ''] = stderr.split('\n').filter(line => line.startsWith('info'))
  t.match(first, /^info: ts-ipvs \S+ serves Services on Linux \S+ ipv4=nftables ipv6=nftables node=here source=directory /)
  t.match(
    synced,
    /^info: synced milliseconds=\d+ added=\d+ .*services=\["default\/web:http \(2 endpoints\)","default\/idle \(0 endpoints\)"\]/,
  )
  t.match(last, /^info: the kernel is as the source says services=2 frontends=2$/)
})

t.test('with --json each line of the log is an object', async t => {
  const { run } = await cli(memoryKernel({ ipvs: false }))
  const { stderr } = await run(['proxy', 'run', '--once', '--json', ...nodeOptions(file(SERVICE))])
  const lines = stderr
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
    .filter(({ level }) => level === 'info')
  t.match(lines, [
    { level: 'info', message: /serves Services/, node: 'here', time: /^\d{4}-/ },
    { level: 'info', message: 'synced', milliseconds: Number, changed: 2 },
    { level: 'info', services: 2, frontends: 2 },
  ])
})

for (const ipvs of [true, false])
  t.test(`explain: the source and the kernel give one answer, ${ipvs ? 'with IPVS' : 'by rules'}`, async t => {
    const { run } = await cli(memoryKernel({ ipvs }))
    const source = nodeOptions(file(SERVICE))
    const flows: readonly [from: string, to: string, verdict: string, service: string | undefined, masquerade: boolean][] = [
      ['10.244.9.9', '10.96.0.10:80', 'accept', 'default/web:http', false],
      ['203.0.113.7', '10.96.0.10:80', 'accept', 'default/web:http', true],
      ['10.244.9.9', '10.96.0.11:80', 'reject', 'default/idle', false],
      ['10.244.9.9', '10.96.0.10:81', 'reject', undefined, false],
      ['10.244.9.9', '10.96.99.99:80', 'drop', undefined, false],
      ['10.244.9.9', '192.0.2.1:80', 'none', undefined, false],
    ]
    t.match(await run(['proxy', 'explain', '--kernel', '--from', '10.244.9.9', 'tcp', '10.96.0.10:80']), {
      status: 0,
      stdout: 'none: the kernel has no table ip ts-ipvs: no proxy has run here\n',
    })
    await run(['proxy', 'run', '--once', ...source])
    for (const [from, to, verdict, service, masquerade] of flows) {
      const flow = ['--json', '--from', from, 'tcp', to]
      const endpoints = verdict === 'accept' ? ['10.244.1.7:8080', '10.244.2.9:8080'] : []
      const expected = { verdict, endpoints, masquerade, ...(service === undefined ? {} : { service }) }
      for (const options of [source, [], [...source, '--kernel']]) {
        const { status, stdout } = await run(['proxy', 'explain', ...options, ...flow])
        const { reason, ...found } = JSON.parse(stdout)
        t.equal(status, 0)
        t.match({ service, ...found }, expected, `${from} to ${to} by ${options.join(' ')}`)
        t.type(reason, 'string')
      }
    }
  })

t.test('explain says where kernel and source disagree', async t => {
  const { run } = await cli(memoryKernel({ ipvs: false }))
  await run(['proxy', 'run', '--once', ...nodeOptions(file(SERVICE))])
  const other = nodeOptions(file(SERVICE.replace('10.244.2.9', '10.244.3.3')))
  const asked = ['proxy', 'explain', '--kernel', ...other, '--from', '10.244.9.9', 'tcp', '10.96.0.10:80']
  const { status, stdout } = await run(asked)
  t.equal(status, 1)
  t.match(
    stdout,
    /^disagreement: the kernel says accept for default\/web:http to 10.244.1.7:8080, 10.244.2.9:8080, the source says accept for default\/web:http to 10.244.1.7:8080, 10.244.3.3:8080$/m,
  )
  const { stdout: json } = await run([...asked, '--json'])
  t.match(JSON.parse(json), { verdict: 'accept', disagreement: /the source says/ })
})

const answerAt = (port: number, path: string): Promise<{ status: number | undefined; body: string }> =>
  new Promise((resolve, reject) => {
    get({ port, path, host: '127.0.0.1', agent: false }, response => {
      let body = ''
      response.on('data', chunk => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode, body }))
    }).on('error', reject)
  })

t.test('a proxy that runs serves metrics and health', async t => {
  const ending = new AbortController()
  const io = ioFor({
    open: () => Promise.reject(new Error('nothing is opened')),
    transport: memoryKernel(),
    signal: ending.signal,
  })
  const argv = ['proxy', '--json', '--metrics-bind', '127.0.0.1:0', '--health-bind', '127.0.0.1:0', ...nodeOptions(file(SERVICE))]
  const running = main(argv, io)
  const lines = (text: Text) =>
    text.text
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line || '{}'))
  for (let i = 0; i < 200 && !lines(io.stderr).some(({ message }) => message === 'synced'); i++) await sleep(20)
  const portOf = (option: string): number => lines(io.stderr).find(({ message }) => message === `${option} listens`).port
  const [metrics, health] = [portOf('--metrics-bind'), portOf('--health-bind')]
  t.match(await answerAt(metrics, '/metrics'), {
    status: 200,
    body: /^ts_ipvs_proxy_frontends\{ip_family="IPv4",kind="cluster-ip"\} 2$/m,
  })
  t.match(await answerAt(metrics, '/metrics?x'), { status: 200, body: /^process_cpu_seconds_total /m })
  t.match(await answerAt(metrics, '/'), { status: 404 })
  t.match(await answerAt(health, '/healthz'), { status: 200, body: /"nodeEligible":true/ })
  t.match(await answerAt(health, '/livez'), { status: 200 })
  ending.abort()
  t.equal(await running, 0)
  await t.rejects(answerAt(health, '/livez'))
})

t.test('bad input of the command line is told, with what to give', async t => {
  const { run } = await cli()
  const manifests = ['--manifests', file(SERVICE)]
  const cases: readonly [argv: readonly string[], stderr: RegExp][] = [
    [[], /--manifests is missing: give a directory of manifests, or a file/],
    [['plan'], /--manifests is missing: give a directory of manifests, or a file/],
    [['--bogus'], /unknown option '--bogus'/],
    [['fly'], /'fly' is invalid for argument 'action'. Allowed choices are run, explain/],
    [['run', 'tcp'], /tcp: only explain takes more words/],
    [[...manifests, '--source', 'consul'], /argument 'consul' is invalid/],
    [[...manifests, '--cluster-cidr', '10.244.0.0/33'], /--cluster-cidr: "10.244.0.0\/33": give ranges of addresses/],
    [[...manifests, '--service-cidr', 'x'], /--service-cidr: "x": give ranges/],
    [[...manifests, '--service-cidr', '10.96.0.0/16,10.97.0.0/16'], /--service-cidr: give at most one range of each family/],
    [[...manifests, '--nodeport-addresses', 'secondary'], /--nodeport-addresses: "secondary": give ranges/],
    [[...manifests, '--lb-pool', '1.2.3'], /--lb-pool: "1.2.3": give ranges/],
    [[...manifests, '--drain-timeout', 'soon'], /--drain-timeout soon: give a time as 30s/],
    [[...manifests, '--metrics-bind', '10256'], /--metrics-bind 10256: give it as 0.0.0.0:10256 or \[::\]:10256/],
    [[...manifests, '--health-bind', 'localhost:1'], /--health-bind localhost:1: give it as/],
    [[...manifests, '--health-bind', '127.0.0.1:70000'], /--health-bind 127.0.0.1:70000: give it as/],
    [[...manifests, '--once', '--health-bind', '127.0.0.1:0'], /--once: ends at once: leave out/],
    [['explain', ...manifests, 'tcp', '10.96.0.10:80'], /--from is missing/],
    [['explain', ...manifests, '--from', 'me', 'tcp', '10.96.0.10:80'], /--from: "me" is no IP address/],
    [['explain', ...manifests, '--from', '10.1.1.1', 'icmp', '10.96.0.10:80'], /give --from IP, tcp, udp or sctp/],
    [['explain', ...manifests, '--from', '10.1.1.1', 'tcp', '10.96.0.10'], /give an address and a port/],
    [['explain', ...manifests, '--from', '10.1.1.1', 'tcp', '10.96.0.10:0'], /give an address and a port/],
    [['explain', ...manifests, '--from', 'fd00::1', 'tcp', '10.96.0.10:80'], /fd00::1 and 10.96.0.10 are of two families/],
  ]
  for (const [argv, stderr] of cases) {
    const outcome = await run(['proxy', ...argv])
    t.match(outcome, { status: 2, stdout: '', stderr }, argv.join(' '))
  }
})

t.test('ranges that lie in one another are no harm', async t => {
  const { run } = await cli(memoryKernel({ ipvs: false }))
  const guarded = SERVICE.replace('clusterIP:', 'loadBalancerSourceRanges: [203.0.113.0/24, 203.0.113.7/32], clusterIP:')
  const manifests = file(
    guarded.replace('\n---', '\nstatus: {loadBalancer: {ingress: [{ip: 198.51.100.1}, {ip: 198.51.100.2}]}}\n---'),
  )
  const pods = ['--cluster-cidr', '10.0.0.0/8,10.244.0.0/16']
  t.match(await run(['proxy', 'run', '--once', ...nodeOptions(manifests), ...pods]), { status: 0 })
  const asked = (from: string) => ['proxy', 'explain', '--kernel', '--from', from, 'tcp', '198.51.100.2:80']
  t.match(await run(asked('203.0.113.7')), { stdout: /^accept/ })
  t.match(await run(asked('203.0.114.7')), { stdout: /^drop/ })
})

t.test('an address that is in use is told before anything is changed', async t => {
  await using other = await serve({ address: '127.0.0.1', port: 0 }, () => undefined)
  const { run } = await cli()
  const place = `127.0.0.1:${other.port}`
  for (const option of ['--metrics-bind', '--health-bind']) {
    const { status, stderr } = await run(['proxy', ...nodeOptions(file(SERVICE)), option, place])
    t.equal(status, 2)
    t.match(stderr, new RegExp(`${option} ${place}: .*EADDRINUSE.*: give an address of this machine and a port that is free`))
  }
  t.strictSame(await run(['nft', 'list']), { status: 0, stdout: '', stderr: '' })
})

t.test('what is wrong with manifests is told with its place, and the rest is served', async t => {
  const bad = (text: string): string => `${SERVICE}---\n${text}`
  const service = (name: string, spec: string, more = ''): string =>
    `kind: Service\nmetadata: {name: ${name}${more}}\nspec: {${spec}}\n`
  const cases: readonly [name: string, content: string, stderr: RegExp][] = [
    ['no YAML', bad('kind: [Service'), /yaml:\d+: is no YAML/],
    [
      'a field that does not fit',
      bad(service('x', 'clusterIP: 10.96.0.300, ports: [{port: 80}]')),
      /yaml:\d+: spec.clusterIP: "10.96.0.300": give an IP address/,
    ],
    [
      'a port that is none',
      bad(service('x', 'ports: [{port: 70000}]')),
      /yaml:\d+: spec.ports\[0\].port: 70000: give a whole number from 1 to 65535/,
    ],
    [
      'an address that another one has',
      bad(service('x', 'clusterIP: 10.96.0.10, ports: [{port: 443}]')),
      /default\/x: spec.clusterIP: 10.96.0.10 is default\/web's already/,
    ],
    [
      'two that claim one address and port: the older one has it',
      bad(
        `${service('new', 'externalIPs: [192.0.2.5], ports: [{port: 80}]', ', creationTimestamp: "2026-02-01T00:00:00Z"')}---\n${service('old', 'externalIPs: [192.0.2.5], ports: [{port: 80}]', ', creationTimestamp: "2026-01-01T00:00:00Z"')}`,
      ),
      /default\/new: ipv4 tcp 192.0.2.5 80: default\/old has it, which is older/,
    ],
    [
      'an address of the wrong family',
      bad('kind: EndpointSlice\nmetadata: {name: y}\naddressType: IPv6\nendpoints: [{addresses: [10.1.1.1]}]\n'),
      /endpoints\[0\].addresses\[0\]: "10.1.1.1": give an address of IPv6/,
    ],
    [
      'a drain time-out that is none',
      bad(service('x', 'ports: [{port: 80}]', ', annotations: {ts-ipvs.io/drain-timeout: soon}')),
      /drain-timeout: "soon": give seconds, or never/,
    ],
  ]
  for (const [name, content, stderr] of cases) {
    const { run } = await cli()
    const outcome = await run(['proxy', '--once', ...nodeOptions(file(content))])
    t.match(outcome, { status: 1, stderr }, name)
    const asked = await run(['proxy', 'explain', '--from', '10.244.9.9', 'tcp', '10.96.0.10:80'])
    t.match(asked.stdout, /^accept: /, `${name}: the rest is served`)
  }
})

t.test('what the kernel lacks, or does not allow, is named', async t => {
  const source = nodeOptions(file(SERVICE))
  const cases: readonly [name: string, kernel: Parameters<typeof memoryKernel>[0], stderr: RegExp][] = [
    ['no nftables', { nftables: false }, /nf_tables|NF_TABLES|nftables/],
    ['no numgen', { missingExpressions: ['numgen'], ipvs: false }, /numgen.*CONFIG_NFT_NUMGEN/],
    ['no fib', { missingExpressions: ['fib'] }, /fib.*CONFIG_NFT_FIB/],
    ['no masquerading', { missingExpressions: ['masq'] }, /masq.*CONFIG_NFT_MASQ/],
    ['not root', { permitted: 'no' }, /CAP_NET_ADMIN|root/],
  ]
  for (const [name, options, stderr] of cases) {
    const { run } = await cli(memoryKernel(options))
    const outcome = await run(['proxy', '--once', ...source])
    t.match(outcome, { status: 1, stderr }, name)
  }
})
