/**
 * The subcommands, declared once: `--help`, the man page and the shells' completions are made from this. What they do lies in commands/,
 * a file each, loaded when it is called for.
 */
import { Command, CommanderError, Option } from 'commander'
import type { IpvsClient } from '../ipvs/index.js'
import { type Io, type Output, USAGE } from './io.js'
import { ipvsadmHelp } from './ipvsadm/usage.js'
import { parseNetns } from './words.js'

/** Columns for a text that is to be read; a serial console may say that it has 0. */
const widthOf = (output: Output): number => output.columns || 80

/** Options that every subcommand with a kernel has. */
export interface CommonOptions {
  readonly netns?: string
  readonly json?: true
}

const netns = (): Option => new Option('--netns <namespace>', 'network namespace: name as in `ip netns`, path, or process id')
const json = (): Option => new Option('--json', 'print JSON')
const file = (): Option =>
  new Option('-f, --file <file>', 'virtual servers, in YAML or JSON; - is the standard input').makeOptionMandatory()
const prune = (): Option =>
  new Option('--prune', 'also remove virtual servers that an earlier apply made here and the file no longer has')
const state = (): Option =>
  new Option('--state <file>', 'where apply keeps what it has made (default: a file below /run/ts-ipvs for each namespace)')

/** A client in the namespace that the options name. */
export function openClient(io: Io, { netns }: CommonOptions): Promise<IpvsClient> {
  return io.open(netns === undefined ? {} : { netns: parseNetns(netns) })
}

/** The program with all its subcommands. `done` gets the exit status of the one that ran. */
export function makeProgram(io: Io, done: (status: number) => void = () => {}): Command {
  const program = new Command('ts-ipvs')
    .description("Linux's in-kernel load balancer, IPVS: ipvsadm's options, and subcommands")
    .usage("[--netns <namespace>] <subcommand> …\n       ts-ipvs [--netns <namespace>] <ipvsadm's options>")
    .addOption(netns())
    .addHelpText(
      'after',
      ({ command }) => `\n${ipvsadmHelp(Object.assign(command.createHelp(), { helpWidth: widthOf(io.stdout) }))}`,
    )
    .exitOverride()
    .configureOutput({
      writeOut: text => void io.stdout.write(text),
      writeErr: text => void io.stderr.write(text),
      getOutHelpWidth: () => widthOf(io.stdout),
      getErrHelpWidth: () => widthOf(io.stderr),
    })
    .showSuggestionAfterError()
    .enablePositionalOptions()

  const run =
    <A extends unknown[]>(load: () => Promise<(io: Io, ...parameters: A) => Promise<number>>) =>
    async (...given: unknown[]): Promise<void> => {
      const command = given.pop() as Command
      const parameters = [...given.slice(0, -1), command.optsWithGlobals()] as A
      done(await (await load())(io, ...parameters))
    }

  program
    .command('apply')
    .description('make the kernel as a file says, without a gap: additions first, removals last')
    .addOption(file())
    .option('--dry-run', 'print what would be done, and do nothing')
    .addOption(prune())
    .addOption(state())
    .addOption(json())
    .action(run(async () => (await import('./commands/apply.js')).apply))

  program
    .command('diff')
    .description('print what apply would do; status 1 when that is something')
    .addOption(file())
    .addOption(prune())
    .addOption(state())
    .addOption(json())
    .action(run(async () => (await import('./commands/apply.js')).diff))

  program
    .command('save')
    .description('print everything that is configured')
    .addOption(
      new Option('--format <format>', 'for apply: yaml or json; for -R: ipvsadm')
        .choices(['yaml', 'json', 'ipvsadm'])
        .default('yaml'),
    )
    .action(run(async () => (await import('./commands/save.js')).save))

  program
    .command('drain')
    .description('take a real server out of service without breaking its connections')
    .argument('<virtual-server>', 'as tcp:10.0.0.1:80, udp:[2001:db8::1]:53, fwmark:7 or fwmark:7:ipv6')
    .argument('<real-server>', 'as 10.1.0.1:8080')
    .option('--timeout <time>', 'how long to wait for connections to end', '300s')
    .option('--interval <time>', 'between two looks', '1s')
    .option('--keep', 'when the time is up: leave it with weight 0 instead of removing it')
    .addOption(json())
    .action(run(async () => (await import('./commands/drain.js')).drain))

  program
    .command('watch')
    .description('print changes of the tables, one a line, until it is interrupted')
    .option('--interval <time>', 'between two looks', '1s')
    .option('--initial', 'begin with what is there')
    .addOption(json())
    .action(run(async () => (await import('./commands/watch.js')).watch))

  program
    .command('top')
    .description(
      'rates and connections, live; ? tells the keys, q quits. On no terminal it is a table. Rates are differences between two looks, ' +
        "at the beginning the kernel's own averages; the kernel counts every 2 s",
    )
    .option('--interval <time>', 'between two looks', '2s')
    .addOption(
      new Option(
        '--sort <column>',
        'begin with the rows that have most of it; connections, packets and bytes are those of a second',
      )
        .choices(['name', 'active', 'inactive', 'connections', 'in-packets', 'out-packets', 'in-bytes', 'out-bytes'])
        .default('connections'),
    )
    .option('--iterations <n>', 'end after so many looks (default: never on a terminal, 1 elsewhere)')
    .action(run(async () => (await import('./commands/top.js')).top))

  program
    .command('doctor')
    .description(
      'tell what IPVS lacks here, and the command that mends it; status 1 when IPVS can not be used. It tries every scheduler with ' +
        'a virtual server for a firewall mark that no packet has: the kernel may load modules for that',
    )
    .addOption(json())
    .action(run(async () => (await import('./commands/doctor.js')).doctor))

  program
    .command('nft')
    .description(
      'nftables: `list` prints the ruleset as nft does; `apply` carries out a document of libnftables JSON as one transaction, and `check` ' +
        'only tries it; `diff` prints what would make the tables of a document of those that are there, with status 1 when that is ' +
        'something; `watch` prints changes, one a line, until it is interrupted',
    )
    .addArgument(program.createArgument('<action>').choices(['list', 'apply', 'check', 'diff', 'watch']))
    .argument('[file]', 'the document of apply, check and diff; - is the standard input')
    .addOption(
      new Option('--family <family>', 'list and watch only tables of this family').choices([
        ...['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev'],
      ]),
    )
    .option('--table <table>', 'list and watch only tables of this name')
    .addOption(json())
    .action(run(async () => (await import('./nft/index.js')).nft))

  program
    .command('proxy')
    .description(
      'Kubernetes Services for real traffic, by nftables: `run`, the default, keeps the kernel as the source says until it is interrupted; ' +
        '`explain` tells what becomes of a connection, from the source alone, or from the kernel where none is given: explain --from IP ' +
        'tcp|udp|sctp ADDRESS:PORT; `plan` prints what would be changed; `cleanup` removes what a proxy made',
    )
    .addArgument(program.createArgument('[action]').choices(['run', 'explain', 'plan', 'cleanup']))
    .argument('[words...]', 'of explain: tcp, udp or sctp, and ADDRESS:PORT')
    .addOption(
      new Option(
        '--source <source>',
        'where Services come from; kubernetes, an API server, gives addresses and endpoints itself, for the others that is done here',
      )
        .choices(['directory', 'kubernetes', 'etcd'])
        .default('directory'),
    )
    .option('--manifests <path>', 'directory of manifests in YAML or JSON, or a file: Services, EndpointSlices, Pods, Nodes')
    .option('--kubeconfig <file>', 'of the API server (default: KUBECONFIG, the service account of a pod, ~/.kube/config)')
    .option('--context <name>', 'of the kubeconfig (default: its current one)')
    .option('--etcd-endpoints <urls>', 'members of etcd as https://10.0.0.1:2379, with commas')
    .option('--etcd-prefix <prefix>', 'what keys begin with; each has the manifest of one object (default: /ts-ipvs/)')
    .option('--etcd-ca <file>', 'certificates of the authorities that the certificates of etcd are of')
    .option('--etcd-cert <file>', 'certificate for etcd')
    .option('--etcd-key <file>', 'key of that certificate')
    .option('--etcd-user <name>', 'user of etcd')
    .option('--etcd-password-file <file>', 'file with the password of that user')
    .option('--node <name>', 'name of this node (default: that of the machine)')
    .option('--cluster-cidr <ranges>', 'addresses of pods, with commas; without it nobody is known to be a pod')
    .option(
      '--service-cidr <ranges>',
      'addresses of Services, one range of each family; Services without an address get one from it',
    )
    .option('--masquerade-all', "endpoints see the node's address instead of every client's")
    .option(
      '--nodeport-addresses <ranges>',
      "which of the node's addresses serve node ports (default: primary, one of each family)",
    )
    .option('--lb-pool <ranges>', 'addresses for Services of type LoadBalancer')
    .addOption(
      new Option(
        '--backend <backend>',
        'what gives connections to endpoints; auto is IPVS where the kernel has it, else nftables',
      )
        .choices(['auto', 'ipvs', 'nftables'])
        .default('auto'),
    )
    .option('--once', 'end after the first sync; status 1 when something is wrong with what the source has')
    .option('--state <file>', 'where it is kept which addresses Services were given (default: /run/ts-ipvs/proxy.json)')
    .option('--metrics-bind <address:port>', 'serve /metrics to Prometheus there')
    .option('--health-bind <address:port>', 'serve /healthz and /livez there; kube-proxy has them at 0.0.0.0:10256')
    .option(
      '--drain-timeout <time>',
      'how long TCP and SCTP connections go on to endpoints that are gone, or never to end them (default: 300s)',
    )
    .option('--from <address>', 'of explain: the client')
    .option(
      '--kernel',
      'of explain: read the tables in the kernel; status 1 where the source, if one is given, says something else',
    )
    .addOption(json())
    .action(run(async () => (await import('./proxy/index.js')).proxy))

  program
    .command('schema')
    .description('print the JSON Schema of the files that apply takes')
    .action(run(async () => (await import('./commands/schema.js')).schema))

  program
    .command('completion')
    .description('print a script that completes this command line in a shell')
    .addArgument(program.createArgument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action(run(async () => (await import('./commands/completion.js')).completion))

  for (const command of program.commands) if (!['schema', 'completion'].includes(command.name())) command.addOption(netns())
  return program
}

export async function runSubcommand(argv: readonly string[], io: Io): Promise<number> {
  let status = 0
  const program = makeProgram(io, result => {
    status = result
  })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return status
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? 0 : USAGE
  }
}
