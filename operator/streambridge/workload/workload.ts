/** The kind of workload that runs bridges. */
import type { WorkloadKind } from './contract.ts'
import { deploymentWorkload } from './deployment/deployment.ts'

export const workloadKind: WorkloadKind = deploymentWorkload
