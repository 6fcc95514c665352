/** The addresses a link can be attached to. Names are compared without case, as the service does. */

export type Address =
  | { readonly kind: 'cbs' }
  | { readonly kind: 'management' }
  | { readonly kind: 'hub'; readonly hub: string; readonly partition: string | undefined }
  | { readonly kind: 'partition'; readonly hub: string; readonly group: string; readonly partition: string }
  | { readonly kind: 'unknown' }

const reader = /^([^/]+)\/consumergroups\/([^/]+)\/partitions\/([^/]+)$/i
const writer = /^([^/]+)(?:\/partitions\/([^/]+))?$/i
const scheme = /^[a-z]+:\/\/[^/]+\//i

/** Takes `hub/Partitions/0` as well as `sb://host:port/hub/Partitions/0`. */
export function parseAddress(text: string | undefined): Address {
  const path = (text ?? '').replace(scheme, '').replace(/^\/+|\/+$/g, '')
  if (path.toLowerCase() === '$cbs') return { kind: 'cbs' }
  if (/(^|\/)\$management$/i.test(path)) return { kind: 'management' }
  const [, hub, group, partition] = reader.exec(path) ?? []
  if (hub !== undefined && group !== undefined && partition !== undefined)
    return { kind: 'partition', hub: hub.toLowerCase(), group: group.toLowerCase(), partition }
  const [, target, only] = writer.exec(path) ?? []
  return target === undefined ? { kind: 'unknown' } : { kind: 'hub', hub: target.toLowerCase(), partition: only }
}

/** The path of an audience or address, in lower case: `sb://host/Hub/Partitions/0` → `hub/partitions/0`. */
export const pathOf = (address: string): string =>
  address
    .replace(scheme, '')
    .replace(/^\/+|\/+$/g, '')
    .toLowerCase()
