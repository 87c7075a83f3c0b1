import t from 'tap'
import { open } from '../../lib/ipvs/index.js'
import { memoryKernel } from '../../lib/testing/index.js'
import { between } from '../kernel/support/between.js'

t.test(
  'a namespace is identified by the boot id and its cookie, the same for all its clients, with or without the module',
  async t => {
    const kernel = memoryKernel({ ipvs: false })
    await using one = await open({ transport: kernel })
    await using two = await open({ transport: kernel })
    const id = await one.namespaceId()
    t.match(id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\/cookie-\d+$/)
    t.equal(await two.namespaceId(), id)
    await using elsewhere = await open({ transport: memoryKernel() })
    t.not(await elsewhere.namespaceId(), id)
  },
)

t.test('where nothing identifies it, the error says what is missing', async t => {
  const nameless = between(memoryKernel(), {})
  const { open: openSocket } = nameless
  nameless.open = options => ({ ...openSocket(options), namespace: undefined })
  await using lvs = await open({ transport: nameless })
  await t.rejects(lvs.namespaceId(), { problem: 'not-supported', message: /neither a cookie of the namespace \(Linux 5\.14\)/ })

  const procless = between(memoryKernel(), {})
  procless.readFile = path => memoryKernel().readFile(`/nowhere${path}`)
  await using other = await open({ transport: procless })
  await t.rejects(other.namespaceId(), { problem: 'not-supported', message: /boot_id can not be read: mount \/proc/ })
})

t.test('a closed client opens nothing to find out', async t => {
  const lvs = await open({ transport: memoryKernel() })
  await lvs.close()
  await t.rejects(lvs.namespaceId(), { code: 'ERR_CLOSED' })
})
