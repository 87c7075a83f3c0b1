import t from 'tap'
import { doctor } from '../../../lib/cli/commands/doctor.js'
import { open } from '../../../lib/ipvs/index.js'
import { type MemoryKernelOptions, memoryKernel } from '../../../lib/testing/index.js'
import { machine } from '../doctor/support.js'
import { ioFor } from '../support.js'

async function run(kernel: MemoryKernelOptions, options: Parameters<typeof doctor>[1] = {}) {
  const io = ioFor({ open: () => open({ transport: memoryKernel(kernel) }) })
  const status = await doctor(io, options, machine({ '/proc/sys/kernel/modprobe': '\n' }, { ip_vs: 'loadable' }))
  return { status, stdout: io.stdout.text }
}

t.test('a line for each check, the command that mends it below, and the sum at the end', async t => {
  const { status, stdout } = await run({ ipv6: false })
  const lines = stdout.split('\n')
  t.equal(lines[0], 'ok       Node.js                    v22.12.0')
  const autoload = lines.findIndex(line =>
    line.startsWith('warning  autoload                   the kernel does not load modules'),
  )
  t.equal(lines[autoload + 1], `${' '.repeat(36)}$ sysctl -w kernel.modprobe=/sbin/modprobe`)
  t.match(stdout, /^warning {2}IPv6 +this kernel has IPv6 switched off/m)
  t.strictSame(lines.slice(-3), ['', 'IPVS can be used here.', ''])
  t.equal(status, 0)
})

t.test('status 1 where IPVS can not be used', async t => {
  const { status, stdout } = await run({ permitted: 'no' })
  t.match(stdout, /^missing {2}IPVS +can not be used: CAP_NET_ADMIN is needed/m)
  t.match(stdout, /\n\nIPVS can not be used here\.\n$/)
  t.equal(status, 1)
})

t.test('--json', async t => {
  const { status, stdout } = await run({}, { json: true })
  const { usable, checks } = JSON.parse(stdout)
  t.equal(usable, true)
  t.equal(status, 0)
  t.match(checks[0], { name: 'Node.js', status: 'ok', text: 'v22.12.0' })
  t.match(
    checks.find(({ name }: { name: string }) => name === 'autoload'),
    { status: 'warning', remedy: 'sysctl -w kernel.modprobe=/sbin/modprobe' },
  )
})
