/** The Deployment that runs the bridge. */
import { sourceOf } from '../../../../bridge-runtime/connectors/catalog.ts'
import { milliseconds } from '../../../../crds/kit/units.ts'
import type { Deployment } from '../../../kube/resources.ts'
import type { Bridge } from '../../bridge.ts'
import { childMeta, podLabels } from '../../desired/labels.ts'
import type { WorkloadInput } from '../contract.ts'
import { desiredPodTemplate } from '../pod-template.ts'

/** A partition must not have two owners, so these replicas are stopped one by one before the next starts; others start first. */
const rollingUpdate = (bridge: Bridge) =>
  sourceOf(bridge.spec.source).definition.partitioned
    ? { maxSurge: 0, maxUnavailable: 1 }
    : { maxSurge: 1, maxUnavailable: 0 }

/** Seconds a pod may take to stop: the drain, and time to give up ownership and close. */
const graceSeconds = (bridge: Bridge): number => Math.ceil(milliseconds(bridge.spec.delivery.drainTimeout) / 1_000) + 10

export const desiredDeployment = (input: WorkloadInput): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: childMeta(input.bridge),
  spec: {
    replicas: input.replicas,
    revisionHistoryLimit: 2,
    selector: { matchLabels: podLabels(input.bridge.name) },
    strategy: { type: 'RollingUpdate', rollingUpdate: rollingUpdate(input.bridge) },
    template: desiredPodTemplate({ ...input, graceSeconds: graceSeconds(input.bridge) }),
  },
})
