/** Reads the Secrets that a spec names, each by its name. No value leaves this module, only a keyed hash. */
import { type Key, type KubeApi, KubeError } from '../../kube/api.ts'
import { type StreamBridge, secrets } from '../../kube/resources.ts'
import { secretChecksum } from './secret-checksum.ts'
import type { Observed, SecretView } from './observed.ts'
import { keysBySecret, secretRefs } from '../desired/secret-refs.ts'

/** Milliseconds: a rotated Secret is noticed within a minute. */
const secretsMaxAge = 30_000

export interface SecretOptions {
  readonly kube: KubeApi
  /** Of the keyed hash. */
  readonly checksumKey: Buffer
}

async function readSecret(
  options: SecretOptions,
  key: Required<Key>,
  uid: string,
  keys: readonly string[],
): Promise<SecretView> {
  try {
    const secret = await options.kube.get(secrets, key)
    if (secret === undefined) return { kind: 'missing' }
    const data = secret.data ?? {}
    const checksum = secretChecksum({ key: options.checksumKey, uid }, key.name, keys, data)
    return { kind: 'found', keys: Object.keys(data), checksum }
  } catch (error) {
    if (!(error instanceof KubeError)) throw error
    return { kind: 'unreadable', message: `reading Secret "${key.name}" failed: ${error.message}` }
  }
}

async function readSecrets(options: SecretOptions, stored: StreamBridge): Promise<Observed['secrets']> {
  const { namespace = '', uid = '' } = stored.metadata
  const wanted = keysBySecret(secretRefs(stored.spec))
  const views = [...wanted].map(
    async ([name, keys]) => [name, await readSecret(options, { namespace, name }, uid, keys)] as const,
  )
  return new Map(await Promise.all(views))
}

/** A missing key is read again each time: the bridge waits for it. */
const hasAllKeys = ({ refs, secrets: views }: Observed): boolean =>
  refs.every(({ name, key }) => {
    const view = views.get(name)
    return view?.kind === 'found' && view.keys.includes(key)
  })

type Views = Pick<Observed, 'secrets' | 'secretsAt'>

/** What was read before, where it is complete and not too old; otherwise read again. `now`: on the monotonic clock. */
export async function secretsOf(
  options: SecretOptions,
  stored: StreamBridge,
  before: Observed | undefined,
  now: number,
): Promise<Views> {
  const good = before !== undefined && hasAllKeys(before) && now - before.secretsAt < secretsMaxAge
  if (good) return { secrets: before.secrets, secretsAt: before.secretsAt }
  return { secrets: await readSecrets(options, stored), secretsAt: now }
}
