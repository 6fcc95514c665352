/** How pods of the in-process cluster become something that runs. */
import type { PodSpec } from '../../kube/pod-spec.ts'
import type { Pod } from '../../kube/resources.ts'

/** Content by path within the volume. */
export type VolumeFiles = ReadonlyMap<string, Buffer>

export interface Exit {
  readonly exitCode: number
  readonly signal?: string
  /** The last lines it printed. */
  readonly terminationMessage: string
}

export interface PodProcess {
  /** Resolves when it is over. Never rejects. */
  readonly exited: Promise<Exit>
  /** Sends SIGTERM, kills it after the grace period, and resolves when it has ended. */
  stop(graceSeconds: number): Promise<void>
}

/** The files and the address of one pod on this machine, over all restarts of its container. */
export interface PodSandbox {
  readonly podIP: string
  /** Replaces the content of the volumes, each at once. */
  write(volumes: ReadonlyMap<string, VolumeFiles>): Promise<void>
  start(): Promise<PodProcess>
  /** Removes what it left behind. */
  remove(): Promise<void>
}

export interface PodRunner {
  /** The spec as it can run here: done once, before the pod is stored. */
  place(spec: PodSpec): Promise<PodSpec>
  prepare(pod: Pod): Promise<PodSandbox>
}
