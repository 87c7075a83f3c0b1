import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { root, unlessRoot } from './support.js'

/** Runs a script of this folder in a process of its own, where nothing else opens descriptors or takes memory: neither tap's loaders. */
async function run(script: string, env: NodeJS.ProcessEnv = {}) {
  const { stdout } = await promisify(execFile)(
    'env',
    ['-u', 'NODE_OPTIONS', process.execPath, '--expose-gc', join(root, 'test/native', script)],
    {
      env: { ...process.env, ...env },
    },
  )
  return JSON.parse(stdout)
}

t.test('100,000 requests and 2,000 subscriptions leave nothing behind', async t => {
  const { descriptors, megabytes } = await run('many.cjs')
  t.same(descriptors.after, descriptors.before)
  t.ok(megabytes.grown < 16, `resident memory grew by ${megabytes.grown} MB`)
})

t.test("requests that wait take nothing of libuv's pool: files are read meanwhile", unlessRoot, async t => {
  t.same(await run('pool.cjs', { UV_THREADPOOL_SIZE: '1' }), ['read', 'looked up'])
})
