import type { StreamBridge } from '../operator/kube/resources.ts'

const headings = ['NAME', 'READY', 'PHASE', 'SOURCE', 'SINK', 'REPLICAS', 'LAG', 'IN/S', 'OUT/S', 'MESSAGE'] as const

/** A cell of a fresh object is not there yet. */
const cell = (value: string | undefined): string => value ?? '-'

/** The operator has not looked yet. */
const notSeen = { status: 'Unknown', message: '' }

function cells({ metadata, status = {} }: StreamBridge): readonly string[] {
  const { conditions = [], phase, source, sink, readyReplicas = 0, desiredReplicas = 0, lag, throughput } = status
  const ready = conditions.find(({ type }) => type === 'Ready') ?? notSeen
  return [
    metadata.name,
    ready.status,
    cell(phase),
    cell(source?.type),
    cell(sink?.type),
    `${readyReplicas}/${desiredReplicas}`,
    cell(lag),
    cell(throughput?.inPerSecond),
    cell(throughput?.outPerSecond),
    ready.status === 'True' ? '' : ready.message,
  ]
}

/** What `kubectl get sbr -o wide` would say, as lines. */
export function table(bridges: readonly StreamBridge[]): readonly string[] {
  const rows = [headings, ...bridges.map(cells)]
  const widths = headings.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
