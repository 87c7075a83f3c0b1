/** The man page, in roff's man macros (groff_man(7)), from what `--help` is made of. The build writes it to dist/cli/ts-ipvs.8. */
import type { Command } from 'commander'
import type { Io } from './io.js'
import { DIFFERENCES } from './ipvsadm/differences.js'
import { OPTIONS } from './ipvsadm/options.js'
import { KINDS, optionTerm } from './ipvsadm/usage.js'
import { makeProgram } from './program.js'

export function manPage(io: Io, { version, date }: { readonly version: string; readonly date: Date }): string {
  const program = makeProgram(io)
  const lines = [
    `.TH TS\\-IPVS 8 "${date.toISOString().slice(0, 10)}" "ts\\-ipvs ${version}" "System Administration"`,
    ...section('NAME', ["ts\\-ipvs \\- Linux's in\\-kernel load balancer, IPVS, from the command line"]),
    ...section('SYNOPSIS', synopsis(program)),
    ...section('DESCRIPTION', DESCRIPTION.flatMap(paragraph)),
    ...section("IPVSADM'S OPTIONS", ipvsadmOptions()),
    ...section('SUBCOMMANDS', subcommandsOf(program).flatMap(subcommand)),
    ...section('FILES', FILES.flatMap(entry)),
    ...section('EXIT STATUS', EXIT_STATUS.flatMap(entry)),
    ...section('ENVIRONMENT', ENVIRONMENT.flatMap(entry)),
    ...section(
      'DIFFERENCES FROM IPVSADM',
      DIFFERENCES.flatMap(text => ['.IP \\(bu 2', roff(text)]),
    ),
    ...section('SEE ALSO', [SEE_ALSO.map(page => `.BR ${page.replace('(', ' (')}`).join(' ,\n')]),
  ]
  return `${lines.join('\n')}\n`
}

/** A term, and what is to be said of it. */
type Entry = readonly [term: string, text: string]

const DESCRIPTION: readonly string[] = [
  'IPVS balances TCP, UDP and SCTP connections inside the kernel. A virtual server is an address, port and protocol, or a firewall mark, at which the kernel takes connections; each goes to one of its real servers, which a scheduler chooses.',
  'Where the first word is an option, or there is none, ts-ipvs takes the command line of ipvsadm: the same options, output, messages and exit status. Called by the name ipvsadm, through a link, it takes the place of that program. Where the first word is none, it is a subcommand.',
  'It needs CAP_NET_ADMIN in the initial user namespace, and the kernel module ip_vs. `ts-ipvs doctor` tells what is missing.',
]

const FILES: readonly Entry[] = [
  [
    '/run/ts-ipvs',
    'What `ts-ipvs apply` has made, a file for each network namespace, so that --prune removes nothing else. Void after a reboot.',
  ],
  ['/run/netns', 'The network namespaces that have a name, for --netns.'],
]

const EXIT_STATUS: readonly Entry[] = [
  ['0', 'All was done. `diff`: there is no difference.'],
  [
    '1',
    'The kernel refused, or something was not found. `diff`: there are differences. -R: some lines are bad; the others were carried out.',
  ],
  [
    '2',
    "The command line or a file is wrong, and nothing was done. `diff`: anything that failed. ipvsadm's options: IPVS can not be used.",
  ],
  ['255', "ipvsadm's options: the kernel refused a change, or there is no such option."],
  ['141', 'Nobody reads the output any more.'],
  [
    '128+n',
    'As a shell tells it: ended by signal n. Node.js does not know of signals that were to be ignored, so that nohup(1) does not keep SIGHUP away: setsid(1) does.',
  ],
]

const ENVIRONMENT: readonly Entry[] = [
  [
    'NO_COLOR',
    'When it is set and not empty, nothing is coloured. Without it there are colours on a terminal that knows them (TERM).',
  ],
  [
    'NODE_DEBUG',
    'With the value ts-ipvs every message to the kernel and from it is printed on the standard error, and errors tell where they come from.',
  ],
]

const SEE_ALSO: readonly string[] = ['ipvsadm(8)', 'ip-netns(8)', 'modprobe(8)', 'capabilities(7)']

function section(title: string, lines: readonly string[]): string[] {
  return [`.SH ${title.includes(' ') ? `"${title}"` : title}`, ...(lines[0] === '.PP' ? lines.slice(1) : lines)]
}

function paragraph(text: string): string[] {
  return ['.PP', roff(text)]
}

function entry([term, text]: Entry): string[] {
  return ['.TP', `.B ${literal(term)}`, roff(text)]
}

function synopsis(program: Command): string[] {
  const lines = program
    .usage()
    .split('\n')
    .map(line => line.replace(program.name(), '').trim())
  return lines.flatMap(line => ['.PP', `.B ${literal(program.name())}`, roff(line)])
}

function ipvsadmOptions(): string[] {
  return KINDS.flatMap(({ kind, title }) => [
    `.SS "${roff(title)}"`,
    ...OPTIONS.filter(option => option.kind === kind).flatMap(option => entry([optionTerm(option), option.help])),
  ])
}

/** Those that `--help` lists. */
export function subcommandsOf(program: Command): readonly Command[] {
  return program.createHelp().visibleCommands(program)
}

function subcommand(command: Command): string[] {
  const help = command.createHelp()
  const describe = (term: string, text: string): string[] => entry([term, sentence(text)])
  return [
    `.SS ${literal(help.subcommandTerm(command))}`,
    roff(sentence(help.commandDescription(command))),
    ...help.visibleArguments(command).flatMap(part => describe(help.argumentTerm(part), help.argumentDescription(part))),
    ...help.visibleOptions(command).flatMap(part => describe(help.optionTerm(part), help.optionDescription(part))),
  ]
}

/** Help texts begin small and end without a full stop. */
function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

/** Words that are typed: each hyphen is one. */
function literal(text: string): string {
  return encode(text).replaceAll('-', '\\-')
}

/** Prose; `backquotes` stand around what is typed. */
function roff(text: string): string {
  return encode(text)
    .replaceAll(/`([^`]*)`/g, (_, typed: string) => `\\fB${typed.replaceAll('-', '\\-')}\\fR`)
    .replaceAll(/(?<![\w\\-])--?\w[\w-]*/g, option => option.replaceAll('-', '\\-'))
}

/** Roff's own characters, and those that are not in ASCII: a line may not begin with a dot or an apostrophe. */
function encode(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll(/[^\n -~]/g, char => `\\[u${char.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`)
    .replaceAll(/^(?=[.'])/gm, '\\&')
}
