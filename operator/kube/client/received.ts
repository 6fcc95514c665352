import type { KubeObject, Resource } from '../api.ts'

/** Drops the bookkeeping of field managers (often most of an object), and names the kind, which lists leave out. */
export function received<T extends KubeObject>({ apiVersion, kind }: Resource<T>, object: KubeObject): T {
  const { managedFields: _dropped, ...metadata } = object.metadata as KubeObject['metadata'] & {
    managedFields?: unknown
  }
  return { ...object, apiVersion, kind, metadata } as T
}
