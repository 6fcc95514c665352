/** The Kubernetes API as the operator uses it: few verbs, each with a deadline, no caches. */

export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly finalizers?: readonly string[]
  readonly ownerReferences?: readonly OwnerReference[]
}

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
}

/** A resource type: how its URL is made. */
export interface Resource<T extends KubeObject = KubeObject> {
  /** `v1`, `apps/v1`, `streambridge.dev/v1alpha1`. */
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
  /** Only carries the object type. */
  readonly object?: T
}

export interface Key {
  /** Absent for cluster-scoped objects. */
  readonly namespace?: string
  readonly name: string
}

/** `namespace/name`: how work queues and maps name an object of one kind. */
export const keyText = ({ namespace = '', name }: Key): string => `${namespace}/${name}`

export interface ListOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
}

export interface List<T> {
  readonly items: readonly T[]
  readonly resourceVersion: string
}

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }

export interface WatchOptions extends ListOptions {
  readonly resourceVersion: string
  readonly timeoutSeconds: number
}

/**
 * *Errors*: every verb rejects with a KubeError and ends within its deadline. Reads are quorum reads (no resourceVersion 0).
 * Writes are server-side apply by one field manager, or conditional on what was read.
 */
export interface KubeApi {
  /** Undefined when it does not exist. */
  get<T extends KubeObject>(resource: Resource<T>, key: Key): Promise<T | undefined>
  /** Follows `continue` to the end. */
  list<T extends KubeObject>(resource: Resource<T>, options?: ListOptions): Promise<List<T>>
  /** Server-side apply, forced: the fields given are ours. */
  apply<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T>
  /** Server-side apply of the status subresource. */
  applyStatus<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T>
  /** 409 AlreadyExists when it exists. */
  create<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T>
  /** Full update on condition of `metadata.resourceVersion`; 409 Conflict when it changed. */
  replace<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T>
  /**
   * Replaces `metadata.finalizers` and nothing else, on condition of the object's UID and resourceVersion, whoever put
   * the old ones; 404 when it is gone, 409 when it changed.
   */
  setFinalizers<T extends KubeObject>(resource: Resource<T>, object: T, finalizers: readonly string[]): Promise<T>
  /** Deletes on condition of the UID (and resourceVersion, where given), in the background. Already gone is success; another UID is 409. */
  remove(
    resource: Resource,
    key: Key,
    precondition: { readonly uid: string; readonly resourceVersion?: string },
  ): Promise<void>
  /** Ends normally at the server's timeout. Rejects with status 410 when the resourceVersion is too old. */
  watch<T extends KubeObject>(
    resource: Resource<T>,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>>
}

export interface KubeErrorOptions {
  /** HTTP status; 0 when no answer came. */
  readonly status: number
  /** `metadata` reason of the Status object: `NotFound`, `Conflict`, `Forbidden`, `Invalid`; or `Timeout`, `Unreachable`. */
  readonly reason: string
  readonly retryAfterMilliseconds?: number
  readonly cause?: unknown
}

export class KubeError extends Error {
  readonly status: number
  readonly reason: string
  readonly retryAfterMilliseconds: number | undefined

  constructor(message: string, options: KubeErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'KubeError'
    this.status = options.status
    this.reason = options.reason
    this.retryAfterMilliseconds = options.retryAfterMilliseconds
  }
}
