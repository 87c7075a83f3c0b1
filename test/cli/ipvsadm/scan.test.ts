import t from 'tap'
import { type Option, ScanError, Scanner } from '../../../lib/cli/ipvsadm/scan.js'

/** What is read: `name` or `name=argument`, and what is left. */
function scan(...words: string[]): string {
  const scanner = new Scanner(words)
  const read: string[] = []
  for (let option: Option | undefined = scanner.next(); option; option = scanner.next())
    read.push(option.argument === undefined ? option.spec.name : `${option.spec.name}=${option.argument}`)
  return [...read, ...(scanner.leftovers.length > 0 ? ['|', ...scanner.leftovers] : [])].join(' ')
}

t.test('options are found however they are written', async t => {
  for (const [words, expected] of [
    [['-L', '-n'], 'list numeric'],
    [['-Ln'], 'list numeric'],
    [['-l'], 'list'],
    [['--list', '--numeric'], 'list numeric'],
    [['-At', '1.2.3.4:80'], 'add-service tcp-service=1.2.3.4:80'],
    [['-At1.2.3.4:80'], 'add-service tcp-service=1.2.3.4:80'],
    [['-At=1.2.3.4:80'], 'add-service tcp-service=1.2.3.4:80'],
    [['--tcp-service=1.2.3.4:80'], 'tcp-service=1.2.3.4:80'],
    [['--tcp-service', '1.2.3.4:80'], 'tcp-service=1.2.3.4:80'],
    [['--tcp-service='], 'tcp-service='],
    [['-w', '-1'], 'weight=-1'],
    [['-p'], 'persistent'],
    [['-p', '300'], 'persistent=300'],
    [['-p', '-n'], 'persistent numeric'],
    [['-p300'], 'persistent=300'],
    [['-pn'], 'persistent=n'],
    [['--persistent=300', '-n'], 'persistent=300 numeric'],
    [['-L', 'word', '-n'], 'list numeric | word'],
    [['-L', '-'], 'list | -'],
    [['-L', ''], 'list | '],
    [['-L', '--', '-n'], 'list | -n'],
    [['-t', '--', '-n'], 'tcp-service=-- numeric'],
  ] as const)
    t.equal(scan(...words), expected, words.join(' '))
})

t.test('what is wrong is told with the word that it stands in', async t => {
  for (const [words, message] of [
    [['-Lq'], '-Lq: unknown option'],
    [['-L-n'], '-L-n: unknown option'],
    [['--foo=bar'], '--foo=bar: unknown option'],
    [['--numer'], '--numer: unknown option'],
    [['---'], '---: unknown option'],
    [['-Ln=5'], '-Ln=5: option does not take an argument'],
    [['--numeric=1'], '--numeric=1: option does not take an argument'],
    [['-Lt'], '-Lt: missing argument'],
    [['--tcp-service'], '--tcp-service: missing argument'],
  ] as const)
    t.throws(() => scan(...words), new ScanError(...(message.split(': ') as [string, string])), words.join(' '))
})
