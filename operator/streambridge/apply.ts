/** Carries out a plan's writes, in order. */
import { type KubeApi, KubeError } from '../kube/api.ts'
import type { Child } from './owned-kinds.ts'
import type { Plan, Rejection } from './plan.ts'

/** Refusals that repeating cannot help: the object is at fault, or the operator lacks the right. */
const lasting = new Set([400, 403, 413, 422])

async function applyOne(kube: KubeApi, { resource, object }: Child): Promise<Rejection | undefined> {
  try {
    await kube.apply(resource, object)
    return undefined
  } catch (error) {
    if (!(error instanceof KubeError) || !lasting.has(error.status)) throw error
    return { kind: resource.kind, name: object.metadata.name, status: error.status, message: error.message }
  }
}

/**
 * Resolves with the first refusal; nothing after it is written. *Errors*: anything that may pass is thrown, so that the
 * whole run is repeated: what was written already is then found as it should be.
 */
export async function apply(kube: KubeApi, plan: Pick<Plan, 'apply' | 'remove'>): Promise<Rejection | undefined> {
  for (const child of plan.apply) {
    const rejection = await applyOne(kube, child)
    if (rejection !== undefined) return rejection
  }
  for (const { resource, object } of plan.remove) {
    const { name, namespace = '', uid = '' } = object.metadata
    await kube.remove(resource, { namespace, name }, { uid })
  }
  return undefined
}
