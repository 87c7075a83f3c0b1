/** Which source the command line names. */
import { readFile } from 'node:fs/promises'
import { kubernetesSource } from '../../source/api-server/source.js'
import { directorySource } from '../../source/directory.js'
import { etcdSource } from '../../source/etcd/source.js'
import type { Source } from '../../source/source.js'
import { CommandError } from '../io.js'
import { clusterOptions, type ProxyOptions } from './options.js'

/** Options that are of one source alone. */
const OF = {
  directory: ['manifests'],
  kubernetes: ['kubeconfig', 'context'],
  etcd: ['etcdEndpoints', 'etcdPrefix', 'etcdCa', 'etcdCert', 'etcdKey', 'etcdUser', 'etcdPasswordFile'],
} as const

/** Whether anything is said of where Services come from. */
export const hasSource = (options: ProxyOptions): boolean =>
  options.source !== 'directory' || Object.values(OF).some(names => names.some(name => options[name] !== undefined))

/** Throws a `CommandError` that names the option where one is missing, wrong, or of another source. */
export async function sourceOf(options: ProxyOptions): Promise<Source> {
  for (const source of ['directory', 'kubernetes', 'etcd'] as const)
    for (const name of OF[source])
      if (options[name] !== undefined && source !== options.source)
        throw new CommandError(`${flagOf(name)} is an option of --source ${source}, and the source is ${options.source}`)
  switch (options.source) {
    case 'directory': {
      const { manifests } = options
      if (manifests === undefined) throw new CommandError('--manifests is missing: give a directory of manifests, or a file')
      return directorySource({ path: manifests })
    }
    case 'kubernetes': {
      const { kubeconfig, context } = options
      return kubernetesSource({ kubeconfig, context, node: clusterOptions(options).node })
    }
    case 'etcd':
      return etcdOf(options)
  }
}

/** `--etcd-ca` of `etcdCa` */
const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`

async function etcdOf({
  etcdEndpoints,
  etcdPrefix,
  etcdCa,
  etcdCert,
  etcdKey,
  etcdUser,
  etcdPasswordFile,
}: ProxyOptions): Promise<Source> {
  const password = etcdPasswordFile === undefined ? undefined : await passwordIn(etcdPasswordFile)
  const access = { ca: etcdCa, cert: etcdCert, key: etcdKey, user: etcdUser, password }
  try {
    return etcdSource({ endpoints: etcdEndpoints?.split(',') ?? [], prefix: etcdPrefix, ...access })
  } catch (error) {
    // It names the option as the API does.
    throw new CommandError(`--etcd-${(error as Error).message.replace(/^password /, 'password-file ')}`)
  }
}

/** Its first line. */
async function passwordIn(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).split(/\r?\n/, 1)[0] ?? ''
  } catch (error) {
    throw new CommandError(`--etcd-password-file can not be read: ${(error as Error).message}`)
  }
}
