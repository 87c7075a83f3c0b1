/** Certificates for tests: an authority, one for a server at 127.0.0.1 and one for a client, and an authority that nobody trusts. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Pair {
  readonly cert: string
  readonly key: string
}

export interface Authority {
  readonly ca: string
  readonly other: string
  readonly server: Pair
  readonly client: Pair
}

const NEW = 'req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'.split(' ')

/** Makes them in a folder. Returns the files. */
export function authority(folder: string): Authority {
  const openssl = (...args: readonly string[]): void =>
    void execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const file = (name: string): string => join(folder, name)
  const pair = (name: string): Pair => ({ cert: file(`${name}.crt`), key: file(`${name}.key`) })
  const self = (name: string): string => {
    const { cert, key } = pair(name)
    openssl(
      ...NEW,
      '-x509',
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-addext',
      'basicConstraints=CA:TRUE',
      '-keyout',
      key,
      '-out',
      cert,
    )
    return cert
  }
  const [ca, other] = [self('ca'), self('other')]
  writeFileSync(file('san'), 'subjectAltName=IP:127.0.0.1')
  const signed = (name: string): Pair => {
    const { cert, key } = pair(name)
    openssl(...NEW, '-subj', `/CN=${name}`, '-keyout', key, '-out', file('csr'))
    const by = ['-CA', ca, '-CAkey', pair('ca').key, '-CAcreateserial']
    openssl('x509', '-req', '-in', file('csr'), ...by, '-days', '2', '-extfile', file('san'), '-out', cert)
    return { cert, key }
  }
  return { ca, other, server: signed('server'), client: signed('client') }
}
