/** The Events of a plan: what is written, and which conditions change. Pure. */
import type { ConditionType, conditionReasons, eventReasons } from '../../../crds/schema/conditions.ts'
import type { StreamBridgeStatus } from '../../../crds/schema/status.ts'
import type { Observed } from '../observe/observed.ts'
import type { Child } from '../owned.ts'
import type { Replicas } from '../scaling/replicas.ts'
import { workloadKind } from '../workload/workload.ts'
import { conditionOf } from './status.ts'

export interface PlannedEvent {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

export interface EventInput {
  readonly observed: Observed
  readonly writes: readonly Child[]
  readonly status: StreamBridgeStatus
  readonly replicas: Replicas
}

type EventReason = keyof typeof eventReasons | keyof typeof conditionReasons

const normal = (reason: EventReason, message: string): PlannedEvent => ({ type: 'Normal', reason, message })

function workloadEvents({ observed, writes, replicas }: EventInput): readonly PlannedEvent[] {
  const { resource, changeOf } = workloadKind
  const next = writes.find((write) => write.resource === resource)?.object
  if (next === undefined) return []
  const { workload: before } = observed
  if (before === undefined)
    return [normal('Created', `${resource.kind} "${next.metadata.name}" with ${replicas.wanted} replicas`)]
  const events: PlannedEvent[] = []
  const change = changeOf(before.object, next)
  if (change.secrets)
    events.push(normal('SecretsRotated', 'a referenced Secret has changed: replicas restart one by one'))
  if (change.program) events.push(normal('RollingOut', 'replicas are replaced by ones with the present spec'))
  const { wanted } = before.rollout
  if (wanted !== replicas.wanted)
    events.push(normal('Scaled', `from ${wanted} to ${replicas.wanted} replicas: ${replicas.reason}`))
  return events
}

/** Conditions whose changes are Events. */
const eventConditions: readonly ConditionType[] = [
  'ConfigValid',
  'CredentialsResolved',
  'Available',
  'SourceConnected',
  'SinkConnected',
  'TransformReady',
  'CheckpointHealthy',
  'Ready',
]

/** Reasons of states that pass by themselves: no Event. */
const transientReasons = new Set(['RollingOut', 'NotReported', 'Paused', 'ReplicasUnavailable'])

function transitions({ observed, status }: EventInput): readonly PlannedEvent[] {
  const events = eventConditions.flatMap((type): PlannedEvent[] => {
    const before = conditionOf(observed.stored.status, type)
    const now = conditionOf(status, type)
    if (now === undefined || (before?.status === now.status && before.reason === now.reason)) return []
    if (now.status === 'True')
      return type === 'Ready' ? [{ type: 'Normal', reason: now.reason, message: now.message }] : []
    if (now.status === 'Unknown' || transientReasons.has(now.reason)) return []
    return [{ type: 'Warning', reason: now.reason, message: now.message }]
  })
  return events.filter(({ reason }, index) => events.findIndex((event) => event.reason === reason) === index)
}

function lifecycle({ observed, status }: EventInput): readonly PlannedEvent[] {
  const before = observed.stored.status?.phase
  if (status.phase === 'Paused' && before !== 'Paused') return [normal('Paused', 'replicas stop; the position is kept')]
  if (before === 'Paused' && status.phase !== 'Paused')
    return [normal('Resumed', 'replicas start at the kept position')]
  return []
}

export const eventsOf = (input: EventInput): readonly PlannedEvent[] => [
  ...workloadEvents(input),
  ...lifecycle(input),
  ...transitions(input),
]
