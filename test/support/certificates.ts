/** A certificate authority of its own, and certificates from it, as PEM files made by openssl. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from './run-command.ts'

export interface Certificate {
  readonly certFile: string
  /** PKCS #8. */
  readonly keyFile: string
  readonly cert: string
  readonly key: string
}

export interface Authority {
  readonly caFile: string
  readonly ca: string
  /** `hosts` are DNS names and IP addresses; the common name is `name`. Good for servers and clients. */
  issue(name: string, hosts?: readonly string[]): Promise<Certificate>
}

const openssl = (args: readonly string[]): Promise<string> =>
  runCommand('openssl', args, { install: 'install openssl (Debian: apt-get install openssl)' })

/** Makes the authority in a folder. */
export async function createAuthority(directory: string): Promise<Authority> {
  const caFile = join(directory, 'ca.crt')
  const caKey = join(directory, 'ca.key')
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=streambridge-test-ca']
  await openssl([...request, '-keyout', caKey, '-out', caFile])
  return {
    caFile,
    ca: readFileSync(caFile, 'utf8'),
    async issue(name, hosts = []) {
      const [certFile, keyFile, signing, extensions] = ['crt', 'key', 'csr', 'ext'].map((kind) =>
        join(directory, `${name}.${kind}`),
      ) as [string, string, string, string]
      const names = hosts.map((host) => `${/^[0-9.]+$/.test(host) ? 'IP' : 'DNS'}:${host}`)
      writeFileSync(extensions, names.length === 0 ? '\n' : `subjectAltName=${names.join(',')}\n`)
      const subject = ['-subj', `/CN=${name}`, '-keyout', keyFile, '-out', signing]
      await openssl(['req', '-newkey', 'rsa:2048', '-nodes', ...subject])
      const authority = ['-CA', caFile, '-CAkey', caKey, '-CAcreateserial', '-days', '30', '-extfile', extensions]
      await openssl(['x509', '-req', '-in', signing, '-out', certFile, ...authority])
      return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') }
    },
  }
}
