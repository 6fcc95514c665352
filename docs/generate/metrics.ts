/** Every metric, from the registries themselves. */
import { type Registry } from 'prom-client'
import { realClock } from '../../bridge-runtime/core/clock.ts'
import { createMetrics, metricTable } from '../../bridge-runtime/observability/metrics.ts'
import { createMetrics as createOperatorMetrics } from '../../operator/metrics.ts'

interface Metric {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly labels: readonly string[]
}

/** By the end of the name, as Prometheus' conventions have it. */
const units: readonly (readonly [RegExp, string])[] = [
  [/_seconds$/, 'seconds'],
  [/bytes(_in)?(_total)?$/, 'bytes'],
  [/records(_in|_out)?(_total)?$/, 'records'],
  [/(dead_lettered|retries|repeats|filtered)_total$/, 'records'],
]

const unitOf = (name: string): string => units.find(([form]) => form.test(name))?.[1] ?? ''

/** Those of ours that are in a registry as soon as it is made. */
function metricsOf(registry: Registry): readonly Metric[] {
  const metrics = registry.getMetricsAsArray() as unknown as readonly {
    readonly name: string
    readonly help: string
    readonly labelNames?: readonly string[]
    readonly constructor: { readonly name: string }
  }[]
  return metrics
    .filter(({ name }) => name.startsWith('streambridge_'))
    .map(({ name, help, labelNames = [], constructor }) => ({
      name,
      type: constructor.name.toLowerCase(),
      help,
      labels: labelNames,
    }))
}

function table(metrics: readonly Metric[]): string {
  const rows = [...metrics]
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .map(({ name, type, help, labels }) => {
      const cells = [`\`${name}\``, type, labels.map((label) => `\`${label}\``).join(', '), unitOf(name), help]
      return `| ${cells.join(' | ')} |`
    })
  return ['| Metric | Type | Labels | Unit | Meaning |', '|---|---|---|---|---|', ...rows].join('\n')
}

export function metricsPage(): string {
  const observed = Object.entries(metricTable).map(([name, metric]) => ({ name, ...metric }))
  const runtime = [...observed, ...metricsOf(createMetrics(realClock).registry)]
  const operator = metricsOf(createOperatorMetrics(() => new Map()).registry)
  return `# Metrics

Every replica and the operator answer \`GET /metrics\` in Prometheus' format, each with the metrics of its own process (\`process_*\`, \`nodejs_*\`) as well.

## Of a replica

${table(runtime)}

## Of the operator

${table(operator)}
`
}
