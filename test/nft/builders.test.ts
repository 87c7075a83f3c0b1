import t from 'tap'
import {
  accept,
  comment,
  concat,
  counter,
  ct,
  dnat,
  document,
  drop,
  element,
  elements,
  ether,
  exthdr,
  fib,
  flush,
  goto,
  ip,
  ip6,
  jhash,
  jump,
  limit,
  log,
  masquerade,
  meta,
  notrack,
  numgen,
  type Placed,
  queue,
  quota,
  raw,
  redirect,
  reject,
  remove,
  return_,
  snat,
  table,
  tcp,
  tcpOption,
  th,
  tproxy,
  udp,
} from '../../lib/nft/index.js'

const web = table('inet', 'web', { comment: 'of the web' })
const pre = web.chain('pre', { type: 'nat', hook: 'prerouting', priority: 'dstnat' })
const input = web.chain('in', { type: 'filter', hook: 'input', priority: 'filter + 10', policy: 'drop' })
const other = web.chain('other')
const blocked = web.set('blocked', { key: 'ipv4_addr', flags: ['interval'], autoMerge: true })
const services = web.map('services', { key: ['ipv4_addr', 'inet_proto', 'inet_service'], data: 'verdict' })
const backends = web.map('backends', { key: 'inet_service', data: ['ipv4_addr', 'inet_service'] })
const ports = web.map('ports', { key: 'inet_service', data: 'inet_service' })

const tcpDport = { payload: { protocol: 'tcp', field: 'dport' } }
const saddr = { payload: { protocol: 'ip', field: 'saddr' } }

t.test('statements are libnftables JSON', async t => {
  const cases: readonly [statement: Placed<never, never>, json: unknown][] = [
    [tcp.dport.eq(80), { match: { op: '==', left: tcpDport, right: 80 } }],
    [tcp.dport.ne('https'), { match: { op: '!=', left: tcpDport, right: 'https' } }],
    [tcp.dport.ge(1024), { match: { op: '>=', left: tcpDport, right: 1024 } }],
    [tcp.dport.eq({ from: 80, to: 90 }), { match: { op: '==', left: tcpDport, right: { range: [80, 90] } } }],
    [tcp.dport.in(22, { from: 80, to: 90 }), { match: { op: '==', left: tcpDport, right: { set: [22, { range: [80, 90] }] } } }],
    [ip.saddr.eq('10.0.0.0/8'), { match: { op: '==', left: saddr, right: { prefix: { addr: '10.0.0.0', len: 8 } } } }],
    [ip.saddr.in(blocked), { match: { op: '==', left: saddr, right: '@blocked' } }],
    [ip.saddr.notIn(blocked), { match: { op: '!=', left: saddr, right: '@blocked' } }],
    [
      ip6.saddr.eq('fe80::/10'),
      {
        match: {
          op: '==',
          left: { payload: { protocol: 'ip6', field: 'saddr' } },
          right: { prefix: { addr: 'fe80::', len: 10 } },
        },
      },
    ],
    [
      ct.state.in('established', 'related'),
      { match: { op: 'in', left: { ct: { key: 'state' } }, right: ['established', 'related'] } },
    ],
    [ct.state.in('new'), { match: { op: 'in', left: { ct: { key: 'state' } }, right: 'new' } }],
    [
      tcp.flags.and('syn', 'ack').eq('syn'),
      { match: { op: '==', left: { '&': [{ payload: { protocol: 'tcp', field: 'flags' } }, ['syn', 'ack']] }, right: 'syn' } },
    ],
    [meta.mark.and(0xff).eq(1), { match: { op: '==', left: { '&': [{ meta: { key: 'mark' } }, 255] }, right: 1 } }],
    [meta.mark.set(1), { mangle: { key: { meta: { key: 'mark' } }, value: 1 } }],
    [meta.mark.set(ct.mark), { mangle: { key: { meta: { key: 'mark' } }, value: { ct: { key: 'mark' } } } }],
    [
      ct.original['ip saddr'].eq('10.0.0.1'),
      { match: { op: '==', left: { ct: { key: 'ip saddr', dir: 'original' } }, right: '10.0.0.1' } },
    ],
    [fib.type('daddr').eq('local'), { match: { op: '==', left: { fib: { result: 'type', flags: ['daddr'] } }, right: 'local' } }],
    [exthdr('frag').eq(true), { match: { op: '==', left: { exthdr: { name: 'frag' } }, right: true } }],
    [
      tcpOption('maxseg', 'size').set(1360),
      { mangle: { key: { 'tcp option': { name: 'maxseg', field: 'size' } }, value: 1360 } },
    ],
    [raw('nh', 8, 8).eq(1), { match: { op: '==', left: { payload: { base: 'nh', offset: 8, len: 8 } }, right: 1 } }],
    [counter(), { counter: null }],
    [counter('hits'), { counter: 'hits' }],
    [limit('10/second', { burst: 5, over: true }), { limit: { rate: 10, per: 'second', burst: 5, inv: true } }],
    [limit('2 mbytes/minute'), { limit: { rate: 2, rate_unit: 'mbytes', per: 'minute' } }],
    [quota(1000, { over: true }), { quota: { val: 1000, inv: true } }],
    [dnat({ address: '10.0.0.1', port: 80 }), { dnat: { family: 'ip', addr: '10.0.0.1', port: 80 } }],
    [dnat({ address: { from: '::1', to: '::5' } }), { dnat: { family: 'ip6', addr: { range: ['::1', '::5'] } } }],
    [
      dnat({ address: tcp.dport.map('ipv4_addr', [[80, '10.0.0.1']]), family: 'ip' }),
      { dnat: { family: 'ip', addr: { map: { key: tcpDport, data: { set: [[80, '10.0.0.1']] } } } } },
    ],
    [redirect({ port: tcp.dport.map(ports) }), { redirect: { port: { map: { key: tcpDport, data: '@ports' } } } }],
    [masquerade(), { masquerade: null }],
    [masquerade({ flags: ['fully-random'] }), { masquerade: { flags: ['fully-random'] } }],
    [snat({ address: '10.0.0.1', flags: ['random'] }), { snat: { family: 'ip', addr: '10.0.0.1', flags: ['random'] } }],
    [reject(), { reject: null }],
    [reject('icmpx', 'admin-prohibited'), { reject: { type: 'icmpx', expr: 'admin-prohibited' } }],
    [reject('tcp reset'), { reject: { type: 'tcp reset' } }],
    [log({ prefix: 'no: ', level: 'warn' }), { log: { prefix: 'no: ', level: 'warn' } }],
    [queue({ from: 0, to: 3 }, ['fanout']), { queue: { num: { range: [0, 3] }, flags: ['fanout'] } }],
    [tproxy({ address: '127.0.0.1', port: 50 }), { tproxy: { family: 'ip', addr: '127.0.0.1', port: 50 } }],
    [
      concat(ip.daddr, meta.l4proto, th.dport).vmap(services),
      {
        vmap: {
          key: {
            concat: [
              { payload: { protocol: 'ip', field: 'daddr' } },
              { meta: { key: 'l4proto' } },
              { payload: { protocol: 'th', field: 'dport' } },
            ],
          },
          data: '@services',
        },
      },
    ],
    [
      numgen.random(2).vmap([jump('a'), goto('b')]),
      {
        vmap: {
          key: { numgen: { mode: 'random', mod: 2, offset: 0 } },
          data: {
            set: [
              [0, { jump: { target: 'a' } }],
              [1, { goto: { target: 'b' } }],
            ],
          },
        },
      },
    ],
    [
      dnat({ address: jhash(ip.saddr, 2, { seed: 1 }).map('ipv4_addr', ['10.0.0.1', '10.0.0.2']), family: 'ip' }),
      {
        dnat: {
          family: 'ip',
          addr: {
            map: {
              key: { jhash: { mod: 2, offset: 0, expr: saddr, seed: 1 } },
              data: {
                set: [
                  [0, '10.0.0.1'],
                  [1, '10.0.0.2'],
                ],
              },
            },
          },
        },
      },
    ],
    [
      tcp.dport.vmap([
        [22, accept],
        [{ from: 80, to: 90 }, jump(other)],
        ['*', drop],
      ]),
      {
        vmap: {
          key: tcpDport,
          data: {
            set: [
              [22, { accept: null }],
              [{ range: [80, 90] }, { jump: { target: 'other' } }],
              ['*', { drop: null }],
            ],
          },
        },
      },
    ],
    [
      elements.update(blocked, { key: ip.saddr, timeout: 60, statements: [{ counter: null }] }),
      { set: { op: 'update', elem: { elem: { val: saddr, timeout: 60 } }, set: '@blocked', stmt: [{ counter: null }] } },
    ],
  ]
  for (const [statement, json] of cases) t.same(statement, json, JSON.stringify(json))
})

t.test('documents add what they are given, in order', async t => {
  t.same(
    document(
      web,
      [blocked, services],
      pre,
      input,
      flush(input),
      input.rule(ct.state.in('established'), comment('known'), accept),
      blocked.elements('10.0.0.0/8', element('192.0.2.1', { comment: 'one' })),
      services.elements([['10.96.0.1', 'tcp', 443], goto('svc')]),
      backends.elements([80, ['10.0.0.1', 8080]]),
      remove(other),
    ),
    {
      nftables: [
        { add: { table: { family: 'inet', name: 'web', comment: 'of the web' } } },
        {
          add: {
            set: { family: 'inet', table: 'web', name: 'blocked', type: 'ipv4_addr', flags: ['interval'], 'auto-merge': true },
          },
        },
        {
          add: {
            map: {
              family: 'inet',
              table: 'web',
              name: 'services',
              type: ['ipv4_addr', 'inet_proto', 'inet_service'],
              map: 'verdict',
            },
          },
        },
        { add: { chain: { family: 'inet', table: 'web', name: 'pre', type: 'nat', hook: 'prerouting', prio: 'dstnat' } } },
        {
          add: {
            chain: {
              family: 'inet',
              table: 'web',
              name: 'in',
              type: 'filter',
              hook: 'input',
              prio: 'filter + 10',
              policy: 'drop',
            },
          },
        },
        {
          flush: {
            chain: {
              family: 'inet',
              table: 'web',
              name: 'in',
              type: 'filter',
              hook: 'input',
              prio: 'filter + 10',
              policy: 'drop',
            },
          },
        },
        {
          add: {
            rule: {
              family: 'inet',
              table: 'web',
              chain: 'in',
              expr: [{ match: { op: 'in', left: { ct: { key: 'state' } }, right: 'established' } }, { accept: null }],
              comment: 'known',
            },
          },
        },
        {
          add: {
            element: {
              family: 'inet',
              table: 'web',
              name: 'blocked',
              elem: [{ prefix: { addr: '10.0.0.0', len: 8 } }, { elem: { val: '192.0.2.1', comment: 'one' } }],
            },
          },
        },
        {
          add: {
            element: {
              family: 'inet',
              table: 'web',
              name: 'services',
              elem: [[{ concat: ['10.96.0.1', 'tcp', 443] }, { goto: { target: 'svc' } }]],
            },
          },
        },
        { add: { element: { family: 'inet', table: 'web', name: 'backends', elem: [[80, { concat: ['10.0.0.1', 8080] }]] } } },
        { delete: { chain: { family: 'inet', table: 'web', name: 'other' } } },
      ],
    },
  )
})

t.test('a rate that is none is refused', async t => {
  t.throws(() => limit('many/second' as '1/second'), {
    message: 'rate: "many/second": give how much per what: 10/second, 1 mbytes/minute',
  })
})

/** Never called: each line below a directive must not compile, else the compiler refuses the directive. */
export function mustNotCompile(): void {
  const ip4 = table('ip', 'four')
  const six = table('ip6', 'six').chain('in', { type: 'filter', hook: 'input', priority: 0 })
  const post = ip4.chain('post', { type: 'nat', hook: 'postrouting', priority: 'srcnat' })
  const device = table('netdev', 'dev')

  // @ts-expect-error: nat needs a family that has it
  device.chain('c', { type: 'nat', hook: 'ingress', priority: 0, device: 'eth0' })
  // @ts-expect-error: netdev has no such hook
  device.chain('c', { type: 'filter', hook: 'input', priority: 0 })
  // @ts-expect-error: a device is missing
  device.chain('c', { type: 'filter', hook: 'ingress', priority: 0 })
  // @ts-expect-error: nat has no such hook
  ip4.chain('c', { type: 'nat', hook: 'forward', priority: 0 })
  // @ts-expect-error: route is for output only
  ip4.chain('c', { type: 'route', hook: 'input', priority: 0 })
  // @ts-expect-error: arp has no such name of a priority
  table('arp', 'a').chain('c', { type: 'filter', hook: 'input', priority: 'dstnat' })
  // @ts-expect-error: out is bridge's
  ip4.chain('c', { type: 'filter', hook: 'input', priority: 'out' })
  // @ts-expect-error: an unknown family
  table('ipv4', 'web')
  // @ts-expect-error: masquerade is for postrouting
  pre.rule(masquerade())
  // @ts-expect-error: dnat is not for postrouting
  post.rule(dnat({ address: '10.0.0.1' }))
  // @ts-expect-error: nat statements are not for chains of type filter
  input.rule(redirect({ port: 80 }))
  // @ts-expect-error: reject is not for chains of type nat
  pre.rule(reject())
  // @ts-expect-error: tproxy is for filter prerouting
  input.rule(tproxy({ port: 80 }))
  // @ts-expect-error: notrack is not for input
  input.rule(notrack)
  // @ts-expect-error: IPv4 fields do not exist in ip6
  six.rule(ip.saddr.eq('10.0.0.1'))
  // @ts-expect-error: nor the other way round
  post.rule(ip6.saddr.eq('fe80::1'))
  // @ts-expect-error: icmpx is for inet, bridge and netdev
  six.rule(reject('icmpx', 'no-route'))
  // @ts-expect-error: only bridge has bridges
  input.rule(meta.ibrname.eq('br0'))
  // @ts-expect-error: no such state
  ct.state.in('establishd')
  // @ts-expect-error: an address is text
  ip.saddr.eq(1)
  // @ts-expect-error: no such flag
  tcp.flags.in('sync')
  // @ts-expect-error: no such field
  tcp.port
  // @ts-expect-error: what can not be changed has no set
  meta.iifname.set('eth0')
  // @ts-expect-error: a set of ports has no addresses
  udp.dport.in(blocked)
  // @ts-expect-error: one of three keys
  ip.saddr.vmap(services)
  // @ts-expect-error: in another order
  concat(meta.l4proto, ip.daddr, th.dport).vmap(services)
  // @ts-expect-error: of data, not verdicts
  tcp.dport.vmap(ports)
  // @ts-expect-error: a verdict map gives no value
  dnat({ port: tcp.dport.map(services) })
  // @ts-expect-error: a port is no address
  dnat({ address: tcp.dport.map(ports) })
  // @ts-expect-error: a tuple of three is needed
  services.elements([['10.96.0.1', 'tcp'], accept])
  // @ts-expect-error: the second is a protocol, the third a port
  services.elements([['10.96.0.1', 'tcp', { port: 80 }], accept])
  // @ts-expect-error: a verdict is needed
  services.elements([['10.96.0.1', 'tcp', 80], '10.0.0.1'])
  // @ts-expect-error: no verdict is a port
  ports.elements([80, accept])
  // @ts-expect-error: addresses are text
  blocked.elements(10)
  // @ts-expect-error: an unknown type
  web.set('s', { key: 'ip_addr' })
  // @ts-expect-error: the key of another set
  elements.add(blocked, { key: tcp.dport })
  // @ts-expect-error: a concatenation needs two
  concat(ip.saddr)
  // @ts-expect-error: an icmp code that there is not
  reject('icmp', 'no-way')
  // @ts-expect-error: a fib flag that there is not
  fib.type('source')
  // What must compile.
  pre.rule(ip.daddr.eq('10.0.0.1'), tcp.dport.eq(80), dnat({ address: '10.0.0.2', port: 8080 }))
  input.rule(ct.state.in('established', 'related'), accept)
  input.rule(meta.iifname.eq('lo'), return_)
  post.rule(ip.saddr.eq('10.0.0.0/8'), masquerade())
  other.rule(dnat({ address: '10.0.0.2' }))
  device
    .chain('c', { type: 'filter', hook: 'ingress', priority: 'filter', device: ['eth0', 'eth1'] })
    .rule(ether.saddr.eq('0:1:2:3:4:5'), drop)
}
