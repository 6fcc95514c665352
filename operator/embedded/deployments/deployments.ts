/** The Deployment controller: creates and deletes the pods of each Deployment, and writes its status. */
import type { Clock } from '../../../bridge-runtime/core/clock.ts'
import type { Logger } from '../../../bridge-runtime/observability/logger.ts'
import { type KubeApi, keyText } from '../../kube/api.ts'
import { type Outcome, startController } from '../../kube/controller.ts'
import { type Deployment, deployments, type Pod, pods } from '../../kube/resources.ts'
import { startWatch } from '../../kube/watch.ts'
import { deploymentStatus } from './status.ts'
import { podFinalizer } from '../kubelet/kubelet.ts'
import type { PodRunner } from '../kubelet/pod-runner.ts'
import { countPods, rolloutStep, templateHash, templateHashLabel } from './rollout.ts'

export interface DeploymentsOptions {
  readonly api: KubeApi
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  readonly runner: PodRunner
}

const ownerOf = ({ metadata }: Pod) => metadata.ownerReferences?.find(({ kind }) => kind === deployments.kind)

/** Starts at once; `stop` leaves the pods as they are. */
export function startDeployments(options: DeploymentsOptions): { stop(): Promise<void> } {
  const { api, clock, random, logger } = options
  const controller = startController({
    reconcile: (key) => reconcile(options, key),
    clock,
    backoff: { initial: 100, max: 5_000, random },
    concurrency: 4,
    logger,
  })
  const deploymentWatch = startWatch({
    api,
    resource: deployments,
    clock,
    random,
    logger,
    onChange: (deployment) => controller.enqueue(keyText(deployment.metadata)),
  })
  const podWatch = startWatch({
    api,
    resource: pods,
    clock,
    random,
    logger,
    onChange: (pod) => {
      const owner = ownerOf(pod)
      if (owner !== undefined) controller.enqueue(keyText({ ...pod.metadata, name: owner.name }))
    },
  })
  return {
    async stop() {
      await Promise.all([deploymentWatch.stop(), podWatch.stop(), controller.stop()])
    },
  }
}

async function reconcile(options: DeploymentsOptions, key: string): Promise<Outcome> {
  const { api, clock } = options
  const [namespace = '', name = ''] = key.split('/')
  const deployment = await api.get(deployments, { namespace, name })
  if (deployment === undefined || deployment.metadata.deletionTimestamp !== undefined) return { again: 'onChange' }
  const { items } = await api.list(pods, { namespace })
  const owned = items.filter((pod) => ownerOf(pod)?.uid === deployment.metadata.uid)
  const step = rolloutStep(deployment, owned)
  for (const { metadata } of step.remove)
    await api.remove(pods, { namespace, name: metadata.name }, { uid: metadata.uid ?? '' })
  for (let made = 0; made < step.create; made++) await api.create(pods, await newPod(options, deployment))
  const status = deploymentStatus(deployment, countPods(deployment, owned), clock.now())
  const metadata = { namespace, name, uid: deployment.metadata.uid ?? '' }
  await api.applyStatus(deployments, { ...deployment, metadata, status })
  const rolling = status.conditions?.some(({ reason }) => reason === 'ReplicaSetUpdated') ?? false
  return rolling ? { again: 'after', milliseconds: 10_000 } : { again: 'onChange' }
}

async function newPod({ runner, random }: DeploymentsOptions, deployment: Deployment): Promise<Pod> {
  const { name, namespace = '', uid = '' } = deployment.metadata
  const { metadata, spec } = deployment.spec.template
  const hash = templateHash(deployment)
  const suffix = Math.floor(random() * 36 ** 5)
    .toString(36)
    .padStart(5, '0')
  const { apiVersion, kind } = deployments
  return {
    apiVersion: pods.apiVersion,
    kind: pods.kind,
    metadata: {
      ...metadata,
      name: `${name}-${hash}-${suffix}`,
      namespace,
      labels: { ...metadata.labels, [templateHashLabel]: hash },
      ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }],
      finalizers: [podFinalizer],
    },
    spec: await runner.place(spec),
  }
}
