/** The files that a memory kernel shows: bytes as Linux 6.1 writes them. */
import t from 'tap'
import { type MemoryKernelOptions, memoryKernel } from '../../lib/testing/index.js'

const sysctl = (name: string): string => `/proc/sys/net/ipv4/vs/${name}`

async function read(kernel: ReturnType<typeof memoryKernel>, path: string): Promise<string> {
  let text = ''
  for await (const chunk of kernel.readFile(path)) text += Buffer.from(chunk).toString('latin1')
  return text
}

const error = (promise: Promise<unknown>): Promise<unknown> => promise.catch((reason: unknown) => reason)

const web = { address: '10.0.0.1', port: 80 }
const server = { address: '10.1.0.1', port: 8080 }
const client = { address: '192.0.2.7', port: 51234 }

t.test('connections, with what a persistence engine knows', async t => {
  const kernel = memoryKernel()
  t.equal(
    await read(kernel, '/proc/net/ip_vs_conn'),
    'Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n',
  )
  const tcp = { protocol: 'tcp', client, virtual: web, destination: server, state: 'ESTABLISHED', expires: 899 }
  const { end } = kernel.addConnection(tcp)
  kernel.addConnection({
    protocol: 'udp',
    client: { address: '2001:db8::7', port: 5060 },
    virtual: { address: '2001:db8::1', port: 5060 },
    destination: server,
    state: 'UDP',
    expires: 7,
    engine: 'sip',
    engineData: 'call-1',
    synchronised: true,
  })
  const [, first, second] = (await read(kernel, '/proc/net/ip_vs_conn')).split('\n')
  t.equal(first, 'TCP C0000207 C822 0A000001 0050 0A010001 1F90 ESTABLISHED     899')
  const path6 = '2001:0db8:0000:0000:0000:0000:0000:0007 13C4 2001:0db8:0000:0000:0000:0000:0000:0001 13C4 0A010001 1F90'
  t.equal(second, `UDP ${path6} UDP               7 sip call-1`)
  const [header, ...rows] = (await read(kernel, '/proc/net/ip_vs_conn_sync')).trimEnd().split('\n')
  t.equal(header, 'Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Origin Expires')
  t.strictSame(
    rows.map(row => row.slice(-15)),
    [' LOCAL      899', ' SYNC         7'],
  )
  end()
  t.equal((await read(kernel, '/proc/net/ip_vs_conn')).split('\n').length, 3)
})

t.test('a large file comes in parts', async t => {
  const kernel = memoryKernel()
  for (let port = 1; port < 200; port++)
    kernel.addConnection({
      protocol: 'tcp',
      client: { ...client, port },
      virtual: web,
      destination: server,
      state: 'TIME_WAIT',
      expires: 1,
    })
  const sizes: number[] = []
  for await (const chunk of kernel.readFile('/proc/net/ip_vs_conn')) sizes.push(chunk.length)
  t.strictSame(sizes, [4096, 4096, 4096, 926])
})

t.test('counters of all', async t => {
  const kernel = memoryKernel()
  kernel.setCounters({ connections: 10n, incomingBytes: 0x1_0000_0000n, connectionRate: 3n, outgoingByteRate: 255n })
  t.equal(
    await read(kernel, '/proc/net/ip_vs_stats'),
    [
      '   Total Incoming Outgoing         Incoming         Outgoing',
      '   Conns  Packets  Packets            Bytes            Bytes',
      '       A        0        0        100000000                0',
      '',
      ' Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s',
      '       3        0        0                0               FF',
      '',
    ].join('\n'),
  )
  t.equal(
    await read(kernel, '/proc/net/ip_vs_stats_percpu'),
    [
      '       Total Incoming Outgoing         Incoming         Outgoing',
      'CPU    Conns  Packets  Packets            Bytes            Bytes',
      '  0        A        0        0        100000000                0',
      '  ~        A        0        0        100000000                0',
      '',
      '     Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s',
      '           3        0        0                0               FF',
      '',
    ].join('\n'),
  )
})

t.test('what may be written to a sysctl, and what it is then', async t => {
  const table: [name: string, text: string, after: string, code?: string][] = [
    ['conntrack', '1', '1'],
    ['conntrack', ' 7 \n', '7'],
    ['conntrack', '0x10', '16'],
    ['conntrack', '010', '8'],
    ['conntrack', '-2147483648', '-2147483648'],
    ['conntrack', '2147483648', '0', 'EINVAL'],
    ['conntrack', 'yes', '0', 'EINVAL'],
    ['conntrack', '1x', '0', 'EINVAL'],
    ['conntrack', '', '0'],
    ['drop_entry', '3', '3'],
    ['drop_entry', '2', '1'],
    ['drop_entry', '4', '0', 'EINVAL'],
    ['sync_version', '2', '1', 'EINVAL'],
    ['sync_ports', '8', '8'],
    ['sync_ports', '3', '1', 'EINVAL'],
    ['sync_retries', '4', '0', 'EINVAL'],
    ['sync_refresh_period', '8589934', '8589934'],
    ['sync_refresh_period', '8589935', '0', 'EINVAL'],
    ['sync_qlen_max', '99999999999', '99999999999'],
    ['sync_qlen_max', '-1', '16384', 'EINVAL'],
    ['sync_threshold', '4 60', '4\t60'],
    ['sync_threshold', '5', '5\t50'],
    ['sync_threshold', '5 0', '5\t0'],
    ['sync_threshold', '60', '3\t50', 'EINVAL'],
    ['sync_threshold', '2 2', '3\t50', 'EINVAL'],
    ['sync_threshold', '4 x', '4\t50', 'EINVAL'],
  ]
  for (const [name, text, after, code] of table) {
    const kernel = memoryKernel()
    const failure = await error(kernel.writeFile(sysctl(name), text))
    t.match(failure, code === undefined ? undefined : { code, errno: -22, syscall: 'write' }, `${name} ${JSON.stringify(text)}`)
    t.equal(await read(kernel, sysctl(name)), `${after}\n`)
  }
})

t.test('files that are not there, or not to be written', async t => {
  const table: [path: string, code: string, options?: MemoryKernelOptions][] = [
    ['/proc/net/nope', 'ENOENT'],
    [sysctl('nope'), 'ENOENT'],
    [sysctl('conntrack'), 'ENOENT', { ipvs: false }],
    [sysctl('conntrack'), 'EACCES', { permitted: 'no' }],
    ['/proc/net/ip_vs_conn', 'EACCES'],
  ]
  for (const [path, code, options] of table)
    t.match(await error(memoryKernel(options).writeFile(path, '1')), { code, syscall: 'open', path })
  t.match(await error(read(memoryKernel({ ipvs: false }), '/proc/net/ip_vs_conn')), {
    code: 'ENOENT',
    errno: -2,
    syscall: 'open',
  })
})

t.test('routes tell whether an interface was ever up', async t => {
  t.match(await read(memoryKernel(), '/proc/net/fib_trie'), /^Main:\n.*127\.0\.0\.1\n/s)
  t.equal(await read(memoryKernel({ loopbackUp: false }), '/proc/net/fib_trie'), '')
  t.not(await read(memoryKernel({ ipvs: false }), '/proc/net/fib_trie'), '')
})
