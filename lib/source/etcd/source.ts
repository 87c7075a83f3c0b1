/** etcd as a source: a manifest of one object at each key below a prefix. */
import { Feed } from '../feed.js'
import type { Source } from '../source.js'
import type { EtcdAccess } from './access.js'
import { connect, loadEtcd3 } from './connection.js'
import { KeyReader } from './reader.js'

/** Options of a source that reads etcd. */
export interface EtcdOptions extends EtcdAccess {
  /** Members, as `https://10.0.0.1:2379`: the next one is asked where one does not answer. */
  readonly endpoints: readonly string[]
  /** What the keys begin with. Default `/ts-ipvs/`. */
  readonly prefix?: string | undefined
  /**
   * Milliseconds between two questions whether a majority of the members is there still, and that an answer may take. Default 10000.
   */
  readonly heartbeat?: number | undefined
}

/**
 * Objects of etcd: the value of a key is the manifest of one, in YAML or JSON; the names of keys are free. Of an object that is at several
 * keys the one counts whose name comes first. It needs the package `etcd3`. Throws a `TypeError` that names the option for bad ones; the
 * first update rejects where the package is missing.
 */
export function etcdSource(options: EtcdOptions): Source {
  const { endpoints, prefix = '/ts-ipvs/', heartbeat = 10_000, ...access } = options
  check({ ...options, prefix })
  return {
    name: `etcd ${endpoints.join(',')}`,
    async *updates(signal) {
      const etcd3 = await loadEtcd3()
      const feed = new Feed()
      const ending = new AbortController()
      const all = AbortSignal.any([signal, ending.signal])
      const reader = new KeyReader({
        feed,
        prefix,
        endpoints,
        heartbeat,
        connect: endpoint => connect(etcd3, endpoint, access, heartbeat),
      })
      const reading = reader.run(all)
      try {
        yield* feed.updates(all)
      } finally {
        ending.abort()
        await reading
      }
    },
  }
}

function check({ endpoints, prefix, ca, cert, key, user, password }: EtcdOptions): void {
  if (endpoints.length === 0) throw new TypeError('endpoints is missing: give members as https://10.0.0.1:2379')
  for (const endpoint of endpoints)
    if (!/^https?:\/\/[^/]+$/.test(endpoint) || !URL.canParse(endpoint))
      throw new TypeError(`endpoints: ${JSON.stringify(endpoint)}: give members as https://10.0.0.1:2379`)
  if (prefix === '') throw new TypeError('prefix is empty: give what the keys begin with')
  const encrypted = endpoints.every(endpoint => endpoint.startsWith('https:'))
  for (const [name, file] of Object.entries({ ca, cert, key }))
    if (file !== undefined && !encrypted)
      throw new TypeError(`${name} is of no use without encryption: give endpoints as https://…`)
  for (const [name, one, other, needed] of [
    ['cert', cert, key, 'key'],
    ['key', key, cert, 'cert'],
    ['user', user, password, 'password'],
    ['password', password, user, 'user'],
  ] as const)
    if (one !== undefined && other === undefined) throw new TypeError(`${needed} is missing: it goes with ${name}`)
}
