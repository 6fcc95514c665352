/** The Kubernetes API over HTTPS. */
import type { Clock } from '../../../bridge-runtime/core/clock.ts'
import {
  type Key,
  type KubeApi,
  KubeError,
  type KubeObject,
  type List,
  type ListOptions,
  type Resource,
} from '../api.ts'
import type { ClusterAccess } from './cluster-access.ts'
import { received } from './received.ts'
import { type HttpRequest, open, parseJson, readBody, serverError } from './http.ts'
import { collectionPath, describe, objectPath } from './urls.ts'
import { watchStream } from './watch-stream.ts'

export interface KubeClientOptions {
  readonly access: ClusterAccess
  readonly clock: Clock
  /** Owner of the fields we apply. Default `streambridge`. */
  readonly fieldManager?: string
  /** Milliseconds for one verb, with its repetitions; for each page of a list. Default 15,000. */
  readonly deadline?: number
  /** Milliseconds without a byte after which a watch is taken for dead. Bookmarks come up to two minutes apart. Default 180,000. */
  readonly watchIdleTimeout?: number
  /** Checked immediately before each write is sent; false: the write is refused with reason `NotLeader`. Default: always true. */
  readonly mayWrite?: () => boolean
}

export interface KubeClient extends KubeApi {
  /** Closes idle connections; requests under way go on. */
  close(): void
}

const pageSize = 500

/** Milliseconds: a longer Retry-After is left to the caller's own backoff. */
const maxRetryAfter = 5_000

/** Only what the server refused for load is repeated here; the caller decides about all else. */
const isBusy = (error: unknown): error is KubeError & { readonly retryAfterMilliseconds: number } =>
  error instanceof KubeError &&
  (error.status === 429 || error.status >= 500) &&
  (error.retryAfterMilliseconds ?? Infinity) <= maxRetryAfter

interface ListBody {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
  readonly items: readonly KubeObject[]
}

export function createKubeClient(options: KubeClientOptions): KubeClient {
  const { access, clock, fieldManager = 'streambridge', deadline = 15_000, watchIdleTimeout = 180_000 } = options
  const { mayWrite = () => true } = options

  const once = async (request: HttpRequest): Promise<unknown> => {
    const response = await open(access, request)
    const status = response.statusCode ?? 0
    const body = parseJson(await readBody(response, request))
    if (status >= 200 && status < 300) return body
    throw serverError(request.purpose, status, body, response.headers['retry-after'])
  }

  const permit = (): void => {
    if (!mayWrite()) throw new KubeError('this replica is not the leader', { status: 0, reason: 'NotLeader' })
  }

  const call = async (request: Omit<HttpRequest, 'signal' | 'permit'>): Promise<unknown> => {
    const guard = request.method === 'GET' ? {} : { permit }
    const signal = AbortSignal.timeout(deadline)
    const end = clock.monotonic() + deadline
    for (;;) {
      try {
        return await once({ ...request, ...guard, signal })
      } catch (error) {
        if (!isBusy(error) || clock.monotonic() + error.retryAfterMilliseconds >= end) throw error
        await clock.sleep(error.retryAfterMilliseconds, signal)
        // A process that was stopped meanwhile must not send what it decided long ago.
        if (clock.monotonic() >= end) throw error
      }
    }
  }

  const one = async <T extends KubeObject>(resource: Resource<T>, request: Parameters<typeof call>[0]): Promise<T> =>
    received(resource, (await call(request)) as KubeObject)

  const apply = <T extends KubeObject>(resource: Resource<T>, object: T, subresource: string): Promise<T> =>
    one(resource, {
      method: 'PATCH',
      path: objectPath(resource, object.metadata, { fieldManager, force: 'true' }, subresource),
      body: { ...object, apiVersion: resource.apiVersion, kind: resource.kind },
      contentType: 'application/apply-patch+yaml',
      purpose: `applying ${subresource === '' ? '' : 'the status of '}${describe(resource, object.metadata)}`,
    })

  const page = async (
    resource: Resource,
    selection: ListOptions,
    continuation: string | undefined,
  ): Promise<ListBody> =>
    (await call({
      method: 'GET',
      path: collectionPath(resource, selection, { limit: pageSize, continue: continuation }),
      purpose: `listing ${resource.plural}`,
    })) as ListBody

  const list = async <T extends KubeObject>(resource: Resource<T>, selection: ListOptions = {}): Promise<List<T>> => {
    const items: T[] = []
    let body: ListBody | undefined
    do {
      body = await page(resource, selection, body?.metadata.continue)
      for (const item of body.items) items.push(received(resource, item))
    } while ((body.metadata.continue ?? '') !== '')
    return { items, resourceVersion: body.metadata.resourceVersion }
  }

  return {
    async get<T extends KubeObject>(resource: Resource<T>, key: Key) {
      try {
        return await one(resource, {
          method: 'GET',
          path: objectPath(resource, key),
          purpose: `reading ${describe(resource, key)}`,
        })
      } catch (error) {
        if (error instanceof KubeError && error.status === 404) return undefined
        throw error
      }
    },
    list: (resource, selection) => onceMoreWhenExpired(() => list(resource, selection)),
    apply: async (resource, object) => apply(resource, object, ''),
    applyStatus: async (resource, object) => apply(resource, object, '/status'),
    async create(resource, object) {
      const { namespace } = object.metadata
      objectPath(resource, object.metadata)
      return one(resource, {
        method: 'POST',
        path: collectionPath(resource, namespace === undefined ? {} : { namespace }, { fieldManager }),
        body: { ...object, apiVersion: resource.apiVersion, kind: resource.kind },
        purpose: `creating ${describe(resource, object.metadata)}`,
      })
    },
    async replace(resource, object) {
      const purpose = `replacing ${describe(resource, object.metadata)}`
      if (object.metadata.resourceVersion === undefined)
        throw new KubeError(`${purpose}: metadata.resourceVersion must be set`, { status: 400, reason: 'BadRequest' })
      return one(resource, {
        method: 'PUT',
        path: objectPath(resource, object.metadata, { fieldManager }),
        body: { ...object, apiVersion: resource.apiVersion, kind: resource.kind },
        purpose,
      })
    },
    async setFinalizers(resource, { metadata }, finalizers) {
      const { uid, resourceVersion } = metadata
      return one(resource, {
        method: 'PATCH',
        path: objectPath(resource, metadata, { fieldManager }),
        body: { metadata: { uid, resourceVersion, finalizers } },
        contentType: 'application/merge-patch+json',
        purpose: `setting the finalizers of ${describe(resource, metadata)}`,
      })
    },
    async remove(resource, key, preconditions) {
      try {
        await call({
          method: 'DELETE',
          path: objectPath(resource, key),
          body: { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background', preconditions },
          purpose: `deleting ${describe(resource, key)}`,
        })
      } catch (error) {
        if (!(error instanceof KubeError && error.status === 404)) throw error
      }
    },
    watch: (resource, watch, signal) =>
      watchStream({ access, deadline, idleTimeout: watchIdleTimeout }, { resource, watch, signal }),
    close: () => access.close(),
  }
}

/** A long list can outlive the server's memory of its first page. */
async function onceMoreWhenExpired<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof KubeError && error.status === 410) return run()
    throw error
  }
}
