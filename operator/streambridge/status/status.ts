/** The status: what is true, as last seen. Pure. */
import { sinkOf, sourceOf } from '../../../bridge-runtime/connectors/catalog.ts'
import type { ConditionType } from '../../../crds/schema/conditions.ts'
import { clip } from '../../kube/format/text.ts'
import { time } from '../../kube/format/time.ts'
import type { Condition, StreamBridgeStatus } from '../../../crds/schema/status.ts'
import { deadLetterOf } from './dead-letter-total.ts'
import { podLabels, selectorText } from '../desired/labels.ts'
import { phaseOf, type Verdicts, verdictsOf } from './readiness.ts'
import { flowOf, lagOf, lagText, lastErrorOf, type Source } from './figures.ts'
import { type Situation, type StatusInput, situationOf } from './situation.ts'

function conditionsOf(
  verdicts: Verdicts,
  previous: StreamBridgeStatus | undefined,
  generation: number,
  at: string,
): Condition[] {
  return Object.entries(verdicts).map(([type, { status, reason, message }]) => {
    const before = conditionOf(previous, type as ConditionType)
    const since = before?.status === status ? before.lastTransitionTime : at
    return { type, status, reason, message: clip(message), lastTransitionTime: since, observedGeneration: generation }
  })
}

function endpoints({
  bridge,
}: Situation): { source: Source; sink: NonNullable<StreamBridgeStatus['sink']> } | undefined {
  if (bridge === undefined) return undefined
  const source = sourceOf(bridge.spec.source)
  const sink = sinkOf(bridge.spec.sink)
  return {
    source: { type: source.type, endpoint: clip(source.definition.describe(source.config).name) },
    sink: { type: sink.type, endpoint: clip(sink.definition.describe(sink.config).name) },
  }
}

function scalingOf(
  situation: Situation,
  previous: StreamBridgeStatus['scaling'],
  at: string,
): StreamBridgeStatus['scaling'] {
  const { replicas, workload } = situation
  const from = workload?.rollout.wanted
  const changed = from !== undefined && from !== replicas.wanted
  const change = changed ? { lastScaledAt: at, from, to: replicas.wanted } : {}
  return { ...previous, ...change, reason: replicas.reason }
}

export function statusOf(input: StatusInput): StreamBridgeStatus {
  const situation = situationOf(input)
  const { stored } = input.observed
  const { reports, rollout, replicas } = situation
  const { status: previous, metadata } = stored
  const at = time(input.now.wall)
  const verdicts = verdictsOf(situation)
  const ends = endpoints(situation)
  const source = ends && { ...ends.source, ...lagOf(situation, previous?.source, at) }
  const lag = source && lagText(source)
  const lastError = lastErrorOf(reports)
  const deadLetter = deadLetterOf(input.observed.pods, previous?.deadLetter)
  const { generation = 0, name } = metadata
  return {
    observedGeneration: generation,
    phase: phaseOf(situation, verdicts),
    conditions: conditionsOf(verdicts, previous, generation, at),
    selector: selectorText(podLabels(name)),
    replicas: rollout.existing,
    readyReplicas: rollout.ready,
    updatedReplicas: rollout.updated,
    desiredReplicas: replicas.wanted,
    ...(lag !== undefined && { lag }),
    ...(source && { source }),
    ...(ends && { sink: ends.sink }),
    ...flowOf(reports),
    ...(deadLetter && { deadLetter }),
    ...(lastError && { lastError }),
    scaling: scalingOf(situation, previous?.scaling, at),
  }
}

export const conditionOf = (status: StreamBridgeStatus | undefined, type: ConditionType): Condition | undefined =>
  status?.conditions?.find((condition) => condition.type === type)
