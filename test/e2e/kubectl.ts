/** The cluster of KUBECONFIG, through kubectl: what a person would type. */
import { eventually } from '../support/eventually.ts'
import { runCommand } from '../support/run-command.ts'

export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> }
  readonly [field: string]: unknown
}

export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

export interface Bridge extends Manifest {
  readonly spec: Record<string, unknown>
  readonly status?: {
    readonly phase?: string
    readonly conditions?: readonly Condition[]
    readonly replicas?: number
    readonly readyReplicas?: number
    readonly updatedReplicas?: number
    readonly observedGeneration?: number
    readonly steps?: readonly { readonly step: string; readonly filtered: number }[]
    readonly lastError?: { readonly component: string; readonly reason: string; readonly message: string }
  }
}

export interface Pod extends Manifest {
  readonly metadata: Manifest['metadata'] & {
    readonly uid: string
    readonly namespace: string
    readonly deletionTimestamp?: string
    readonly annotations?: Record<string, string>
  }
  readonly status: {
    readonly phase: string
    readonly podIP?: string
    readonly conditions?: readonly Condition[]
    readonly containerStatuses?: readonly { readonly ready: boolean; readonly restartCount: number }[]
  }
}

const install = 'put kubectl on PATH'

export const kubectl = (...args: string[]): Promise<string> => runCommand('kubectl', args, { install })

/** Applies objects as `kubectl apply -f -` does, refusing unknown fields. */
export const apply = (namespace: string, objects: readonly Manifest[], ...flags: string[]): Promise<string> =>
  runCommand('kubectl', ['apply', '--namespace', namespace, '--validate=strict', ...flags, '-f', '-'], {
    install,
    stdin: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
  })

/** Objects of one kind, or of several separated by commas. */
export async function list<T extends Manifest>(kind: string, ...flags: string[]): Promise<T[]> {
  const { items } = JSON.parse(await kubectl('get', kind, '--output=json', ...flags)) as { items: T[] }
  return items
}

/** Undefined when it does not exist. */
export async function find<T extends Manifest>(kind: string, namespace: string, name: string): Promise<T | undefined> {
  const text = await kubectl('get', kind, name, '--namespace', namespace, '--output=json', '--ignore-not-found')
  return text.trim() === '' ? undefined : (JSON.parse(text) as T)
}

export const bridgeSelector = (name: string): string => `streambridge.dev/bridge=${name}`

/** The bridge's pods that are not going away, ready ones only if asked. */
export async function podsOf(namespace: string, bridge: string): Promise<Pod[]> {
  const pods = await list<Pod>('pods', '--namespace', namespace, '--selector', bridgeSelector(bridge))
  return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
}

export const isReady = ({ status }: Pod): boolean =>
  status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false

/** A namespace that lets in only pods of the `restricted` standard; an old one of that name is removed first. */
export async function restrictedNamespace(name: string): Promise<void> {
  await kubectl('delete', 'namespace', name, '--ignore-not-found', '--timeout=120s')
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  await apply('default', [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }])
}

/** As `eventually`, with a limit in seconds, and asking once a second: `kubectl` takes what the bridges need. */
export const until = <T>(
  what: string,
  seconds: number,
  ask: () => Promise<T>,
  satisfied: (answer: T) => boolean,
): Promise<T> => eventually(what, ask, satisfied, { within: seconds * 1_000, every: 1_000 })

/** Waits until a condition of a bridge has a status, and with it a reason if one is given. */
export const untilCondition = (
  namespace: string,
  name: string,
  expected: { readonly type: string; readonly status: string; readonly reason?: string },
  seconds = 60,
): Promise<Condition | undefined> =>
  until(
    `${namespace}/${name} ${expected.type}=${expected.status} ${expected.reason ?? ''}`,
    seconds,
    async () => {
      const bridge = await find<Bridge>('streambridges', namespace, name)
      return bridge?.status?.conditions?.find(({ type }) => type === expected.type)
    },
    (condition) =>
      condition?.status === expected.status && (expected.reason === undefined || condition.reason === expected.reason),
  )
