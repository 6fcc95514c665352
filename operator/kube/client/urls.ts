/** Paths of the Kubernetes API. Pure. */
import { type Key, KubeError, type ListOptions, type Resource } from '../api.ts'

type Query = Readonly<Record<string, string | number | undefined>>

const prefix = ({ apiVersion }: Resource): string =>
  apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`

const withQuery = (path: string, query: Query): string => {
  const set = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  )
  return set.length === 0 ? path : `${path}?${new URLSearchParams(set).toString()}`
}

/** All objects of a kind, in one namespace or in all. */
export function collectionPath(
  resource: Resource,
  { namespace, ...selectors }: ListOptions,
  query: Query = {},
): string {
  const within = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`
  return withQuery(`${prefix(resource)}${within}/${resource.plural}`, { ...selectors, ...query })
}

/** One object. Throws KubeError 400 where the key does not fit the kind. */
export function objectPath(resource: Resource, key: Key, query: Query = {}, subresource = ''): string {
  const { namespace, name } = key
  if (name === '' || resource.namespaced === (namespace === undefined))
    throw new KubeError(
      `${resource.kind} "${name}": a namespace ${resource.namespaced ? 'is required' : 'is not allowed'}, and a name is required`,
      {
        status: 400,
        reason: 'BadRequest',
      },
    )
  const collection = collectionPath(resource, namespace === undefined ? {} : { namespace })
  return withQuery(`${collection}/${encodeURIComponent(name)}${subresource}`, query)
}

/** For error texts: `Deployment shop/orders`. */
export const describe = (resource: Resource, { namespace, name }: Partial<Key>): string =>
  [resource.kind, [namespace, name].filter((part) => part !== undefined).join('/')]
    .filter((part) => part !== '')
    .join(' ')
