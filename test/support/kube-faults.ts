/** Wrappers around a KubeApi that make it fail as real ones do: for tests. Each does one thing; they can be stacked. */
import {
  type KubeApi,
  KubeError,
  type KubeObject,
  type Resource,
  type WatchEvent,
  type WatchOptions,
} from '../../operator/kube/api.ts'

export const writeVerbs = ['apply', 'applyStatus', 'create', 'replace', 'setFinalizers', 'remove'] as const
export type Verb = 'get' | 'list' | (typeof writeVerbs)[number]

/** One call as it goes in. */
export interface Call {
  readonly verb: Verb
  readonly resource: Resource
  readonly name: string | undefined
  /** Counts the writes, from 1; for a read, the writes so far. */
  readonly write: number
}

export interface Interference {
  /** Before the call takes effect: throw to refuse it. */
  readonly before?: (call: Call) => void | Promise<void>
  /** After the call took effect: throw to lose the answer. */
  readonly after?: (call: Call) => void | Promise<void>
}

const nameOf = (argument: unknown): string | undefined => {
  const { name, metadata } = (argument ?? {}) as {
    readonly name?: string
    readonly metadata?: { readonly name: string }
  }
  return metadata?.name ?? name
}

/** Lets a test see, and refuse, each call except watches. */
export function interfere(api: KubeApi, { before, after }: Interference): KubeApi {
  let writes = 0
  const around = async <T>(verb: Verb, resource: Resource, argument: unknown, run: () => Promise<T>): Promise<T> => {
    if ((writeVerbs as readonly string[]).includes(verb)) writes += 1
    const call = { verb, resource, name: nameOf(argument), write: writes }
    await before?.(call)
    const result = await run()
    await after?.(call)
    return result
  }
  return {
    get: (resource, key) => around('get', resource, key, () => api.get(resource, key)),
    list: (resource, options) => around('list', resource, undefined, () => api.list(resource, options)),
    apply: (resource, object) => around('apply', resource, object, () => api.apply(resource, object)),
    applyStatus: (resource, object) => around('applyStatus', resource, object, () => api.applyStatus(resource, object)),
    create: (resource, object) => around('create', resource, object, () => api.create(resource, object)),
    replace: (resource, object) => around('replace', resource, object, () => api.replace(resource, object)),
    setFinalizers: (resource, object, finalizers) =>
      around('setFinalizers', resource, object, () => api.setFinalizers(resource, object, finalizers)),
    remove: (resource, key, precondition) =>
      around('remove', resource, key, () => api.remove(resource, key, precondition)),
    watch: (resource, options, signal) => api.watch(resource, options, signal),
  }
}

const isWrite = ({ verb }: Call): boolean => verb !== 'get' && verb !== 'list'

/** Puts every call into `calls`, in order. */
export const recording = (api: KubeApi, calls: Call[]): KubeApi =>
  interfere(api, { before: (call) => void calls.push(call) })

/** The writes among the calls. */
export const writesIn = (calls: readonly Call[]): readonly Call[] => calls.filter(isWrite)

/** The process dies after the k-th write took effect: that call and all later ones, also reads, throw. */
export function crashAfterWrite(api: KubeApi, k: number): KubeApi {
  let crashed = false
  const refuse = (): void => {
    if (crashed) throw new KubeError(`crashed after write ${k}`, { status: 0, reason: 'Unreachable' })
  }
  return interfere(api, {
    before: refuse,
    after: (call) => {
      crashed ||= isWrite(call) && call.write >= k
      refuse()
    },
  })
}

/** The n-th write is refused with 409, as if somebody had been faster. */
export const conflictOnWrite = (api: KubeApi, n: number): KubeApi =>
  interfere(api, {
    before: (call) => {
      if (isWrite(call) && call.write === n)
        throw new KubeError(`conflict on write ${n}: the object has been modified`, { status: 409, reason: 'Conflict' })
    },
  })

/** The n-th write takes effect and its answer is a 500. */
export const errorAfterWrite = (api: KubeApi, n: number): KubeApi =>
  interfere(api, {
    after: (call) => {
      if (isWrite(call) && call.write === n)
        throw new KubeError(`etcdserver: request timed out, write ${n}`, { status: 500, reason: 'InternalError' })
    },
  })

/** Reads answer what they answered at the last `refresh()`: an API server that lags behind. Writes go through. */
export function staleReads(api: KubeApi): KubeApi & { refresh(): void } {
  let answers = new Map<string, Promise<unknown>>()
  const remembered = <T>(key: unknown, read: () => Promise<T>): Promise<T> => {
    const id = JSON.stringify(key)
    const answer = answers.get(id) ?? read()
    answers.set(id, answer)
    return answer as Promise<T>
  }
  return {
    ...api,
    get: (resource, key) => remembered(['get', resource.plural, key], () => api.get(resource, key)),
    list: (resource, options) => remembered(['list', resource.plural, options], () => api.list(resource, options)),
    refresh: () => {
      answers = new Map()
    },
  }
}

/** What becomes of one watch event: `[]` drops it, twice the same duplicates it, `'gone'` ends the watch with 410. */
export type Disturb = (event: WatchEvent<KubeObject>) => readonly WatchEvent<KubeObject>[] | 'gone'

/** Passes every watch event through `disturb`; keep events back in a closure to reorder them. */
export function disturbWatches(api: KubeApi, disturb: Disturb): KubeApi {
  async function* disturbed<T extends KubeObject>(
    resource: Resource<T>,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    for await (const event of api.watch(resource, options, signal)) {
      const result = disturb(event)
      if (result === 'gone') throw new KubeError('too old resource version', { status: 410, reason: 'Expired' })
      yield* result as readonly WatchEvent<T>[]
    }
  }
  return { ...api, watch: disturbed }
}
