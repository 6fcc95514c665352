/** The random key of the hashes that reveal a changed Secret: made at the first start, kept in a Secret of the operator's namespace. */
import { type KubeApi, KubeError } from '../../kube/api.ts'
import { type Secret, secrets } from '../../kube/resources.ts'
import { managedBy } from '../desired/labels.ts'

const name = 'streambridge-operator-hash-key'

async function stored(kube: KubeApi, namespace: string): Promise<Buffer | undefined> {
  const secret = await kube.get(secrets, { namespace, name })
  if (secret === undefined) return undefined
  const key = Buffer.from(secret.data?.['key'] ?? '', 'base64')
  if (key.length < 32) throw new Error(`Secret "${name}" in namespace ${namespace} has no usable key: delete it`)
  return key
}

/** `random` makes so many unguessable bytes. Several operators that start at once agree on the first one's key. */
export async function checksumKey(
  kube: KubeApi,
  namespace: string,
  random: (bytes: number) => Buffer,
): Promise<Buffer> {
  const known = await stored(kube, namespace)
  if (known !== undefined) return known
  const secret: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels: managedBy },
    immutable: true,
    data: { key: random(32).toString('base64') },
  }
  try {
    await kube.create(secrets, secret)
  } catch (error) {
    if (!(error instanceof KubeError) || error.reason !== 'AlreadyExists') throw error
  }
  const agreed = await stored(kube, namespace)
  if (agreed === undefined) throw new Error(`Secret "${name}" in namespace ${namespace} was deleted while it was made`)
  return agreed
}
