/** What was observed in one reconcile: the input of every decision. It holds no value of any Secret. */
import type { RuntimeReport } from '../../../crds/schema/report.ts'
import type { StreamBridge } from '../../kube/resources.ts'
import type { Bridge } from '../bridge.ts'
import type { Child } from '../owned.ts'
import type { SecretRef } from '../desired/secret-refs.ts'
import type { Workload } from '../workload/contract.ts'

/** A moment on both clocks, in milliseconds. */
export interface Instant {
  /** Since the epoch: for people. */
  readonly wall: number
  /** For durations. */
  readonly monotonic: number
}

export type Parsed =
  | { readonly kind: 'valid'; readonly bridge: Bridge }
  | { readonly kind: 'invalid'; readonly message: string }

export type SecretView =
  | { readonly kind: 'found'; readonly keys: readonly string[]; readonly checksum: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly message: string }

export interface SeenReport {
  readonly report: RuntimeReport
  /** Milliseconds on the monotonic clock. */
  readonly at: number
}

/** The last abnormal exit of a replica's process. */
export interface PodCrash {
  readonly restarts: number
  /** ` (last exit code 137, OOMKilled)` */
  readonly exit: string
  readonly outOfMemory: boolean
}

export interface ObservedPod {
  readonly name: string
  readonly uid: string
  readonly terminating: boolean
  readonly ready: boolean
  /** Why it does not run, as Kubernetes says. */
  readonly problem: string | undefined
  readonly crash: PodCrash | undefined
  /** Names of the ConfigMaps it mounts. */
  readonly configMaps: readonly string[]
  /** Where it answers; undefined until it has an address. */
  readonly statusUrl: string | undefined
  /** Its last report. */
  readonly seen: SeenReport | undefined
  /** Why the last request brought no report; undefined when it did. */
  readonly reportError: string | undefined
}

/** A write that the API server refused, so that repeating it cannot help. */
export interface Rejection {
  readonly kind: string
  readonly name: string
  /** HTTP status. */
  readonly status: number
  readonly message: string
}

export interface Observed {
  readonly stored: StreamBridge
  readonly parsed: Parsed
  /** Everything of one of our names or labels, ours or not. */
  readonly children: readonly Child[]
  /** Ours. */
  readonly workload: Workload | undefined
  readonly pods: readonly ObservedPod[]
  readonly refs: readonly SecretRef[]
  readonly secrets: ReadonlyMap<string, SecretView>
  /** True when PodMonitors can be made. */
  readonly podMonitors: boolean
  /** Milliseconds between two requests for the replicas' reports. */
  readonly interval: number
  /** When Secrets and objects were read, in milliseconds on the monotonic clock. */
  readonly secretsAt: number
  readonly objectsAt: number
}
