/** Which part of an object is the caller's, the server's, or the status: what each verb may change. Pure. */
import { canonicalJson, plain } from '../../kube/format/canonical.ts'
import type { KubeObject, ObjectMeta, Resource } from '../../kube/api.ts'
import {
  customResourceDefinitions,
  deployments,
  podDisruptionBudgets,
  pods,
  streamBridges,
} from '../../kube/resources.ts'
import type { JsonObject } from './field-ownership.ts'
import { resourceId, type Stored } from './store.ts'

/** The kinds with a status subresource: they have a generation, and their status is written apart. */
const withStatus = new Set(
  [streamBridges, deployments, pods, podDisruptionBudgets, customResourceDefinitions].map(resourceId),
)

const hasStatus = (resource: Resource): boolean => withStatus.has(resourceId(resource))

const serverFields = new Set([
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'managedFields',
])

/** A copy as it would come over the wire: no undefined, no null, nothing shared with the caller. */
export const wire = (object: KubeObject): JsonObject => plain(object)

const metadataOf = (object: JsonObject, side: 'server' | 'caller'): JsonObject =>
  Object.fromEntries(
    Object.entries((object['metadata'] ?? {}) as JsonObject).filter(
      ([name]) => serverFields.has(name) === (side === 'server'),
    ),
  )

/** What a caller may set on the object itself. */
export function mainPart(resource: Resource, object: KubeObject): JsonObject {
  const given = wire(object)
  const fields = Object.entries(given).filter(
    ([name]) => !['apiVersion', 'kind', 'metadata'].includes(name) && !(name === 'status' && hasStatus(resource)),
  )
  const metadata = metadataOf(given, 'caller')
  return { ...Object.fromEntries(fields), ...(Object.keys(metadata).length === 0 ? {} : { metadata }) }
}

/** What a caller may set through the status subresource. */
export function statusPart(object: KubeObject): JsonObject {
  const { status } = wire(object)
  return status === undefined ? {} : { status }
}

/** What the server itself gives a new object. */
export const newObject = (
  resource: Resource,
  { name, namespace }: ObjectMeta,
  given: { readonly uid: string; readonly creationTimestamp: string },
): JsonObject => ({
  apiVersion: resource.apiVersion,
  kind: resource.kind,
  metadata: {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...given,
    ...(hasStatus(resource) ? { generation: 1 } : {}),
  },
})

/** The object that a full update leaves: the caller's part is new, the server's and the status stay. */
export function replacement({ resource, object }: Stored, next: KubeObject): JsonObject {
  const before = wire(object)
  const given = mainPart(resource, next)
  const { status } = before
  return {
    apiVersion: resource.apiVersion,
    kind: resource.kind,
    ...given,
    metadata: { ...metadataOf(before, 'server'), ...metadataOf(given, 'caller') },
    ...(hasStatus(resource) && status !== undefined ? { status } : {}),
  }
}

/** Equal for objects that want the same: without metadata and status. */
export const desiredPart = (object: JsonObject): string => canonicalJson({ ...object, metadata: null, status: null })
