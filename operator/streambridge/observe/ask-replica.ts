/** Asks a replica how it is. */
import type { Clock } from '../../../bridge-runtime/core/clock.ts'
import { runtimeReport } from '../../../crds/schema/report.ts'
import type { ObservedPod } from './observed.ts'

/** Asks one replica. *Errors*: rejects when it gives no JSON within its deadline. */
export type ReadReport = (url: string) => Promise<unknown>

export interface AskOptions {
  readonly clock: Clock
  readonly readReport: ReadReport
  /** Milliseconds between two questions. */
  readonly interval: number
}

/** A replica that was not asked yet. */
export type SilentPod = Omit<ObservedPod, 'seen' | 'silence'>

/** Asks the replica, unless it was asked just now. */
export async function askReplica(
  options: AskOptions,
  pod: SilentPod,
  before: ObservedPod | undefined,
): Promise<ObservedPod> {
  const { clock, readReport, interval } = options
  const seen = before?.seen
  if (pod.statusUrl === undefined) return { ...pod, seen, silence: 'it has no address yet' }
  if (seen !== undefined && before?.silence === undefined && clock.monotonic() - seen.at < interval / 2)
    return { ...pod, seen, silence: undefined }
  try {
    const answer = runtimeReport.safeParse(await readReport(pod.statusUrl))
    if (!answer.success) return { ...pod, seen, silence: 'its report is not understood' }
    return { ...pod, seen: { report: answer.data, at: clock.monotonic() }, silence: undefined }
  } catch {
    return { ...pod, seen, silence: 'it does not answer' }
  }
}
