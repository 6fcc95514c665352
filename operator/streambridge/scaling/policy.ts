/** Input and output of a scaling decision. */
import { milliseconds } from '../../../crds/kit/units.ts'
import type { conditionReasons } from '../../../crds/schema/conditions.ts'
import type { StreamBridgeSpec } from '../../../crds/schema/streambridge.ts'
import type { Load } from './load.ts'
import { type Measurements, noMeasurements } from './need.ts'
import type { Recommendation } from './recommendations.ts'

interface Direction {
  readonly stabilization: number
  readonly maxStep: number
  readonly cooldown: number
}

/** `spec.scaling`, times in milliseconds. */
export interface ScalingPolicy {
  readonly minReplicas: number
  readonly maxReplicas: number
  readonly targetDrain: number
  /** Share, 0 to 1. */
  readonly tolerance: number
  readonly up: Direction
  readonly down: Direction
  readonly idle: number
  readonly probe: number
}

const direction = (value: StreamBridgeSpec['scaling']['scaleUp']): Direction => ({
  stabilization: milliseconds(value.stabilization),
  maxStep: value.maxStep,
  cooldown: milliseconds(value.cooldown),
})

export const policyOf = (scaling: StreamBridgeSpec['scaling']): ScalingPolicy => ({
  minReplicas: scaling.minReplicas,
  maxReplicas: scaling.maxReplicas,
  targetDrain: Math.max(1, milliseconds(scaling.targetDrain)),
  tolerance: scaling.tolerance / 100,
  up: direction(scaling.scaleUp),
  down: direction(scaling.scaleDown),
  idle: milliseconds(scaling.scaleToZero.idle),
  probe: milliseconds(scaling.scaleToZero.probe),
})

/** What is carried from one decision to the next. Lost at a restart of the operator, which then begins to measure again. */
export interface ScalingMemory {
  readonly recommendations: readonly Recommendation[]
  readonly measured: Measurements
  readonly changedAt?: number
  /** The last scale-up, until its effect is known. */
  readonly trial?: { readonly from: number; readonly to: number; readonly out: number; readonly settledAt?: number }
  readonly sinkBoundAt?: number
  /** Since when nothing was there to do. */
  readonly idleSince?: number | undefined
  /** Since when no replica runs. */
  readonly zeroSince?: number
  /** Set while one replica runs to probe for work; `quietSince` is when it first found none. */
  readonly probe?: { readonly quietSince?: number | undefined } | undefined
}

export const emptyMemory: ScalingMemory = { recommendations: [], measured: noMeasurements }

export interface ScalingInput {
  /** Milliseconds on the monotonic clock. */
  readonly now: number
  /** Replicas the workload asks for; undefined where it does not exist. */
  readonly current: number | undefined
  /** Every wanted replica runs the present spec and no other does. */
  readonly settled: boolean
  /** The last status says that zero replicas are on purpose: an operator that restarts need not probe at once. */
  readonly wasIdle: boolean
  readonly load: Load
}

export interface ScalingDecision {
  readonly replicas: number
  readonly reason: keyof typeof conditionReasons
  readonly message: string
  readonly memory: ScalingMemory
}
