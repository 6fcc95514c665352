/** A Deployment as the workload of a bridge. */
import { type Deployment, deployments } from '../../../kube/resources.ts'
import type { WorkloadKind } from '../contract.ts'
import { changeOf } from './change.ts'
import { desiredDeployment } from './desired.ts'
import { rolloutOf } from './rollout.ts'

export const deploymentWorkload: WorkloadKind = {
  resource: deployments,
  desired: desiredDeployment,
  rolloutOf: (object) => rolloutOf(object as Deployment),
  changeOf: (before, next) => changeOf(before as Deployment, next as Deployment),
}
