/** Reconciles one StreamBridge: observe, plan, apply, publish. */
import type { Outcome } from '../kube/controller.ts'
import type { EventRecorder } from '../kube/events.ts'
import { type Allowed, anything } from './allowed.ts'
import { apply } from './apply.ts'
import { type Before, observe, type ObserveOptions } from './observe/observe.ts'
import type { Observed } from './observe/observed.ts'
import { type Plan, type PlanContext, planFor } from './plan.ts'
import { publishStatus } from './status/publish.ts'
import { minWriteInterval } from './status/writes.ts'
import type { ScalingMemory } from './scaling/policy.ts'

export interface ReconcileOptions extends ObserveOptions {
  /** Runtime image where the spec names none. */
  readonly image: string
  /** What StreamBridges may name. Default: anything. */
  readonly allowed?: Allowed
  readonly events: Pick<EventRecorder, 'record'>
  /** What was decided, for metrics; undefined when the StreamBridge is gone. */
  readonly onPlan?: (key: string, plan: Plan | undefined) => void
}

/** What is carried from one run to the next. Losing it costs reads and time, never records. */
interface Carried {
  readonly scaling: ScalingMemory | undefined
  /** Since when a partition is read by no replica, on the monotonic clock. */
  readonly unreadSince: number | undefined
  /** When the status was last written, on the monotonic clock. */
  readonly statusAt: number
}

interface Memory extends Carried {
  readonly observed: Observed
}

const nothingCarried: Carried = { scaling: undefined, unreadSince: undefined, statusAt: -Infinity }

export interface Reconciler {
  /** `namespace/name`. One run per key at a time. */
  reconcile(key: string): Promise<Outcome>
  /** Something of the StreamBridge may have changed: the next run reads everything again. */
  changed(key: string): void
}

export function createReconciler(options: ReconcileOptions): Reconciler {
  const { kube, clock, image, events, onPlan, allowed = anything } = options
  const memories = new Map<string, Memory>()
  const changed = new Set<string>()

  const applyPlan = async (key: string, observed: Observed, context: PlanContext): Promise<Plan> => {
    const plan = planFor(observed, context)
    const rejection = await apply(kube, observed.stored, plan)
    if (plan.reread) changed.add(key)
    return rejection === undefined ? plan : planFor(observed, { ...context, rejection })
  }

  const run = async (key: string, before: Before | undefined, memory: Carried): Promise<Outcome> => {
    const [namespace = '', name = ''] = key.split('/')
    const observed = await observe(options, { namespace, name }, before)
    if (observed === undefined) {
      memories.delete(key)
      onPlan?.(key, undefined)
      return { again: 'onChange' }
    }
    const now = { wall: clock.now(), monotonic: clock.monotonic() }
    const plan = await applyPlan(key, observed, {
      now,
      image,
      allowed,
      memory: memory.scaling,
      unreadSince: memory.unreadSince,
    })
    for (const event of plan.events) events.record({ regarding: observed.stored, ...event })
    onPlan?.(key, plan)

    const last = { stored: observed.stored, at: memory.statusAt }
    const published = await publishStatus(kube, last, plan.status, {
      at: now.monotonic,
      minInterval: minWriteInterval(observed.interval),
    })
    if (published === undefined) changed.add(key)
    const { stored, at } = published ?? last
    const { memory: scaling, unreadSince } = plan
    memories.set(key, { observed: { ...observed, stored }, scaling, unreadSince, statusAt: at })
    return { again: 'after', milliseconds: plan.next }
  }

  return {
    async reconcile(key) {
      const memory = memories.get(key)
      const before = memory && { observed: memory.observed, changed: changed.has(key) }
      changed.delete(key)
      try {
        return await run(key, before, memory ?? nothingCarried)
      } catch (error) {
        changed.add(key)
        throw error
      }
    },
    changed: (key) => void changed.add(key),
  }
}
