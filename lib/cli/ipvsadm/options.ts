/** ipvsadm's options. */

export interface OptionSpec {
  /** Long name, without dashes. */
  readonly name: string
  /** One character, without a dash. */
  readonly short?: string
  readonly argument?: { readonly name: string; readonly optional?: true }
  /** `command`: comes first, and once. `service`: names a virtual server. `daemon-option`: of a synchronisation daemon. */
  readonly kind: 'command' | 'service' | 'option' | 'daemon-option'
  readonly help: string
}

export const OPTIONS: readonly OptionSpec[] = [
  { name: 'add-service', short: 'A', kind: 'command', help: 'add a virtual server' },
  { name: 'start-daemon', argument: { name: 'role' }, kind: 'command', help: 'start a synchronisation daemon: master or backup' },
  { name: 'tcp-service', short: 't', argument: { name: 'host[:port]' }, kind: 'service', help: 'a virtual server of TCP' },
  { name: 'scheduler', short: 's', argument: { name: 'scheduler' }, kind: 'option', help: 'how to choose real servers (wlc)' },
  {
    name: 'persistent',
    short: 'p',
    argument: { name: 'seconds', optional: true },
    kind: 'option',
    help: "keep a client's server",
  },
  { name: 'syncid', argument: { name: 'id' }, kind: 'daemon-option', help: 'number of a group of daemons, 0 to 255 (0)' },
]
