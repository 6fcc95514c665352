/** Certificates and keys out of Secrets, looked at before they are used: where a connection fails for them, nobody can tell which. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { BridgeError } from '../../../core/errors.ts'

export interface TlsFile {
  readonly what: 'certificate' | 'private key'
  /** Its path in the manifest. */
  readonly field: string
  readonly ref: { readonly name: string; readonly key: string } | undefined
  /** Absent where the manifest names none. */
  readonly pem: Buffer | undefined
}

/**
 * Throws a fatal BridgeError that names field, Secret and key of what cannot be read, and of a private key that is not the
 * one of the certificate before it. Quotes nothing of them, and gives no cause.
 */
export function checkTls(files: readonly TlsFile[]): void {
  let certificate: X509Certificate | undefined
  for (const file of files) {
    if (file.pem === undefined) continue
    const { pem } = file
    if (file.what === 'certificate') {
      certificate = readable(file, () => new X509Certificate(pem))
      continue
    }
    const key = readable(file, () => createPrivateKey(pem))
    if (certificate?.checkPrivateKey(key) === false)
      throw invalid(file, 'is not the private key of the certificate beside it: take both from one pair')
  }
}

function readable<T>(file: TlsFile, read: () => T): T {
  try {
    return read()
  } catch {
    throw invalid(file, `has ${file.pem?.length ?? 0} bytes and is no whole PEM ${file.what}: it may be cut short`)
  }
}

const invalid = ({ field, ref }: TlsFile, problem: string): BridgeError =>
  new BridgeError(`${field}: Secret "${ref?.name}" key "${ref?.key}" ${problem}`, {
    kind: 'fatal',
    reason: 'InvalidConfiguration',
  })
