/** The errors of the API server, with its wording. */
import { KubeError, type Resource } from '../../kube/api.ts'

const groupOf = ({ apiVersion }: Resource): string => (apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '')

const qualified = (name: string, resource: Resource): string =>
  groupOf(resource) === '' ? name : `${name}.${groupOf(resource)}`

const named = (resource: Resource, name: string): string => `${qualified(resource.plural, resource)} "${name}"`

export const notFound = (resource: Resource, name: string): KubeError =>
  new KubeError(`${named(resource, name)} not found`, { status: 404, reason: 'NotFound' })

export const noSuchKind = (): KubeError =>
  new KubeError('the server could not find the requested resource', { status: 404, reason: 'NotFound' })

export const alreadyExists = (resource: Resource, name: string): KubeError =>
  new KubeError(`${named(resource, name)} already exists`, { status: 409, reason: 'AlreadyExists' })

export const conflict = (resource: Resource, name: string, because: string): KubeError =>
  new KubeError(`Operation cannot be fulfilled on ${named(resource, name)}: ${because}`, {
    status: 409,
    reason: 'Conflict',
  })

export const modified = (resource: Resource, name: string): KubeError =>
  conflict(
    resource,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  )

export const invalid = (resource: Resource, name: string, causes: readonly string[]): KubeError => {
  const list = causes.length === 1 ? causes[0] : `[${causes.join(', ')}]`
  return new KubeError(`${qualified(resource.kind, resource)} "${name}" is invalid: ${list}`, {
    status: 422,
    reason: 'Invalid',
  })
}

export const badRequest = (message: string): KubeError => new KubeError(message, { status: 400, reason: 'BadRequest' })

export const expired = (version: string): KubeError =>
  new KubeError(`too old resource version: ${version}`, { status: 410, reason: 'Expired' })
