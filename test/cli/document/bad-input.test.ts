/** What is wrong with a file is told with file, line and column, all of it at once, and nothing is applied. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { cli } from '../support.js'

const folder = mkdtempSync(join(tmpdir(), 'ts-ipvs-bad-input.'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

/** What is said of a text. */
async function said(text: string | Buffer): Promise<string[]> {
  const { lvs, run } = await cli()
  const file = join(folder, 'web.yaml')
  writeFileSync(file, text)
  const { status, stdout, stderr } = await run(['apply', '-f', file, '--state', join(folder, 'state.json')])
  t.strictSame([status, stdout, (await lvs.snapshot()).virtualServers], [2, '', []], 'status 2, and nothing is applied')
  return stderr.trimEnd().replaceAll(`${folder}/`, '').split('\n')
}

const web = '- { protocol: tcp, address: 10.0.0.1, port: 80 }'

// biome-ignore format: a table
const rows: readonly (readonly [name: string, text: string | Buffer, ...expected: (string | RegExp)[]])[] = [
  ['an empty file', '', 'web.yaml:1:1: it is empty: virtualServers was expected, a list'],
  ['a file of comments', '# to do\n', 'web.yaml:1:1: it is empty: virtualServers was expected, a list'],
  ['what is not YAML', 'virtualServers:\n  - {port: 80\n', /^web\.yaml:3:1: this is neither YAML nor JSON: .*must be .*end with a \}/],
  ['a tab', 'virtualServers:\n\t- port: 80\n', /^web\.yaml:2:1: this is neither YAML nor JSON: Tabs are not allowed/],
  ['broken JSON', '{ "virtualServers": [1, }', /^web\.yaml:1:25: this is neither YAML nor JSON/, /^web\.yaml:1:/],
  ['bytes that are no text', Buffer.from('virtualServers: []\nx: \xff', 'latin1'), 'web.yaml:2:4: these bytes are no text: give it in UTF-8'],
  ['a list', web, 'web.yaml:1:1: it is no configuration: give an object with the fields virtualServers, timeouts, syncDaemons'],
  ['a word', 'web', /^web\.yaml:1:1: it is no configuration/],
  ['no virtual servers', 'timeouts: { tcp: 900 }', 'web.yaml:1:1: virtualServers: it is missing: give a list'],
  ['an unknown field', `virtualServer:\n${web}`, 'web.yaml:1:1: virtualServer: there is no such field: did you mean virtualServers?', /missing/],
  [
    'an unknown field of a virtual server',
    'virtualServers:\n- protocol: tcp\n  adress: 10.0.0.1\n  port: 80\n',
    'web.yaml:3:3: virtualServers[0].adress: there is no such field: did you mean address?',
  ],
  [
    'an unknown field of a real server, whose name is no word',
    'virtualServers:\n- { firewallMark: 1, family: ipv4, realServers: [{ address: 10.1.0.1, port: 1, "we ight": 2 }] }',
    'web.yaml:2:80: virtualServers[0].realServers[0]["we ight"]: there is no such field: did you mean weight?',
  ],
  [
    'a virtual server that is there twice',
    `virtualServers:\n${web}\n- { protocol: udp, address: 10.0.0.1, port: 80 }\n- { "protocol": "tcp", address: 10.0.0.1, port: 0x50 }`,
    'web.yaml:4:3: virtualServers[2]: tcp 10.0.0.1:80 is there twice, line 2, column 3 is the first: keep one',
  ],
  [
    'a real server that is there twice, by another text of its address',
    'virtualServers:\n- protocol: tcp\n  address: 2001:db8::1\n  port: 80\n  realServers:\n  - { address: fd00::1, port: 80 }\n  - { address: FD00:0::1, port: 80 }',
    'web.yaml:7:5: virtualServers[0].realServers[1]: [fd00::1]:80 is there twice, line 6, column 5 is the first: keep one',
  ],
  [
    'a port out of range',
    'virtualServers:\n- protocol: tcp\n  address: 10.0.0.1\n  port: 65536\n',
    'web.yaml:4:3: virtualServers[0].port: 65536 is out of range: give a whole number from 0 to 65535',
  ],
  [
    'a missing field stands where the object begins',
    'virtualServers:\n- protocol: tcp\n  address: 10.0.0.1\n',
    'web.yaml:2:3: virtualServers[0].port: it is missing: give a whole number from 0 to 65535',
  ],
  [
    'a real server of another family',
    'virtualServers:\n- protocol: tcp\n  address: 10.0.0.1\n  port: 80\n  realServers:\n  - address: 2001:db8::1\n    port: 80\n',
    "web.yaml:6:5: virtualServers[0].realServers[0].address: it is IPv6, and the virtual server is IPv4: give an IPv4 address, or forwarding 'tunnel'",
  ],
  [
    'a netmask of another family',
    'virtualServers:\n- protocol: tcp\n  address: 2001:db8::1\n  port: 80\n  persistence:\n    netmask: 255.255.255.0\n',
    'web.yaml:6:5: virtualServers[0].persistence.netmask: "255.255.255.0" is no number: give a whole number from 1 to 128',
  ],
  [
    'a family where there is an address',
    'virtualServers: [{ protocol: tcp, address: 10.0.0.1, port: 80, family: ipv6 }]',
    'web.yaml:1:64: virtualServers[0].family: it is for firewall marks: that of an address is in its text, leave it out',
  ],
  [
    'wrong types',
    'virtualServers:\n- { protocol: tcp, address: 10.0.0.1, port: "80" }\n- null\n- { protocol: 1, address: 10.0.0.2, port: 80 }\n- [1]\n- { protocol: tcp, address: 7, port: 80 }',
    'web.yaml:2:39: virtualServers[0].port: "80" is no number: give a whole number from 0 to 65535',
    'web.yaml:3:3: virtualServers[1]: null is no object',
    /^web\.yaml:4:5: virtualServers\[2\]\.protocol: IPVS balances tcp, udp and sctp/,
    'web.yaml:5:3: virtualServers[3]: a list is no object',
    /^web\.yaml:6:20: virtualServers\[4\]\.address: 7 is no address: give/,
  ],
  [
    'all that is wrong, in the order of the file',
    `timeouts: { tcp: 0 }\nsyncDaemons:\n- { role: slave, interface: eth0 }\nvirtualServers:\n${web}\n- port: 70000\n  protocol: tcp\n  address: 10.0.0.2\n  realServers:\n  - { address: 10.1.0.1, port: 80, weight: -1 }\n  - { address: 10.1.0, port: 80 }\n`,
    /^web\.yaml:1:13: timeouts\.tcp: 0 is out of range/,
    /^web\.yaml:3:5: syncDaemons\[0\]\.role: "slave" is not known: give 'master', 'backup'/,
    /^web\.yaml:6:3: virtualServers\[1\]\.port: 70000/,
    /^web\.yaml:10:36: virtualServers\[1\]\.realServers\[0\]\.weight: -1/,
    /^web\.yaml:11:7: virtualServers\[1\]\.realServers\[1\]\.address: "10\.1\.0" is no address/,
  ],
  ['a field that is there twice', 'virtualServers: []\nvirtualServers: []\n', 'web.yaml:2:1: the field is there twice: keep one'],
  ['a name that JSON has twice', '{"virtualServers": [],\n "virtualServers": []}', 'web.yaml:2:2: the field is there twice: keep one'],
  ['a second document', 'virtualServers: []\n---\nvirtualServers: []\n', 'web.yaml:2:1: a second document begins: give one'],
  ['a name that is no word', '? [a]\n: 1\n', 'web.yaml:1:3: this is no name of a field: give a plain word'],
  ['a tag', 'virtualServers: !!set {a, b}\n', /^web\.yaml:1:\d+: the tag tag:yaml\.org,2002:set has no meaning here/],
  ['a tag of one\'s own', 'virtualServers: !include x\n', /^web\.yaml:1:\d+: the tag !include has no meaning here: leave it out/],
  ['a number that others read as octal', `virtualServers: []\ntimeouts: { tcp: 0120 }\n`, 'web.yaml:2:18: 0120 begins with 0, and readers of YAML 1.1 take it for octal: write 120'],
  ['another version of YAML', '# web\n%YAML 1.1\n---\nvirtualServers: []\n', 'web.yaml:2:1: %YAML 1.1: this is read as YAML 1.2: leave the directive out, or give %YAML 1.2'],
  ['a version of YAML that is not there yet', '%YAML 1.3\n---\nvirtualServers: []\n', /^web\.yaml:1:1: %YAML 1\.3: this is read as YAML 1\.2/],
  ['an alias of nothing', 'virtualServers: *none\n', 'web.yaml:1:17: *none stands for nothing: put the anchor &none before it'],
  ['an alias that holds itself', 'virtualServers: &all [*all]\n', 'web.yaml:1:23: *all would hold itself: write out what it shall be'],
  [
    'aliases that repeat each other without end',
    Array.from({ length: 9 }, (_, i) => `a${i}: &a${i} [${Array(9).fill(i === 0 ? 'x' : `*a${i - 1}`).join()}]\n`).join(''),
    /^web\.yaml:1:1: its aliases repeat too much: write it out/,
  ],
  ['lists without end', `virtualServers:\n  ${'- '.repeat(100_000)}`, /^web\.yaml:2:3: it is nested too deeply/],
  ['keys without end', '? '.repeat(30_000), /^web\.yaml:1:1: it is nested too deeply/],
  ['brackets without end', `virtualServers:\n  ${'['.repeat(100_000)}`, /^web\.yaml:2:103: it is nested too deeply/],
  ['names of the language', '__proto__: 1\nvirtualServers: []', /^web\.yaml:1:1: __proto__: there is no such field/],
]

for (const [name, text, ...expected] of rows)
  t.test(name, async t => {
    const lines = await said(text)
    t.equal(lines.length, expected.length, lines.join('\n'))
    for (const [i, line] of expected.entries()) typeof line === 'string' ? t.equal(lines[i], line) : t.match(lines[i], line)
  })

t.test('a mistake in what an alias repeats is told where it stands', async t => {
  const text = 'virtualServers:\n- &web { protocol: tcp, address: 10.0.0.1, port: 99999 }\n- *web\n'
  const told = /^web\.yaml:2:44: virtualServers\[\d\]\.port: 99999/
  const lines = await said(text)
  t.equal(lines.length, 2)
  for (const line of lines) t.match(line, told)
})

t.test('YAML 1.2 may be asked for, and 0 and 0.5 begin with a zero that means nothing else', async t => {
  const { run } = await cli()
  const stdin =
    '%YAML 1.2\n---\nvirtualServers: [{ protocol: tcp, address: 10.0.0.1, port: 0, persistence: { timeout: 0x50 } }]\n'
  t.match(await run(['diff', '-f', '-'], { stdin }), { status: 1, stderr: '' })
  const half = await run(['diff', '-f', '-'], { stdin: 'virtualServers: []\ntimeouts: { tcp: 0.5 }\n' })
  t.match(half.stderr, /timeouts\.tcp: 0\.5/)
  const text = await run(['diff', '-f', '-'], { stdin: 'virtualServers: [] # %YAML 1.1\n' })
  t.match(text, { status: 0, stderr: '' })
})

t.test('a signal while the standard input is still written ends it before anything is done', async t => {
  const { run, lvs } = await cli()
  const ending = new AbortController()
  const stdin = new PassThrough()
  stdin.write('virtualServers: [{ protocol: tcp, address: 10.0.0.1, port: 80 }]\n')
  const running = run(['apply', '-f', '-', '--state', join(folder, 'interrupted')], { stdin, signal: ending.signal })
  setTimeout(() => ending.abort(), 20)
  t.strictSame(await running, { status: 1, stdout: '', stderr: 'ts-ipvs: interrupted: nothing was done\n' })
  t.strictSame((await lvs.snapshot()).virtualServers, [])
})

t.test('the standard input is called that, and a file that is not there is told', async t => {
  const { run } = await cli()
  const piped = await run(['diff', '-f', '-'], { stdin: 'virtualServers: 7' })
  t.strictSame(piped, { status: 2, stdout: '', stderr: 'standard input:1:1: virtualServers: 7 is no list: give a list\n' })
  const missing = await run(['diff', '-f', join(folder, 'missing.yaml')])
  t.equal(missing.status, 2)
  t.match(missing.stderr, /^ts-ipvs: .*missing\.yaml can not be read: ENOENT/)
})
