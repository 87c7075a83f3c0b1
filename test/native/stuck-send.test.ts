import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { root } from './support.js'

t.setTimeout(0) // a kernel boots for each

/** What stuck-send.cjs gets done under a kernel whose modprobe is slow. Without the loaders that tap gives to children. */
async function run(way: string) {
  const command = ['env', '-u', 'NODE_OPTIONS', 'UV_THREADPOOL_SIZE=1', process.execPath, 'test/native/stuck-send.cjs', way]
  const { stdout } = await promisify(execFile)(join(root, 'scripts/vm'), ['--kernel', 'uml', '--', ...command], { cwd: root })
  return JSON.parse(stdout)
}

const meanwhile = ['read', 'looked up', 'asked on another socket']

t.test('while the kernel keeps requests, files are read, names are looked up, and other sockets are answered', async t => {
  t.same(await run('request'), [...meanwhile, '6 answered'])
})

t.test('terminating a Worker whose request the kernel keeps waits for it, and holds nothing else up', async t => {
  t.same(await run('worker'), [...meanwhile, 'exited with 1'])
})
