/** Writes the status when it has changed. */
import type { StreamBridgeStatus } from '../../../crds/schema/status.ts'
import { type KubeApi, KubeError } from '../../kube/api.ts'
import { type StreamBridge, streamBridges } from '../../kube/resources.ts'
import { isWorthWriting } from './writes.ts'

/** Times on the monotonic clock, in milliseconds. */
export interface Publication {
  readonly stored: StreamBridge
  /** When the status was last written; -Infinity before the first time. */
  readonly at: number
}

/**
 * Resolves with the object as it is stored now; undefined when it is gone or was created again meanwhile. `minInterval`:
 * milliseconds between two writes of figures.
 */
export async function publishStatus(
  kube: KubeApi,
  { stored, at }: Publication,
  status: StreamBridgeStatus,
  now: { readonly at: number; readonly minInterval: number },
): Promise<Publication | undefined> {
  if (!isWorthWriting(stored.status, status, now.at - at >= now.minInterval)) return { stored, at }
  const { name, namespace = '', uid = '' } = stored.metadata
  const { apiVersion, kind } = streamBridges
  try {
    const object = { apiVersion, kind, metadata: { name, namespace, uid }, status }
    // The status subresource takes no spec.
    return { stored: await kube.applyStatus(streamBridges, object as unknown as StreamBridge), at: now.at }
  } catch (error) {
    if (error instanceof KubeError && (error.status === 404 || error.status === 409)) return undefined
    throw error
  }
}
