/** What a comparison must reach at least. */
import type { Comparison, Figures } from './pair.ts'

const leastSpeedRatio = 3
const mostPeakBytes = 250_000_000

/** What falls short of the bar, one line each; empty when nothing does. */
export function shortfalls({ ours, peer }: Comparison): string[] {
  const ratio = ours.copy.recordsPerSecond / peer.copy.recordsPerSecond
  const lines: string[] = []
  if (ratio < leastSpeedRatio)
    lines.push(`${ratio.toFixed(2)} times the records/s of ${peer.contender}, not ${leastSpeedRatio}`)
  if (ours.peakBytes > mostPeakBytes)
    lines.push(`a peak of ${Math.round(ours.peakBytes / 1e6)} MB of memory, not ${mostPeakBytes / 1e6}`)
  return lines
}

/** What was not copied exactly once: then a comparison says nothing. */
export function losses({ contender, copy, latency }: Figures): string[] {
  const lines: string[] = []
  if (copy.surplus !== 0) lines.push(`${contender}: ${copy.surplus} records too many in the copy`)
  if (latency.lost + latency.duplicated > 0)
    lines.push(`${contender}: lost ${latency.lost}, duplicated ${latency.duplicated} at the steady rate`)
  return lines
}
