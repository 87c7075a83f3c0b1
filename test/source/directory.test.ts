import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { directorySource } from '../../lib/source/directory.js'
import type { SourceUpdate } from '../../lib/source/source.js'

const service = (name: string, port = 80): string =>
  `kind: Service\nmetadata: {name: ${name}}\nspec: {clusterIP: 10.96.0.1, ports: [{port: ${port}}]}\n`

interface Told {
  readonly changes: readonly string[]
  readonly problems: readonly string[]
}

interface Watched {
  readonly folder: string
  write(name: string, content: string): Promise<void>
  next(): Promise<Told>
  /** Whether the last update was complete. */
  complete(): boolean
}

async function watched(t: Test, files: Readonly<Record<string, string>>, path = '.'): Promise<Watched> {
  const folder = await mkdtemp(join(tmpdir(), 'source-'))
  const write = (name: string, content: string): Promise<void> => writeFile(join(folder, name), content)
  for (const [name, content] of Object.entries(files)) await write(name, content)
  const ending = new AbortController()
  const updates = directorySource({ path: join(folder, path), settle: 20, interval: 300 })
    .updates(ending.signal)
    [Symbol.asyncIterator]()
  t.teardown(async () => {
    ending.abort()
    await updates.return?.()
    await rm(folder, { recursive: true, force: true })
  })
  let complete = false
  return {
    folder,
    write,
    complete: () => complete,
    async next() {
      const { value } = (await updates.next()) as { readonly value: SourceUpdate }
      complete = value.complete
      return {
        changes: value.changes.map(({ kind, name, object }) => `${object ? '+' : '-'} ${kind} ${name}`),
        problems: value.problems.map(
          ({ where, line, message }) => `${where.slice(folder.length + 1)}${line ? `:${line}` : ''} ${message}`,
        ),
      }
    },
  }
}

t.test('a directory is told as a whole, then what changes in it', async t => {
  const source = await watched(t, {
    'a.yaml': `${service('one')}---\n${service('two')}`,
    'b.json': '{"kind":"Node","metadata":{"name":"n"}}',
    'notes.txt': 'kind',
  })
  t.same(await source.next(), { changes: ['+ Service default/one', '+ Service default/two', '+ Node n'], problems: [] })
  await source.write('a.yaml', `${service('one', 81)}---\n${service('two')}`)
  t.same((await source.next()).changes, ['+ Service default/one'])
  await source.write('c.yml', service('three'))
  t.same((await source.next()).changes, ['+ Service default/three'])
  await rm(join(source.folder, 'a.yaml'))
  t.same((await source.next()).changes, ['- Service default/one', '- Service default/two'])
  await mkdir(join(source.folder, 'deep'))
  await source.write('deep/d.yaml', service('four'))
  t.same((await source.next()).changes, ['+ Service default/four'])
})

t.test('what is wrong in one file leaves the others as they are', async t => {
  const source = await watched(t, { 'a.yaml': service('one'), 'b.yaml': 'kind: Service\nmetadata: {name: two}\n' })
  t.same(await source.next(), { changes: ['+ Service default/one'], problems: ['b.yaml:1 is missing'] })
  await source.write('b.yaml', service('two'))
  t.same(await source.next(), { changes: ['+ Service default/two'], problems: [] })
  await source.write('b.yaml', `${service('two')}---\n${service('one')}`)
  const { problems } = await source.next()
  t.equal(problems.length, 1)
  t.match(problems[0], /^b\.yaml Service default\/one is in .*a\.yaml already: that one is served$/)
})

t.test('an object that moves from one file to another is not gone in between', async t => {
  const source = await watched(t, { 'a.yaml': `${service('one')}---\n${service('two')}` })
  await source.next()
  await Promise.all([source.write('b.yaml', service('one')), source.write('a.yaml', service('two'))])
  t.same((await source.next()).changes, ['+ Service default/one'])
})

t.test('a directory that goes away leaves what was read, and is read again when it is back', async t => {
  const source = await watched(t, {}, 'manifests')
  const folder = join(source.folder, 'manifests')
  t.match(await source.next(), {
    changes: [],
    problems: [/^manifests can not be read: ENOENT: no such file or directory, stat '.*manifests'$/],
  })
  t.equal(source.complete(), false)
  await mkdir(folder)
  await writeFile(join(folder, 'a.yaml'), service('one'))
  let told = await source.next()
  while (told.changes.length === 0) told = await source.next()
  t.same(told, { changes: ['+ Service default/one'], problems: [] })
  t.equal(source.complete(), true)
  await rename(folder, `${folder}-away`)
  t.match(await source.next(), { changes: [], problems: [/served on$/] })
  await rename(`${folder}-away`, folder)
  t.same(await source.next(), { changes: [], problems: [] })
})

t.test('one file is a source, and a mounted ConfigMap', async t => {
  const one = await watched(t, { 'a.yaml': service('one'), 'b.yaml': service('two') }, 'a.yaml')
  t.same((await one.next()).changes, ['+ Service default/one'])
  const mounted = await watched(t, {})
  await mounted.next()
  for (const [version, port] of [
    ['..1', 80],
    ['..2', 81],
  ] as const) {
    await mkdir(join(mounted.folder, version))
    await mounted.write(`${version}/a.yaml`, service('one', port))
  }
  await symlink('..1', join(mounted.folder, '..data'))
  await symlink('..data/a.yaml', join(mounted.folder, 'a.yaml'))
  t.same(await mounted.next(), { changes: ['+ Service default/one'], problems: [] })
  await symlink('..2', join(mounted.folder, '..next'))
  await rename(join(mounted.folder, '..next'), join(mounted.folder, '..data'))
  t.same(await mounted.next(), { changes: ['+ Service default/one'], problems: [] })
})
