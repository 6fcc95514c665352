/**
 * One leader among the replicas of the operator, by a Lease. *Guarantees*: nobody takes the Lease from a holder that
 * renewed it within its duration, as seen on the taker's own monotonic clock; a leader that could not renew within the
 * deadline stops leading before anybody else can begin. Remote clocks decide nothing. A lost lease is final: exit.
 * *Limit*, as of any lease that the store does not check at each write: a request already on its way, or a process stopped
 * in the very system call that sends one, may still write once; the successor's next reconcile puts that right.
 */
import type { Clock } from '../../bridge-runtime/core/clock.ts'
import { errorText, type Logger } from '../../bridge-runtime/observability/logger.ts'
import { type Key, type KubeApi, KubeError } from './api.ts'
import { type Lease, leases } from './resources.ts'
import { microTime } from './format/time.ts'

/** All in milliseconds; `renewDeadline` must be less than `leaseDuration`. */
export interface LeaseTimes {
  readonly leaseDuration: number
  readonly renewDeadline: number
  readonly retryPeriod: number
}

export const defaultLeaseTimes: LeaseTimes = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000 }

export interface LeaderElectionOptions {
  readonly api: KubeApi
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  readonly lease: Key
  /** Unique to this process, also among restarts of the same pod. */
  readonly identity: string
  readonly times?: LeaseTimes
  /** The lease is lost: stop everything now. Called at most once, never after `stop`. */
  readonly onLost: (reason: string) => void
}

export interface Leadership {
  /** Resolves when this process leads. Never resolves when stopped before. */
  readonly elected: Promise<void>
  /** True while the lease is certainly ours. To be checked immediately before each write (`mayWrite` of the client). */
  isLeader(): boolean
  /** Gives the lease back, so that another may lead at once. */
  stop(): Promise<void>
}

interface Observation {
  readonly record: string
  /** When this record was first seen, on our clock. */
  readonly since: number
}

const recordOf = ({ spec }: Lease): string =>
  JSON.stringify([spec?.holderIdentity, spec?.renewTime, spec?.acquireTime, spec?.leaseTransitions])

/** True when nobody holds it, or when its holder has not touched it for its duration while we looked. */
function isFree({ spec }: Lease, { since }: Observation, now: number): boolean {
  if ((spec?.holderIdentity ?? '') === '') return true
  return now - since >= (spec?.leaseDurationSeconds ?? 0) * 1_000
}

export function electLeader(options: LeaderElectionOptions): Leadership {
  const { api, clock, random, logger, lease: key, identity, times = defaultLeaseTimes } = options
  const elected = Promise.withResolvers<void>()
  const stopping = new AbortController()
  let observed: Observation = { record: '', since: -Infinity }
  /** Our lease as last written, and when that write was begun. */
  let held: { readonly lease: Lease; readonly since: number } | undefined

  /** Final: a late answer must not make this process the leader again. */
  let over = false

  const isLeader = (): boolean => !over && held !== undefined && clock.monotonic() - held.since < times.renewDeadline

  const observe = (lease: Lease): void => {
    const record = recordOf(lease)
    if (record !== observed.record) observed = { record, since: clock.monotonic() }
  }

  const claim = (before: Lease | undefined): Lease => {
    const now = microTime(clock.now())
    const { holderIdentity, acquireTime = now, leaseTransitions = 0 } = before?.spec ?? { holderIdentity: identity }
    const ours = holderIdentity === identity
    return {
      apiVersion: leases.apiVersion,
      kind: leases.kind,
      metadata: before?.metadata ?? key,
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(times.leaseDuration / 1_000),
        acquireTime: ours ? acquireTime : now,
        renewTime: now,
        leaseTransitions: leaseTransitions + (ours ? 0 : 1),
      },
    }
  }

  /** Takes the lease if it is free; its time counts from before the request was sent, so that it expires for us first. */
  const tryAcquire = async (): Promise<boolean> => {
    const stored = await api.get(leases, key)
    if (stored !== undefined) observe(stored)
    if (stored !== undefined && !isFree(stored, observed, clock.monotonic())) return false
    const since = clock.monotonic()
    const next = claim(stored)
    const lease = await (stored === undefined ? api.create(leases, next) : api.replace(leases, next))
    held = { lease, since }
    return isLeader()
  }

  /** Renews once. Resolves false when somebody else holds the lease. */
  const renew = async (current: Lease): Promise<boolean> => {
    const since = clock.monotonic()
    try {
      held = { lease: await api.replace(leases, claim(current)), since }
      return true
    } catch (error) {
      if (!(error instanceof KubeError) || (error.status !== 409 && error.status !== 404)) throw error
    }
    // Our own write may have arrived without its answer; or somebody edited the lease.
    const stored = await api.get(leases, key)
    if (stored?.spec?.holderIdentity !== identity) return false
    held = { lease: await api.replace(leases, claim(stored)), since }
    return true
  }

  const pause = (): Promise<void> => clock.sleep(times.retryPeriod * (1 + 0.2 * random()), stopping.signal)

  const attempt = async (what: string, run: () => Promise<boolean>): Promise<boolean | 'failed'> => {
    try {
      return await run()
    } catch (error) {
      logger.warn(`${what} the leader lease failed`, { lease: key.name, error: errorText(error) })
      return 'failed'
    }
  }

  const acquireLease = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      if ((await attempt('acquiring', tryAcquire)) === true) return
      held = undefined
      await pause()
    }
  }

  /** Ends when the lease is lost, with the reason, or at `stop`. */
  const lead = async (): Promise<string> => {
    await pause()
    while (!stopping.signal.aborted) {
      const { lease, since } = held ?? { lease: claim(undefined), since: -Infinity }
      const left = since + times.renewDeadline - clock.monotonic()
      if (left <= 0) return `not renewed within ${times.renewDeadline / 1_000} s`
      const answered = new AbortController()
      const late = clock.sleep(left, answered.signal).then(() => 'late' as const)
      const result = await Promise.race([attempt('renewing', () => renew(lease)), late])
      answered.abort()
      if (result === false) return 'another replica holds it'
      if (result !== 'late') await pause()
    }
    return 'stopped'
  }

  const release = async (): Promise<void> => {
    if (held === undefined || !isLeader()) return
    const { lease } = held
    over = true
    const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(clock.now()) }
    await attempt('releasing', () => api.replace(leases, { ...lease, spec }).then(() => true))
  }

  const run = async (): Promise<void> => {
    await acquireLease()
    if (stopping.signal.aborted) return
    logger.info('elected as leader', { lease: key.name, identity })
    elected.resolve()
    const reason = await lead()
    if (stopping.signal.aborted) return
    over = true
    logger.error('leader lease lost', { lease: key.name, reason })
    options.onLost(reason)
  }

  const running = run()
  return {
    elected: elected.promise,
    isLeader,
    async stop() {
      stopping.abort()
      await running
      await release()
    },
  }
}
