/** Replies of the memory kernel next to those that Linux 6.1.176 (Debian 12, amd64) gave to the same requests. */
import t from 'tap'
import { be16, dest, flags, full, hex, key, master, type Step, text, u8, u16, u32 } from './support.js'
import { ACK, DUMP, messages, REQUEST, Wire } from './wire.js'

/** Counters of 0: in 32 bits, bytes in 64; then all in 64. */
const idle = [
  '5c000a00',
  '08000100 00000000 08000200 00000000 08000300 00000000',
  '0c000400 0000000000000000 0c000500 0000000000000000',
  '08000600 00000000 08000700 00000000 08000800 00000000 08000900 00000000 08000a00 00000000',
  '7c000c00',
  '0c000100 0000000000000000 0c000200 0000000000000000 0c000300 0000000000000000 0c000400 0000000000000000',
  '0c000500 0000000000000000 0c000600 0000000000000000 0c000700 0000000000000000 0c000800 0000000000000000',
  '0c000900 0000000000000000 0c000a00 0000000000000000',
]

const rows: [name: string, before: Step[], asked: Step, flags: number, recorded: string[]][] = [
  [
    'a virtual server',
    [['newService', { service: { ...full, PE_NAME: text('sip'), FLAGS: flags(1), TIMEOUT: u32(60) } }]],
    ['getService', { service: key }],
    0,
    [
      '01010000 34010100',
      '06000100 02000000 06000200 06000000 14000300 0a000001000000000000000000000000 06000400 00500000',
      '07000600 72720000 08000b00 73697000 0c000700 03000000ffffffff 08000800 3c000000 08000900 ffffffff',
      ...idle,
    ],
  ],
  [
    'a virtual server for a firewall mark',
    [['newService', { service: { ...full, FWMARK: u32(0xffffffff) } }]],
    ['getService', {}],
    DUMP,
    [
      '01010000 10010100',
      '06000100 02000000 08000500 ffffffff',
      '07000600 72720000 0c000700 02000000ffffffff 08000800 00000000 08000900 ffffffff',
      ...idle,
    ],
  ],
  [
    'a real server',
    [
      ['newService', { service: full }],
      [
        'newDest',
        { service: key, dest: { ...dest, FWD_METHOD: u32(2), TUN_TYPE: u8(1), TUN_PORT: be16(6080), TUN_FLAGS: u16(1) } },
      ],
    ],
    ['getDest', { service: key }],
    DUMP,
    [
      '05010000 50010200',
      '14000100 0a010001000000000000000000000000 06000200 1f900000 08000300 02000000 08000400 01000000',
      '05000d00 01000000 06000e00 17c00000 06000f00 01000000 08000500 00000000 08000600 00000000',
      '08000700 00000000 08000800 00000000 08000900 00000000 06000b00 02000000',
      ...idle,
    ],
  ],
  [
    'a daemon',
    [
      [
        'newDaemon',
        {
          daemon: {
            ...master,
            SYNC_MAXLEN: u16(1),
            MCAST_GROUP: Uint8Array.of(224, 1, 2, 3),
            MCAST_PORT: u16(9999),
            MCAST_TTL: u8(5),
          },
        },
      ],
    ],
    ['getDaemon', {}],
    DUMP,
    [
      '09010000 3c000300',
      '08000100 01000000 07000200 6c6f0000 08000300 07000000 06000400 01000000 06000700 0f270000 05000800 05000000 08000500 e0010203',
    ],
  ],
  [
    'a daemon with an IPv6 group',
    [
      [
        'newDaemon',
        { daemon: { ...master, STATE: u32(2), MCAST_GROUP6: Uint8Array.from(Buffer.from(`ff02${'0'.repeat(26)}51`, 'hex')) } },
      ],
    ],
    ['getDaemon', {}],
    DUMP,
    [
      '09010000 48000300',
      '08000100 02000000 07000200 6c6f0000 08000300 07000000 06000400 cfff0000 06000700 90220000 05000800 01000000',
      '14000600 ff020000000000000000000000000051',
    ],
  ],
  ['time-outs', [], ['getConfig', {}], 0, ['0c010000', '08000400 84030000 08000500 78000000 08000600 2c010000']],
  ['info', [], ['getInfo', {}], 0, ['0e010000', '08000100 01020100 08000200 00100000']],
]

t.test('a reply has the bytes that Linux wrote', async t => {
  for (const [name, before, [command, attributes], dumping, recorded] of rows) {
    const wire = await Wire.of()
    for (const [step, given] of before) await wire.exchange(wire.ask(step, REQUEST | ACK, given))
    const reply = await wire.exchange(wire.ask(command, REQUEST | dumping, attributes))
    const [message] = messages(reply)
    t.equal(hex(reply.data.subarray(message?.payload, message?.end)), recorded.join('').replaceAll(' ', ''), name)
    t.equal(message?.flags, dumping ? 2 : 0, `${name}: one of many, or the only one`)
  }
})

t.test('the family is described with the bytes that Linux wrote', async t => {
  const wire = await Wire.of()
  const operations = [0xb, 0xb, 0xb, 0xf, 0xb, 0xb, 0xb, 0xd, 0xb, 0xb, 0xd, 0xb, 0xb, 0xb, 0xb, 0xb].map((capabilities, i) => {
    const command = i < 13 ? i + 1 : i + 2 // there is none to set the info
    return [u16(20), u16(i + 1), u16(8), u16(1), u32(command), u16(8), u16(2), u32(capabilities)].map(hex).join('')
  })
  const expected = [
    '01020000',
    '09000200 4950565300000000',
    '06000100 1c000000',
    '08000300 01000000',
    '08000400 00000000',
    '08000500 06000000',
  ]
  t.equal(hex((await wire.describe()).subarray(16)), [...expected, '44010600', ...operations].join('').replaceAll(' ', ''))
})
