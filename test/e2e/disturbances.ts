/** What the end-to-end test does to a running bridge. Each returns when it is done and the bridge is whole again. */
import { apply, type Bridge, find, isReady, kubectl, list, type Manifest, type Pod, podsOf, until } from './kubectl.ts'
import { operatorNamespace, release } from './install.ts'

export interface Target {
  readonly namespace: string
  readonly bridge: string
}

const names = (pods: readonly Pod[]): string[] => pods.map(({ metadata }) => metadata.name)

/** Waits until exactly so many pods exist, all of them ready. */
export const untilReplicas = ({ namespace, bridge }: Target, count: number, seconds = 180): Promise<Pod[]> =>
  until(
    `${namespace}/${bridge} has ${count} ready pods`,
    seconds,
    () => podsOf(namespace, bridge),
    (pods) => pods.length === count && pods.every(isReady),
  )

/** SIGKILL, without notice. Returns when another pod is ready in its place. */
export async function killRuntimePod(target: Target): Promise<void> {
  const before = await podsOf(target.namespace, target.bridge)
  const [victim] = before
  if (victim === undefined) throw new Error(`${target.namespace}/${target.bridge} has no pod to kill`)
  await kubectl('delete', 'pod', victim.metadata.name, '-n', target.namespace, '--grace-period=0', '--force')
  await until(
    `${victim.metadata.name} is replaced`,
    120,
    () => podsOf(target.namespace, target.bridge),
    (pods) => pods.length === before.length && pods.every(isReady) && !names(pods).includes(victim.metadata.name),
  )
}

/** SIGKILL of the operator. Returns when its successor is ready. */
export async function killOperator(): Promise<void> {
  const selector = `app.kubernetes.io/instance=${release},app.kubernetes.io/component=operator`
  const pods = (): Promise<Pod[]> => list<Pod>('pods', '-n', operatorNamespace, '--selector', selector)
  const victims = names(await pods())
  await kubectl('delete', 'pod', ...victims, '-n', operatorNamespace, '--grace-period=0', '--force')
  await until('another operator is ready', 120, pods, (now) =>
    now.some((pod) => isReady(pod) && !victims.includes(pod.metadata.name)),
  )
}

/** Writes new Secret data. Returns when every pod is newer than that. */
export async function rotateSecrets(target: Target, secrets: readonly Manifest[]): Promise<void> {
  await replacesPods(target, () => apply(target.namespace, secrets))
}

/** Changes the StreamBridge. Returns when every pod runs the new spec. */
export async function edit(target: Target, patch: object): Promise<void> {
  await replacesPods(target, () =>
    kubectl('patch', 'sbr', target.bridge, '-n', target.namespace, '--type=merge', '--patch', JSON.stringify(patch)),
  )
}

async function replacesPods(target: Target, act: () => Promise<unknown>): Promise<void> {
  const before = await podsOf(target.namespace, target.bridge)
  await act()
  await until(
    `every pod of ${target.namespace}/${target.bridge} is replaced`,
    // A change of Secret data is noticed within a minute.
    60 + 90 * before.length,
    () => podsOf(target.namespace, target.bridge),
    (pods) =>
      pods.length === before.length && pods.every(isReady) && !names(pods).some((name) => names(before).includes(name)),
  )
}

/** Through the scale subresource, as `kubectl scale` and autoscalers do. */
export async function scale(target: Target, replicas: number): Promise<void> {
  await kubectl('scale', 'sbr', target.bridge, '-n', target.namespace, `--replicas=${replicas}`)
  await untilReplicas(target, replicas)
  await until(
    `status.replicas of ${target.bridge} is ${replicas}`,
    60,
    () => find<Bridge>('sbr', target.namespace, target.bridge),
    (bridge) => bridge?.status?.replicas === replicas,
  )
}
