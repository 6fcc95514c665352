import { streamBridges, type StreamBridge, secrets } from '../operator/kube/resources.ts'
import { type KubeApi, KubeError, type KubeObject, type Resource } from '../operator/kube/api.ts'
import { isStreamBridge, type Manifest } from './manifests.ts'
import { isSecret, secretData } from './secret-data.ts'

/** `stringData` becomes `data`, as the API server does it. */
function secretOf(manifest: Manifest, namespaced: object): object {
  const { stringData: _, ...rest } = namespaced as { readonly stringData?: unknown }
  const texts = [...secretData(manifest).data].map(([key, value]) => [key, value.toString('base64')] as const)
  return { ...rest, data: Object.fromEntries(texts) }
}

/** What a manifest means to the local cluster; undefined for kinds that it has no use for. */
function toApply(manifest: Manifest): readonly [Resource, KubeObject] | undefined {
  const { object } = manifest
  const namespaced = { ...object, metadata: { namespace: 'default', ...(object['metadata'] as object | undefined) } }
  if (isStreamBridge(manifest)) return [streamBridges, namespaced as unknown as StreamBridge]
  if (isSecret(manifest)) return [secrets, secretOf(manifest, namespaced) as KubeObject]
  return undefined
}

/** What is no kind's name is not repeated. */
const kindOf = ({ object: { kind } }: Manifest): string =>
  typeof kind === 'string' && /^[A-Z][A-Za-z]{1,62}$/.test(kind) ? `kind ${kind}` : 'a document without a kind'

const idOf = ({ kind, metadata }: KubeObject): string => `${kind.toLowerCase()}/${metadata.name}`

export interface Applied {
  readonly resource: Resource
  readonly object: KubeObject
}

/**
 * Applies manifests as `kubectl apply -f` does, Secrets first; prints one line each.
 * *Errors*: ManifestError, before anything is applied, for a Secret that a cluster would refuse.
 */
export async function applyManifests(
  kube: KubeApi,
  manifests: readonly Manifest[],
  print: (line: string) => void,
): Promise<readonly Applied[]> {
  const known = manifests.flatMap((manifest) => {
    const one = toApply(manifest)
    if (one === undefined)
      print(`${manifest.file}: document ${manifest.document}: ${kindOf(manifest)} is passed over here`)
    return one === undefined ? [] : [one]
  })
  const secretsFirst = known.toSorted(([a], [b]) => Number(a === streamBridges) - Number(b === streamBridges))
  const applied: Applied[] = []
  for (const [resource, object] of secretsFirst) {
    try {
      const stored = await kube.apply(resource, object)
      applied.push({ resource, object: stored })
      print(`${idOf(stored)} applied`)
    } catch (thrown) {
      if (!(thrown instanceof KubeError)) throw thrown
      print(`${idOf(object)} refused: ${thrown.message}`)
    }
  }
  return applied
}

/** Deletes what was applied before and is in the manifests no more. */
export async function removeVanished(
  kube: KubeApi,
  before: readonly Applied[],
  now: readonly Applied[],
  print: (line: string) => void,
): Promise<void> {
  const kept = new Set(now.map(({ object }) => object.metadata.uid))
  for (const { resource, object } of before) {
    const { uid, name, namespace = 'default' } = object.metadata
    if (uid === undefined || kept.has(uid)) continue
    await kube.remove(resource, { namespace, name }, { uid })
    print(`${idOf(object)} deleted`)
  }
}
