/** What a Secret of a manifest holds. Nothing of it is ever quoted: not by an error either. */
import { type Manifest, ManifestError } from './manifests.ts'

export const isSecret = ({ object }: Manifest): boolean => object['kind'] === 'Secret'

const name = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/
/** As Kubernetes has it; two dots at the beginning lead out of the folder, or to what a volume keeps for itself. */
const key = /^(?!\.\.)[-._a-zA-Z0-9]{1,253}$/
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

export interface SecretData {
  readonly name: string
  readonly data: ReadonlyMap<string, Buffer>
}

/**
 * As the API server reads it: `stringData` wins over `data`.
 * *Errors*: ManifestError with file, Secret and key, where the API server would refuse it.
 */
export function secretData({ file, document, object }: Manifest): SecretData {
  const called = (object['metadata'] as { readonly name?: unknown } | null | undefined)?.name
  const refuse = (what: string): never => {
    throw new ManifestError(`${file}: document ${document}: ${what}`)
  }
  if (typeof called !== 'string' || !name.test(called))
    return refuse('a Secret needs a metadata.name of lower case letters, digits, dashes and dots')
  const entries = (field: 'data' | 'stringData'): [string, string][] => {
    const map = object[field] ?? {}
    if (typeof map !== 'object' || Array.isArray(map)) return refuse(`Secret "${called}": ${field} is no map of texts`)
    // In a broken manifest a value can stand where a key belongs: keys are counted, not named.
    return Object.entries(map).map(([at, value], index) => {
      const place = `Secret "${called}": entry ${index + 1} of ${field}`
      if (!key.test(at)) return refuse(`${place} has a key of more than letters, digits, -, _ and .`)
      if (value === null) return [at, '']
      if (typeof value !== 'string') return refuse(`${place} is no text: put it in quotes`)
      const text = field === 'data' ? value.replaceAll(/[\r\n]/g, '') : value
      if (field === 'data' && !base64.test(text))
        return refuse(`${place} is no base64; write plain text under stringData instead`)
      return [at, text]
    })
  }
  const decoded = ([at, value]: [string, string]): [string, Buffer] => [at, Buffer.from(value, 'base64')]
  const plain = ([at, value]: [string, string]): [string, Buffer] => [at, Buffer.from(value)]
  return { name: called, data: new Map([...entries('data').map(decoded), ...entries('stringData').map(plain)]) }
}
