/** Carries out a plan's writes, in order. */
import { type KubeApi, KubeError, type Resource } from '../kube/api.ts'
import { type StreamBridge, streamBridges } from '../kube/resources.ts'
import type { Rejection } from './observe/observed.ts'
import type { Plan } from './plan.ts'

/** Refusals that a retry cannot help: the object is at fault, or the operator lacks the permission. */
const permanent = new Set([400, 403, 413, 422])

async function attempt(
  resource: Resource,
  name: string,
  write: () => Promise<unknown>,
): Promise<Rejection | undefined> {
  try {
    await write()
    return undefined
  } catch (error) {
    if (!(error instanceof KubeError) || !permanent.has(error.status)) throw error
    return { kind: resource.kind, name, status: error.status, message: error.message }
  }
}

/**
 * Resolves with the first refusal; nothing after it is written. *Errors*: an error that may be transient is thrown, so that the
 * whole run is repeated: what was written already is then found as it should be.
 */
export async function apply(
  kube: KubeApi,
  stored: StreamBridge,
  { finalizers, apply: wanted, remove }: Pick<Plan, 'finalizers' | 'apply' | 'remove'>,
): Promise<Rejection | undefined> {
  if (finalizers !== undefined) {
    const set = () => kube.setFinalizers(streamBridges, stored, finalizers)
    const rejection = await attempt(streamBridges, stored.metadata.name, set)
    if (rejection !== undefined) return rejection
  }
  for (const { resource, object } of wanted) {
    const rejection = await attempt(resource, object.metadata.name, () => kube.apply(resource, object))
    if (rejection !== undefined) return rejection
  }
  for (const { resource, object } of remove) {
    const { name, namespace = '', uid = '' } = object.metadata
    await kube.remove(resource, { namespace, name }, { uid })
  }
  return undefined
}
