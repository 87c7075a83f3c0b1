/** `ts-ipvs save`: everything that is configured. */
import {
  formatRules,
  type IpvsClient,
  type Snapshot,
  type SyncDaemonConfig,
  sortVirtualServers,
  type Timeouts,
} from '../../ipvs/index.js'
import { configurationOf } from '../document/saved.js'
import { formatConfiguration } from '../document/write.js'
import { FAILURE, type Io, SUCCESS, write } from '../io.js'
import { MAXIMUM_TIMEOUT } from '../ipvsadm/entry.js'
import { type CommonOptions, openClient } from '../program.js'

export interface SaveOptions extends CommonOptions {
  readonly format: 'yaml' | 'json' | 'ipvsadm'
}

/** Status 1 when something is missing from what was printed. */
export async function save(io: Io, options: SaveOptions): Promise<number> {
  await using lvs = await openClient(io, options)
  return await saveFrom(lvs, options.format, io)
}

export async function saveFrom(lvs: IpvsClient, format: SaveOptions['format'], io: Io): Promise<number> {
  const snapshot = await lvs.snapshot()
  const { text, lost } = format === 'ipvsadm' ? formatCommands(snapshot) : formatFile(snapshot, format)
  await write(io.stdout, text)
  for (const what of lost) await write(io.stderr, `${io.program}: not saved: ${what}\n`)
  if (!snapshot.consistent) await write(io.stderr, `${io.program}: others kept changing the tables: something may be missing\n`)
  return lost.length > 0 || !snapshot.consistent ? FAILURE : SUCCESS
}

interface Text {
  readonly text: string
  readonly lost: readonly string[]
}

function formatFile(snapshot: Snapshot, format: 'yaml' | 'json'): Text {
  const { configuration, lost } = configurationOf({ ...snapshot, virtualServers: sortVirtualServers(snapshot.virtualServers) })
  return { text: formatConfiguration(configuration, format), lost }
}

/** For `ipvsadm -R`, or `ts-ipvs -R`. */
function formatCommands({ timeouts, syncDaemons, virtualServers }: Snapshot): Text {
  const { text, lost } = formatRules(virtualServers, { lossless: true })
  const set = setCommand(timeouts)
  const lines = [set.text, ...syncDaemons.map(startCommand), ...(text === '' ? [] : [text])]
  return { text: `${lines.join('\n')}\n`, lost: [...set.lost, ...lost] }
}

/** What ipvsadm refuses becomes 0, which leaves it as it is: a line that is refused would end the whole restore. */
function setCommand({ tcp, tcpFin, udp }: Timeouts): Text {
  const values = Object.entries({ tcp, tcpFin, udp })
  return {
    text: `--set ${values.map(([, seconds]) => (seconds > MAXIMUM_TIMEOUT ? 0 : seconds)).join(' ')}`,
    lost: values
      .filter(([, seconds]) => seconds > MAXIMUM_TIMEOUT)
      .map(([name, seconds]) => `--set: the time-out ${name} ${seconds}, for ipvsadm takes at most ${MAXIMUM_TIMEOUT} seconds`),
  }
}

function startCommand({ role, interface: name, syncId, maximumLength, group, port, ttl }: SyncDaemonConfig): string {
  return [
    `--start-daemon ${role} --mcast-interface ${name} --syncid ${syncId}`,
    ...(maximumLength ? [`--sync-maxlen ${maximumLength}`] : []),
    ...(group ? [`--mcast-group ${group}`] : []),
    ...(port ? [`--mcast-port ${port}`] : []),
    ...(ttl ? [`--mcast-ttl ${ttl}`] : []),
  ].join(' ')
}
