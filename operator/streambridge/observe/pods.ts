/** What a Pod object says about one replica. */
import type { ContainerState, ContainerStatus, Pod } from '../../kube/resources.ts'
import type { ObservedPod, PodCrash } from './observed.ts'

type Waiting = NonNullable<ContainerState['waiting']>
type Terminated = NonNullable<ContainerState['terminated']>

/** A container that waits for these is only starting. */
const starting = new Set(['ContainerCreating', 'PodInitializing'])

const exitOf = ({ exitCode, reason }: Terminated): string =>
  ` (last exit code ${exitCode}${reason === undefined ? '' : `, ${reason}`})`

function waitingProblem({ reason = '', message }: Waiting, exit: string): string | undefined {
  if (reason === '' || starting.has(reason)) return undefined
  // Its message counts the seconds: each would be a change of the status.
  if (reason === 'CrashLoopBackOff') return `${reason}${exit}`
  return message === undefined ? reason : `${reason}: ${message}`
}

function containerProblem({ state, lastState }: ContainerStatus): string | undefined {
  const ended = state?.terminated ?? lastState?.terminated
  const exit = ended === undefined ? '' : exitOf(ended)
  if (state?.waiting !== undefined) return waitingProblem(state.waiting, exit)
  return state?.terminated === undefined ? undefined : `stopped${exit}`
}

/** Its last exit, where that was not the expected one with code 0. */
function crashOf({ state, lastState, restartCount }: ContainerStatus): PodCrash | undefined {
  const ended = state?.terminated ?? lastState?.terminated
  if (ended === undefined || ended.exitCode === 0) return undefined
  return { restarts: restartCount, exit: exitOf(ended), outOfMemory: ended.reason === 'OOMKilled' }
}

const described = (fallback: string, { reason, message }: Waiting): string =>
  [reason ?? fallback, message].filter((part) => part !== undefined).join(': ')

function podProblem({ status }: Pod): string | undefined {
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled')
  if (scheduled?.status === 'False') return described('not scheduled', scheduled)
  if (status?.phase === 'Failed') return described('Failed', status)
  const [container] = status?.containerStatuses ?? []
  return container && containerProblem(container)
}

/** The replica's status page: the container port named `http`. */
function statusUrl(pod: Pod): string | undefined {
  const address = pod.status?.podIP
  const port = pod.spec.containers.flatMap(({ ports }) => ports ?? []).find(({ name }) => name === 'http')
  if (address === undefined || address === '' || port === undefined) return undefined
  if (pod.status?.phase !== 'Running') return undefined
  return `http://${address.includes(':') ? `[${address}]` : address}:${port.containerPort}/status`
}

const mounted = (pod: Pod): readonly string[] =>
  (pod.spec.volumes ?? []).flatMap(({ configMap }) => (configMap === undefined ? [] : [configMap.name]))

/** Without a report: that is requested separately. */
export const podOf = (pod: Pod): Omit<ObservedPod, 'seen' | 'reportError'> => ({
  name: pod.metadata.name,
  uid: pod.metadata.uid ?? '',
  terminating: pod.metadata.deletionTimestamp !== undefined,
  ready: pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
  problem: podProblem(pod),
  crash: pod.status?.containerStatuses?.[0] && crashOf(pod.status.containerStatuses[0]),
  configMaps: mounted(pod),
  statusUrl: statusUrl(pod),
})
