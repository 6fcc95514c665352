import type { StreamBridge } from '../operator/kube/resources.ts'

const headings = ['NAME', 'READY', 'PHASE', 'SOURCE', 'SINK', 'REPLICAS', 'LAG', 'IN/S', 'OUT/S', 'MESSAGE'] as const

function lag(source: NonNullable<StreamBridge['status']>['source']): string {
  const parts = [
    ...(source?.lagRecords === undefined ? [] : [`${source.lagRecords} records`]),
    ...(source?.lagSeconds === undefined ? [] : [`${source.lagSeconds} s`]),
  ]
  return parts.length === 0 ? '-' : parts.join(', ')
}

function row({ metadata, status }: StreamBridge): readonly string[] {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  return [
    metadata.name,
    ready?.status ?? 'Unknown',
    status?.phase ?? 'Pending',
    status?.source?.type ?? '-',
    status?.sink?.type ?? '-',
    `${status?.readyReplicas ?? 0}/${status?.desiredReplicas ?? status?.replicas ?? 0}`,
    lag(status?.source),
    status?.throughput?.inPerSecond ?? '-',
    status?.throughput?.outPerSecond ?? '-',
    ready?.status === 'True' ? '' : (ready?.message ?? ''),
  ]
}

/** What `kubectl get sbr -o wide` would say, as lines. */
export function table(bridges: readonly StreamBridge[]): readonly string[] {
  const rows = [headings, ...bridges.map(row)]
  const widths = headings.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)))
  return rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
