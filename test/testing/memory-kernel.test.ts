/** The memory kernel refuses what Linux refuses, for the same reason and in the same order, and keeps what Linux keeps. */
import t from 'tap'
import type { MemoryKernelOptions } from '../../lib/testing/index.js'
import {
  type Attributes,
  addDest,
  addService,
  addService6,
  be16,
  bootAfter,
  type Command,
  dest,
  dest6,
  destKey,
  full,
  full6,
  ipv4,
  ipv6,
  key,
  key6,
  marked,
  master,
  type Step,
  startMaster,
  text,
  u8,
  u16,
  u32,
  unended,
  zeros,
} from './support.js'

/** A request, what the kernel says to it, and what was done before. */
type Row = readonly [
  name: string,
  code: string,
  command: Command,
  attributes?: Attributes,
  before?: readonly Step[] | undefined,
  options?: MemoryKernelOptions,
]

const without = <T extends object>(from: T, name: keyof T): T => ({ ...from, [name]: undefined })

/** Each attribute in turn is left out. */
const missing = <T extends object>(command: Command, all: T, of: (some: T) => Attributes, before?: Step[]): Row[] =>
  (Object.keys(all) as (keyof T)[]).map(name => [
    `${command} without ${String(name)}`,
    'EINVAL',
    command,
    of(without(all, name)),
    before,
  ])

const rows: readonly Row[] = [
  // What each command needs.
  ['a virtual server', 'OK', 'newService', { service: full }],
  ...missing('newService', full, service => ({ service })),
  ...missing('setService', full, service => ({ service }), [addService]),
  ...['newService', 'setService', 'delService', 'getService', 'newDest', 'setDest', 'delDest'].map(
    (command): Row => [`${command} with nothing`, 'EINVAL', command as 'newService'],
  ),
  ...missing('delService', key, service => ({ service }), [addService]),
  ...missing('getService', key, service => ({ service }), [addService]),
  ['one by its key', 'OK', 'getService', { service: key }, [addService]],
  ['removing by key', 'OK', 'delService', { service: key }, [addService]],
  ['zeroing one', 'OK', 'zero', { service: key }, [addService]],
  ['zeroing all', 'OK', 'zero'],
  ['zeroing one without a key', 'EINVAL', 'zero', { service: { AF: u16(2) } }],
  ['flushing nothing', 'OK', 'flush'],
  ['a real server', 'OK', 'newDest', { service: key, dest }, [addService]],
  ...missing('newDest', dest, it => ({ service: key, dest: it }), [addService]),
  ...missing('setDest', dest, it => ({ service: key, dest: it }), [addService, addDest]),
  ...missing('delDest', destKey, it => ({ service: key, dest: it }), [addService, addDest]),
  ['removing a real server by key', 'OK', 'delDest', { service: key, dest: destKey }, [addService, addDest]],
  ['a daemon', 'OK', 'newDaemon', { daemon: master }],
  ...missing('newDaemon', master, daemon => ({ daemon })),
  ['stopping a daemon by its state', 'OK', 'delDaemon', { daemon: { STATE: u32(1) } }, [startMaster]],
  ['stopping a daemon of no state', 'EINVAL', 'delDaemon', { daemon: { SYNC_ID: u32(1) } }],
  ['no time-out at all', 'OK', 'setConfig'],
  ['time-outs', 'OK', 'getConfig'],
  ['info', 'OK', 'getInfo'],
  ['real servers but not as a dump', 'ENOTSUP', 'getDest', { service: key }],
  ['daemons but not as a dump', 'ENOTSUP', 'getDaemon'],
  ['a command that only replies have', 'ENOTSUP', 'setInfo'],
  ['a command that there is not', 'ENOTSUP', 99],
  ['command 0', 'ENOTSUP', 0],

  // What is there, or not.
  ['the same virtual server again', 'EEXIST', 'newService', { service: full }, [addService]],
  ['the same again, incomplete', 'EINVAL', 'newService', { service: key }, [addService]],
  [
    'the same again with no such scheduler',
    'EEXIST',
    'newService',
    { service: { ...full, SCHED_NAME: text('x') } },
    [addService],
  ],
  ['changing what is not there', 'ESRCH', 'setService', { service: full }],
  ['removing what is not there', 'ESRCH', 'delService', { service: key }],
  ['reading what is not there', 'ESRCH', 'getService', { service: key }],
  ['zeroing what is not there', 'ESRCH', 'zero', { service: key }],
  ['a real server of nothing, however incomplete', 'ESRCH', 'newDest', { service: key }],
  ['the same real server again', 'EEXIST', 'newDest', { service: key, dest }, [addService, addDest]],
  ['changing no real server', 'ENOENT', 'setDest', { service: key, dest }, [addService]],
  ['removing no real server', 'ENOENT', 'delDest', { service: key, dest }, [addService]],
  [
    'removing one of another port',
    'ENOENT',
    'delDest',
    { service: key, dest: { ...dest, PORT: be16(1) } },
    [addService, addDest],
  ],
  [
    'removing one of another family',
    'ENOENT',
    'delDest',
    { service: key, dest: { ...dest, ADDR_FAMILY: u16(10) } },
    [addService, addDest],
  ],
  [
    'another address of the same first bytes',
    'EEXIST',
    'newService',
    { service: { ...full, ADDR: ipv4('10.0.0.1') } },
    [addService],
  ],
  [
    'the same mark for the other family',
    'OK',
    'newService',
    { service: { ...full6, FWMARK: u32(5) } },
    [['newService', { service: marked }]],
  ],
  [
    'the same mark whatever the port',
    'EEXIST',
    'newService',
    { service: { ...marked, PORT: be16(9) } },
    [['newService', { service: marked }]],
  ],

  // Schedulers and engines.
  ['no such scheduler', 'ENOENT', 'newService', { service: { ...full, SCHED_NAME: text('nope') } }],
  ['no scheduler', 'OK', 'newService', { service: { ...full, SCHED_NAME: text('none') } }],
  ['a scheduler without a name', 'ENOENT', 'newService', { service: { ...full, SCHED_NAME: text('') } }],
  ['a scheduler that this kernel was not built with', 'ENOENT', 'newService', { service: full }, [], { schedulers: ['wlc'] }],
  ['changing to no such scheduler', 'ENOENT', 'setService', { service: { ...full, SCHED_NAME: text('nope') } }, [addService]],
  ['an engine', 'OK', 'newService', { service: { ...full, PE_NAME: text('sip') } }],
  ['no such engine', 'ENOENT', 'newService', { service: { ...full, PE_NAME: text('nope') } }],
  ['an engine without a name', 'OK', 'newService', { service: { ...full, PE_NAME: text('') } }],
  ['changing to no such engine', 'ENOENT', 'setService', { service: { ...full, PE_NAME: text('nope') } }, [addService]],
  [
    'an engine that this kernel was not built with',
    'ENOENT',
    'newService',
    { service: { ...full, PE_NAME: text('sip') } },
    [],
    { persistenceEngines: [] },
  ],

  // What a virtual server can be.
  ...[0, 1, 50, 65535].map(
    (protocol): Row => [`protocol ${protocol}`, 'OK', 'newService', { service: { ...full, PROTOCOL: u16(protocol) } }],
  ),
  ...[0, 1, 7].map(
    (family): Row => [`family ${family}`, 'EAFNOSUPPORT', 'newService', { service: { ...full, AF: u16(family) } }],
  ),
  ['no family and no scheduler', 'EAFNOSUPPORT', 'newService', { service: { ...key, AF: u16(0) } }],
  ['IPv6 where it is off', 'EAFNOSUPPORT', 'newService', { service: full6 }, [], { ipv6: false }],
  ['reading IPv6 where it is off', 'EAFNOSUPPORT', 'getService', { service: key6 }, [], { ipv6: false }],
  ...[1, 4, 16].map(
    (length): Row => [`an address of ${length} bytes`, 'OK', 'newService', { service: { ...full, ADDR: zeros(length) } }],
  ),
  ['an address of 17 bytes', 'EINVAL', 'newService', { service: { ...full, ADDR: zeros(17) } }],
  ['a port of 1 byte', 'EINVAL', 'newService', { service: { ...full, PORT: u8(1) } }],
  ['a port of 4 bytes', 'OK', 'newService', { service: { ...full, PORT: u32(1) } }],
  ['a name that does not end', 'EINVAL', 'newService', { service: { ...full, SCHED_NAME: unended('rr') } }],
  ['a name of 16 letters', 'EINVAL', 'newService', { service: { ...full, SCHED_NAME: text('x'.repeat(16)) } }],
  ['a name of 15 letters', 'ENOENT', 'newService', { service: { ...full, SCHED_NAME: text('x'.repeat(15)) } }],
  ['an engine of 16 letters', 'ENOENT', 'newService', { service: { ...full, PE_NAME: text('x'.repeat(16)) } }],
  ['an engine of 17 letters', 'EINVAL', 'newService', { service: { ...full, PE_NAME: text('x'.repeat(17)) } }],
  ['flags of 12 bytes', 'EINVAL', 'newService', { service: { ...full, FLAGS: zeros(12) } }],
  ...[0, 129, 0xffffffff].map(
    (prefix): Row => [`IPv6 prefix ${prefix}`, 'EINVAL', 'newService', { service: { ...full6, NETMASK: u32(prefix) } }],
  ),
  ...[1, 128].map(
    (prefix): Row => [`IPv6 prefix ${prefix}`, 'OK', 'newService', { service: { ...full6, NETMASK: u32(prefix) } }],
  ),
  [
    'an IPv6 prefix too long, with no such scheduler',
    'ENOENT',
    'newService',
    { service: { ...full6, NETMASK: u32(129), SCHED_NAME: text('x') } },
  ],
  ['an IPv4 mask with holes', 'OK', 'newService', { service: { ...full, NETMASK: u32(0x00ff00ff) } }],
  ['an unknown attribute', 'OK', 'newService', { service: { ...full, UNKNOWN: zeros(3) }, UNKNOWN: zeros(1) }],

  // What a real server can be.
  ['a negative weight', 'ERANGE', 'newDest', { service: key, dest: { ...dest, WEIGHT: u32(-1) } }, [addService]],
  [
    'a negative weight where it is already',
    'ERANGE',
    'newDest',
    { service: key, dest: { ...dest, WEIGHT: u32(-1) } },
    [addService, addDest],
  ],
  ['a lower threshold alone', 'ERANGE', 'setDest', { service: key, dest: { ...dest, L_THRESH: u32(1) } }, [addService, addDest]],
  [
    'thresholds that are the same',
    'OK',
    'newDest',
    { service: key, dest: { ...dest, U_THRESH: u32(1), L_THRESH: u32(1) } },
    [addService],
  ],
  [
    'an upper threshold of 2^31',
    'EINVAL',
    'newDest',
    { service: key, dest: { ...dest, U_THRESH: u32(0x80000000) } },
    [addService],
  ],
  ...['0.0.0.0', '224.0.0.1', '239.255.255.255', '255.255.255.255', '127.255.255.255'].map(
    (address): Row => [`${address}`, 'EINVAL', 'newDest', { service: key, dest: { ...dest, ADDR: ipv4(address) } }, [addService]],
  ),
  ...['127.0.0.1', '240.0.0.1', '10.255.255.255', '0.0.0.1'].map(
    (address): Row => [`${address}`, 'OK', 'newDest', { service: key, dest: { ...dest, ADDR: ipv4(address) } }, [addService]],
  ),
  ...['0:0:0:0:0:0:0:0', '0:0:0:0:0:ffff:a00:1', 'fe80:0:0:0:0:0:0:1', 'ff02:0:0:0:0:0:0:1'].map(
    (address): Row => [address, 'EINVAL', 'newDest', { service: key6, dest: { ...dest6, ADDR: ipv6(address) } }, [addService6]],
  ),
  ...['0:0:0:0:0:0:0:1', '0:0:0:0:0:0:a00:1', 'fec0:0:0:0:0:0:0:1', 'fd00:0:0:0:0:0:0:1', '64:ff9b:0:0:0:0:a00:1'].map(
    (address): Row => [address, 'OK', 'newDest', { service: key6, dest: { ...dest6, ADDR: ipv6(address) } }, [addService6]],
  ),
  [
    'any IPv4 address before an interface was up',
    'EINVAL',
    'newDest',
    { service: key, dest },
    [addService],
    { loopbackUp: false },
  ],
  ['IPv6 before an interface was up', 'OK', 'newDest', { service: key6, dest: dest6 }, [addService6], { loopbackUp: false }],
  [
    'a real server of family 7',
    'EAFNOSUPPORT',
    'newDest',
    { service: key, dest: { ...dest, ADDR_FAMILY: u16(7) } },
    [addService],
  ],
  ['removing one of family 7', 'EAFNOSUPPORT', 'delDest', { service: key, dest: { ...dest, ADDR_FAMILY: u16(7) } }, [addService]],
  ['another family, masqueraded', 'EINVAL', 'newDest', { service: key, dest: dest6 }, [addService]],
  ['another family, tunnelled', 'OK', 'newDest', { service: key, dest: { ...dest6, FWD_METHOD: u32(2) } }, [addService]],
  [
    'another family while a daemon runs',
    'EINVAL',
    'newDest',
    { service: key, dest: { ...dest6, FWD_METHOD: u32(2) } },
    [addService, startMaster],
  ],
  ['GUE without a port', 'EINVAL', 'newDest', { service: key, dest: { ...dest, TUN_TYPE: u8(1) } }, [addService]],
  ['GUE with a port', 'OK', 'newDest', { service: key, dest: { ...dest, TUN_TYPE: u8(1), TUN_PORT: be16(6080) } }, [addService]],
  [
    'a tunnel that there is not',
    'OK',
    'newDest',
    { service: key, dest: { ...dest, TUN_TYPE: u8(9), TUN_FLAGS: u16(0xffff) } },
    [addService],
  ],
  [
    'a tunnel type of no bytes',
    'EINVAL',
    'delDest',
    { service: key, dest: { ...dest, TUN_TYPE: zeros(0) } },
    [addService, addDest],
  ],
  [
    'GUE without a port, before Linux 5.2',
    'OK',
    'newDest',
    { service: key, dest: { ...dest, TUN_TYPE: u8(1) } },
    [addService],
    { tunnels: ['ipip'] },
  ],

  // Daemons and time-outs.
  ['a daemon on no interface', 'ENODEV', 'newDaemon', { daemon: { ...master, MCAST_IFN: text('nope') } }],
  ['a daemon of a state that there is not', 'EINVAL', 'newDaemon', { daemon: { ...master, STATE: u32(3) } }],
  ['a daemon that runs', 'EEXIST', 'newDaemon', { daemon: master }, [startMaster]],
  ['the other daemon', 'OK', 'newDaemon', { daemon: { ...master, STATE: u32(2) } }, [startMaster]],
  ['a daemon for a group that is none', 'EINVAL', 'newDaemon', { daemon: { ...master, MCAST_GROUP: ipv4('10.0.0.1') } }],
  [
    'a daemon for an IPv6 group that is none',
    'EINVAL',
    'newDaemon',
    { daemon: { ...master, MCAST_GROUP6: ipv6('2001:db8:0:0:0:0:0:1') } },
  ],
  [
    'an IPv6 group that lo does not reach',
    'ENETUNREACH',
    'newDaemon',
    { daemon: { ...master, MCAST_GROUP6: ipv6('ff02:0:0:0:0:0:0:51') } },
  ],
  [
    'a daemon while families are mixed',
    'EINVAL',
    'newDaemon',
    { daemon: master },
    [addService, ['newDest', { service: key, dest: { ...dest6, FWD_METHOD: u32(2) } }]],
  ],
  ['stopping what does not run', 'ESRCH', 'delDaemon', { daemon: { STATE: u32(2) } }],
  ['stopping a state that there is not', 'EINVAL', 'delDaemon', { daemon: { STATE: u32(3) } }],
  ['a negative time-out', 'EINVAL', 'setConfig', { TIMEOUT_TCP: u32(-1) }],
  ['the longest time-out', 'OK', 'setConfig', { TIMEOUT_UDP: u32(8_589_934) }],
  ['a time-out that overflows', 'EINVAL', 'setConfig', { TIMEOUT_UDP: u32(8_589_935) }],
  ['one that overflows at 1000 Hz', 'EINVAL', 'setConfig', { TIMEOUT_TCP_FIN: u32(2_147_484) }, [], { hz: 1000 }],
  ['a time-out of 2 bytes', 'ERANGE', 'setConfig', { TIMEOUT_TCP: u16(1) }],

  // Who may.
  ['reading without CAP_NET_ADMIN', 'EPERM', 'getInfo', {}, [], { permitted: 'no' }],
  ['nonsense without CAP_NET_ADMIN', 'EPERM', 'newService', {}, [], { permitted: 'no' }],
  ['an unknown command without CAP_NET_ADMIN', 'ENOTSUP', 99, {}, [], { permitted: 'no' }],
]

t.test('a request is answered as by Linux', async t => {
  for (const [name, code, command, attributes, before = [], options] of rows) {
    const booted = await bootAfter(before, options)
    t.equal((await booted.do(command, attributes)).code, code, `${name}: ${code}`)
  }
})
