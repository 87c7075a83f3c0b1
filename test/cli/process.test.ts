import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { root, run } from '../package/support.js'

const guest = join(root, 'build/js/test/cli/process-guest.js')
const options = { cwd: root }

/** Runs a line of bash, in which $GUEST is the child with its task to follow; prints the status of the first process of the line. */
const bash = (line: string) =>
  run({ cwd: root, env: { GUEST: `${process.execPath} ${guest}` } }, 'bash', '-c', `${line}; echo $PIPESTATUS`)

/** The child once it has said that it is ready, and how it will end. */
async function started(task: string): Promise<{ child: ChildProcess; ended: Promise<unknown>; text: () => string }> {
  const child = spawn(process.execPath, [guest, task], { stdio: ['pipe', 'pipe', 'pipe'] })
  let text = ''
  const ended = new Promise(resolve => child.on('close', (status, signal) => resolve(signal ?? status)))
  await new Promise<void>(resolve =>
    child.stdout.on('data', data => {
      text += data
      resolve()
    }),
  )
  return { child, ended, text: () => text }
}

t.test('the status of the command line is that of the process', async t => {
  t.match(await run(options, process.execPath, guest, 'status'), { status: 7, stdout: '', stderr: '' })
})

t.test('its input may be a file, a pipe, nothing at all, or what can not be read', async t => {
  const file = join(mkdtempSync(join(tmpdir(), 'ts-ipvs-process.')), 'text')
  t.teardown(() => rmSync(dirname(file), { recursive: true }))
  writeFileSync(file, '→ 0123456789\n'.repeat(20_000)) // three bytes that the end of a portion parts
  t.match(await bash(`$GUEST copy <${file} | cmp - ${file}`), { stdout: '0\n', stderr: '' })
  t.match(await bash(`cat ${file} | $GUEST copy | cmp - ${file}; (exit \${PIPESTATUS[1]})`), { stdout: '0\n', stderr: '' })
  t.match(await bash('$GUEST copy </dev/null'), { stdout: '0\n', stderr: '' })
  t.match(await bash('$GUEST copy </'), { stdout: '1\n', stderr: 'guest: EISDIR: illegal operation on a directory, read\n' })
})

t.test('a signal ends it while it reads a file that takes long', async t => {
  const file = join(mkdtempSync(join(tmpdir(), 'ts-ipvs-process.')), 'zeros')
  t.teardown(() => rmSync(dirname(file), { recursive: true }))
  writeFileSync(file, '')
  truncateSync(file, 2 ** 40)
  t.match(await bash(`timeout -k 30 2 $GUEST copy <${file} >/dev/null`), { stdout: '124\n' }, 'without being killed')
})

t.test('a slow reader gets all of the output', async t => {
  t.match(await bash('$GUEST much | (sleep 0.5; wc -c; sleep 0.1)'), {
    stdout: '1000000\n3\n',
    stderr: '',
  })
})

t.test('it ends quietly when nobody reads any more', async t => {
  t.match(await bash('$GUEST endless | head -n 1'), { stdout: 'a line\n141\n', stderr: '' })
  t.match(await bash('$GUEST much | head -n 0'), { stdout: '141\n', stderr: '' }, 'without waiting')
})

t.test('output that can not be written is an error', async t => {
  t.match(await bash('$GUEST much >/dev/full'), {
    stdout: '1\n',
    stderr: 'guest: ENOSPC: no space left on device, write\n',
  })
})

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
  t.test(`after ${signal} it tidies up, then ends by that signal`, async t => {
    const { child, ended, text } = await started('tidy')
    child.kill(signal)
    t.equal(await ended, signal)
    t.equal(text(), 'ready\ntidied up\n')
  })
}

t.test('a signal ends it at once when nothing in it has asked for signals', async t => {
  const { child, ended } = await started('unasked')
  child.kill('SIGTERM')
  t.equal(await ended, 'SIGTERM')
})

t.test('what listens to the errors of its output goes on when nobody reads any more', async t => {
  t.match(await bash('$GUEST stubborn | head -n 1'), { stdout: 'a line\n5\n', stderr: '' })
})

t.test('a drain goes on to its end when nobody reads any more', async t => {
  const { stdout, stderr } = await bash('$GUEST drain | head -n 1')
  t.match(stdout, /^\{"remaining":1,.*\}\n0\n$/)
  t.equal(stderr, '')
})

t.test('a second signal ends it at once', async t => {
  const { child, ended } = await started('deaf')
  child.kill('SIGTERM')
  // Signals do not queue up: the second one is sent until it has been seen.
  const again = setInterval(() => child.kill('SIGINT'), 50)
  t.equal(await ended, 'SIGINT')
  clearInterval(again)
})

t.test('the first process of a container, which no signal of its own ends, has the status that a shell would give', async t => {
  const first = ['--pid', '--fork', '--kill-child', '--mount-proc', process.execPath, guest, 'tidy']
  const child = spawn('unshare', first, { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise(resolve => child.stdout.once('data', resolve))
  const { stdout } = await run(options, 'pgrep', '-P', String(child.pid))
  process.kill(Number(stdout), 'SIGTERM')
  t.equal(await new Promise(resolve => child.on('close', resolve)), 128 + 15)
})

t.test('it does not wait for input that it does not want any more', async t => {
  const { ended, text } = await started('reader') // whose standard input stays open
  t.equal(await ended, 0)
  t.equal(text(), 'read enough\n')
})

t.test('a mistake is one line; NODE_DEBUG=ts-ipvs tells where it comes from', async t => {
  t.match(await run(options, process.execPath, guest, 'mistake'), { status: 1, stderr: /^guest: a mistake of the program\n$/ })
  const { stderr } = await run({ ...options, env: { NODE_DEBUG: 'ts-ipvs' } }, process.execPath, guest, 'mistake')
  t.match(stderr, /^guest: Error: a mistake of the program\n +at .*process-guest/)
})

t.test('a command that waits for nothing, for ever, is no success', async t => {
  t.equal((await run(options, process.execPath, guest, 'lost')).status, 1)
})

t.test('it does not speak of deprecations', async t => {
  t.match(await run(options, process.execPath, guest, 'deprecated'), { status: 0, stderr: '' })
})

t.test('an addon that is not there is told as it is', async t => {
  const missing = { TS_IPVS_ADDON: '/nowhere/ts_ipvs.node' }
  const { status, stderr } = await run({ ...options, env: missing }, process.execPath, guest, 'open')
  t.equal(status, 1)
  t.match(stderr, /^guest: open: Cannot find module '\/nowhere\/ts_ipvs\.node'/)
  t.notMatch(stderr, /^ +at /m)
})
