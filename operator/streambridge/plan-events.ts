/** What `kubectl describe` tells about a plan: what is done, and what became true or false. Pure. */
import type { ConditionType, conditionReasons, eventReasons } from '../../crds/schema/conditions.ts'
import type { StreamBridgeStatus } from '../../crds/schema/status.ts'
import { type Deployment, deployments } from '../kube/resources.ts'
import { secretsAnnotation } from './desired/labels.ts'
import type { Observed } from './observed.ts'
import type { Child } from './owned-kinds.ts'
import type { Replicas } from './replicas.ts'
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

function workload({ observed, writes, replicas }: EventInput): readonly PlannedEvent[] {
  const next = writes.find(({ resource }) => resource === deployments)?.object as Deployment | undefined
  if (next === undefined) return []
  const { deployment: before } = observed
  if (before === undefined)
    return [normal('Created', `Deployment "${next.metadata.name}" with ${replicas.wanted} replicas`)]
  const events: PlannedEvent[] = []
  const secretsOf = ({ spec }: Deployment): string | undefined =>
    spec.template.metadata.annotations?.[secretsAnnotation]
  const runs = ({ spec }: Deployment): string =>
    JSON.stringify(spec.template.spec.containers.map(({ image, args }) => [image, args]))
  if (secretsOf(before) !== secretsOf(next))
    events.push(normal('SecretsRotated', 'a referenced Secret has changed: replicas restart one by one'))
  if (runs(before) !== runs(next))
    events.push(normal('RollingOut', 'replicas are replaced by ones with the present spec'))
  if (before.spec.replicas !== replicas.wanted)
    events.push(
      normal('Scaled', `from ${before.spec.replicas ?? 1} to ${replicas.wanted} replicas: ${replicas.reason}`),
    )
  return events
}

const telling: readonly ConditionType[] = [
  'ConfigValid',
  'CredentialsResolved',
  'Available',
  'SourceConnected',
  'SinkConnected',
  'CheckpointHealthy',
  'Ready',
]

/** Reasons that only say that something goes on. */
const passing = new Set(['RollingOut', 'NotReported', 'Paused', 'ReplicasUnavailable'])

function transitions({ observed, status }: EventInput): readonly PlannedEvent[] {
  const events = telling.flatMap((type): PlannedEvent[] => {
    const before = conditionOf(observed.stored.status, type)
    const now = conditionOf(status, type)
    if (now === undefined || (before?.status === now.status && before.reason === now.reason)) return []
    if (now.status === 'True')
      return type === 'Ready' ? [{ type: 'Normal', reason: now.reason, message: now.message }] : []
    if (now.status === 'Unknown' || passing.has(now.reason)) return []
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
  ...workload(input),
  ...lifecycle(input),
  ...transitions(input),
]
