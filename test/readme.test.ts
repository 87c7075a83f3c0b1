import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'

let root = new URL('.', import.meta.url)
while (!existsSync(new URL('package.json', root))) root = new URL('..', root)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const readme = read('README.md')

t.test('the example in the README is the one that npm start runs', async t => {
  const example = read('examples/load-balance.ts')
  t.ok(readme.includes(example.trimEnd()))
  t.ok(example.split('\n').length < 80, 'it is short enough to be read')
})

t.test('the numbers in the README are those that the benchmark wrote', async t => {
  t.ok(
    readme.includes(
      read('scripts/bench/results/ipvs.md')
        .replace(/^# .*\n+/, '')
        .trim(),
    ),
  )
})

t.test('what the README links to is there', async t => {
  for (const [, path = ''] of readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) t.ok(existsSync(new URL(path, root)), path)
})

t.test('the two commands stand at the top', async t => {
  const top = readme.split('\n').slice(0, 12).join('\n')
  t.match(top, /npm start/)
  t.match(top, /npm test/)
})
