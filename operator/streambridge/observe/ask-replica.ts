/** Requests the report of a replica. */
import type { Clock } from '../../../bridge-runtime/core/clock.ts'
import { runtimeReport } from '../../../crds/schema/report.ts'
import type { ObservedPod } from './observed.ts'

/** *Errors*: rejects when the replica gives no JSON within its deadline. */
export type ReadReport = (url: string) => Promise<unknown>

export interface AskOptions {
  readonly clock: Clock
  readonly readReport: ReadReport
  /** Milliseconds between two requests. */
  readonly interval: number
}

/** A replica as its Pod says, before its report is requested. */
export type PodWithoutReport = Omit<ObservedPod, 'seen' | 'reportError'>

/** Requests the report, unless there is a recent one. */
export async function askReplica(
  options: AskOptions,
  pod: PodWithoutReport,
  before: ObservedPod | undefined,
): Promise<ObservedPod> {
  const { clock, readReport, interval } = options
  const seen = before?.seen
  if (pod.statusUrl === undefined) return { ...pod, seen, reportError: 'it has no address yet' }
  if (seen !== undefined && before?.reportError === undefined && clock.monotonic() - seen.at < interval / 2)
    return { ...pod, seen, reportError: undefined }
  try {
    const answer = runtimeReport.safeParse(await readReport(pod.statusUrl))
    if (!answer.success) return { ...pod, seen, reportError: 'its report is not understood' }
    return { ...pod, seen: { report: answer.data, at: clock.monotonic() }, reportError: undefined }
  } catch {
    return { ...pod, seen, reportError: 'it does not answer' }
  }
}
