import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { DIFFERENCES } from '../lib/cli/ipvsadm/differences.js'

let root = new URL('.', import.meta.url)
while (!existsSync(new URL('package.json', root))) root = new URL('..', root)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const readme = read('README.md')

t.test('the numbers in the README are those that the benchmarks wrote', async t => {
  for (const subject of ['ipvs', 'nft', 'proxy', 'proxy-ipvs', 'cli']) {
    const report = read(`scripts/bench/results/${subject}.md`).replace(/^# .*\n+/, '')
    t.ok(readme.includes(report.trim()), subject)
  }
})

t.test('the README tells every difference from ipvsadm', async t => {
  for (const difference of DIFFERENCES) t.ok(readme.includes(`\n- ${difference}\n`), difference)
})

t.test('what the README links to is there', async t => {
  for (const [, path = ''] of readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) t.ok(existsSync(new URL(path, root)), path)
})

t.test('the two commands stand at the top', async t => {
  const top = readme.split('\n').slice(0, 12).join('\n')
  t.match(top, /npm start/)
  t.match(top, /npm test/)
})
