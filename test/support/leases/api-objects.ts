/** For tests: what an API server does with Leases. uid and resourceVersion are checked, and a PUT makes what is not there. */
import type { KubernetesRequest } from '../../../bridge-runtime/lease-stores/kubernetes/request.ts'

interface Metadata {
  readonly name?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly labels?: object
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly object[]
}

interface Given {
  readonly metadata?: Metadata
  readonly preconditions?: { readonly uid: string; readonly resourceVersion: string }
}

export interface StoredTestObject extends Given {
  readonly metadata: Metadata & { readonly uid: string; readonly resourceVersion: string }
}

export function apiObjects() {
  /** By path. */
  const stored = new Map<string, StoredTestObject>()
  let version = 0
  const save = (path: string, body: Given, uid: string): StoredTestObject => {
    version += 1
    const object = { ...body, metadata: { ...body.metadata, uid, resourceVersion: String(version) } }
    stored.set(path, object)
    return object
  }
  const read = (path: string) => {
    const found = stored.get(path)
    return found === undefined ? { status: 404, body: {} } : { status: 200, body: found }
  }
  const put = (path: string, body: Given) => {
    const found = stored.get(path)
    const { uid, resourceVersion } = body.metadata ?? {}
    if (found === undefined && uid === undefined) return { status: 201, body: save(path, body, `uid-${version}`) }
    if (resourceVersion === undefined) return { status: 422, body: { message: 'resourceVersion must be specified' } }
    if (found?.metadata.uid !== uid || found?.metadata.resourceVersion !== resourceVersion)
      return { status: 409, body: {} }
    return { status: 200, body: save(path, body, uid ?? '') }
  }
  const remove = (path: string, { preconditions }: Given) => {
    const found = stored.get(path)?.metadata
    if (found === undefined) return { status: 404, body: {} }
    if (found.uid !== preconditions?.uid || found.resourceVersion !== preconditions.resourceVersion)
      return { status: 409, body: {} }
    stored.delete(path)
    return { status: 200, body: {} }
  }
  const request: KubernetesRequest = async (method, target, body = {}) => {
    const labelled = [...stored.values()].filter(({ metadata }) => metadata.labels !== undefined)
    if (method === 'GET' && target.includes('?')) return { status: 200, body: { items: labelled } }
    if (method === 'GET') return read(target)
    return method === 'DELETE' ? remove(target, body) : put(target, body)
  }
  return {
    stored,
    request,
    /** Another hand writes an object of its own. */
    put(name: string, metadata: Metadata): { readonly path: string; readonly object: StoredTestObject } {
      const path = `/apis/coordination.k8s.io/v1/namespaces/shop/leases/${name}`
      return { path, object: save(path, { metadata: { name, ...metadata } }, `uid-${name}`) }
    },
    /** Another hand changes the annotations of one that is there. */
    edit(object: StoredTestObject, annotations: Readonly<Record<string, string>>): void {
      for (const [path, found] of stored)
        if (found === object) save(path, { ...found, metadata: { ...found.metadata, annotations } }, found.metadata.uid)
    },
  }
}
