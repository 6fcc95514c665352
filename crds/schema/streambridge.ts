/** The StreamBridge: what a person may write under `spec`. */
import { z } from 'zod'
import { sinkSchemas, sourceSchemas } from '../../bridge-runtime/connectors/catalog.ts'
import { exactlyOne, textOf, withRules } from '../kit/rules.ts'
import { byteSize, duration } from '../kit/units.ts'
import { partitionsAreKept, positionsAreKept } from './connector-rules.ts'
import { lifecycle } from './lifecycle.ts'
import { podTemplate } from './pod-template.ts'
import { status } from './status.ts'
import { keysAreKept, onTheWay, textIsDecoded } from './transforms.ts'

export const group = 'streambridge.dev'
export const version = 'v1alpha1'
export const apiVersion = `${group}/${version}`
export const kind = 'StreamBridge'
export const plural = 'streambridges'
/** On the CustomResourceDefinition: which schema it holds. */
export const schemaHashAnnotation = `${group}/schema-hash`

const source = exactlyOne(sourceSchemas).meta({
  description: 'Where records come from.',
})

const sink = exactlyOne(sinkSchemas).meta({
  description: 'Where records go.',
})

const deadLetterSink = exactlyOne(sinkSchemas).meta({
  description: 'Where records go that can never be delivered, with their origin, the reason and the original bytes.',
})

const delivery = withRules(
  z.object({
    ordering: z.enum(['PerKey', 'PerPartition', 'None']).default('PerKey').meta({
      description: 'What keeps its order from source to sink: records of one key, of one source partition, or nothing.',
    }),
    maxInFlightBytes: byteSize(
      'Most payload bytes one replica holds between source and sink. When full it stops reading.',
    ).default('32Mi'),
    maxRecordsPerSecond: z
      .int()
      .min(1)
      .max(100_000_000)
      .meta({
        description:
          'Most records per second one replica moves, evenly, to spare the sink. What is read beyond that waits, within maxInFlightBytes. Default: no limit.',
      })
      .optional(),
    commitInterval: duration(
      'Time between two commits of the position. After a crash what was delivered since is delivered again.',
    ).default('1s'),
    retry: z
      .object({
        initialBackoff: duration('Longest wait before the first repetition.').default('200ms'),
        maxBackoff: duration('Longest wait between two repetitions.').default('30s'),
      })
      .prefault({})
      .meta({
        description: 'A failed write is repeated until it succeeds, after a random wait that doubles up to a limit.',
      }),
    onFailure: z.enum(['Stop', 'DeadLetter']).default('Stop').meta({
      description:
        'What happens at a record that can never be delivered: its partition stops there, or it goes to the dead-letter sink.',
    }),
    deadLetter: deadLetterSink.optional(),
    onDataGap: z.enum(['Stop', 'Continue']).default('Stop').meta({
      description:
        'What happens when the source has dropped records that were not read yet: stop and say so, or go on at its earliest record.',
    }),
    drainTimeout: duration('How long a stopping replica may finish what is in flight.', { max: '10m' }).default('25s'),
  }),
  [
    {
      cel: "has(self.deadLetter) == (self.onFailure == 'DeadLetter')",
      message: 'deadLetter goes with onFailure: DeadLetter, and only with it',
      holds: (value) => (value.deadLetter !== undefined) === (value.onFailure === 'DeadLetter'),
    },
  ],
)
  .prefault({})
  .meta({ description: 'What is promised on the way.' })

const direction = (defaults: { stabilization: string; maxStep: number; cooldown: string }) =>
  z.object({
    stabilization: duration('The need must hold this long.', { min: '0s' }).default(defaults.stabilization),
    maxStep: z
      .int()
      .min(1)
      .max(1000)
      .default(defaults.maxStep)
      .meta({ description: 'Most replicas added or removed at once.' }),
    cooldown: duration('Rest after a change before the next one in this direction.', { min: '0s' }).default(
      defaults.cooldown,
    ),
  })

const scaling = withRules(
  z.object({
    mode: z.enum(['Lag', 'Fixed', 'External']).default('Fixed').meta({
      description:
        'Lag: the operator follows the lag between minReplicas and maxReplicas. Fixed: spec.replicas. External: an HPA or KEDA writes spec.replicas through the scale subresource.',
    }),
    minReplicas: z
      .int()
      .min(0)
      .max(1000)
      .default(1)
      .meta({ description: 'Fewest replicas with mode Lag. 0 stops an idle bridge.' }),
    maxReplicas: z
      .int()
      .min(1)
      .max(1000)
      .default(10)
      .meta({ description: 'Most replicas with mode Lag. Never more than the source has partitions.' }),
    targetDrain: duration('Lag is fine while it can be worked off within this time.').default('60s'),
    tolerance: z.int().min(0).max(100).default(20).meta({
      description: 'Percent by which the need may differ from the present replicas before anything is changed.',
    }),
    scaleUp: direction({ stabilization: '30s', maxStep: 4, cooldown: '60s' })
      .prefault({})
      .meta({ description: 'How fast replicas are added.' }),
    scaleDown: direction({ stabilization: '5m', maxStep: 1, cooldown: '3m' })
      .prefault({})
      .meta({ description: 'How fast replicas are removed.' }),
    scaleToZero: z
      .object({
        idle: duration('How long nothing must have come in before the last replica stops.', { min: '0s' }).default(
          '10m',
        ),
        probe: duration('At zero replicas one replica is started this often, to look whether there is work.').default(
          '60s',
        ),
      })
      .prefault({})
      .meta({ description: 'With minReplicas 0.' }),
  }),
  [
    {
      cel: 'self.minReplicas <= self.maxReplicas',
      message: 'minReplicas must not be greater than maxReplicas',
      holds: (value) => value.minReplicas <= value.maxReplicas,
    },
  ],
)
  .prefault({})
  .meta({ description: 'How many replicas run.' })

export const spec = withRules(
  z.object({
    source,
    ...onTheWay,
    sink,
    delivery,
    scaling,
    replicas: z
      .int()
      .min(0)
      .max(1000)
      .meta({
        description:
          'Replicas. With mode Fixed absent means 1. With mode External the number to start from, which the autoscaler changes. Not allowed with mode Lag.',
      })
      .optional(),
    lifecycle,
    image: z.string().min(1).max(500).meta({ description: 'Runtime image. Default: the operator’s own.' }).optional(),
    serviceAccountName: textOf({
      pattern: /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
      message: 'write the name of a ServiceAccount',
      maxLength: 253,
    })
      .meta({ description: 'ServiceAccount of the pods, for workload identity. Default: one the operator makes.' })
      .optional(),
    template: podTemplate.prefault({}),
    observability: z
      .object({
        logLevel: z
          .enum(['debug', 'info', 'warn', 'error'])
          .default('info')
          .meta({ description: 'Least severe log lines to print.' }),
        podMonitor: z
          .object({
            enabled: z.boolean().default(false).meta({ description: 'Make a PodMonitor, where its CRD is installed.' }),
            interval: duration('Scrape interval.').default('30s'),
          })
          .prefault({})
          .meta({ description: 'Scraping by the Prometheus operator.' }),
      })
      .prefault({})
      .meta({ description: 'Logs and metrics.' }),
  }),
  [
    partitionsAreKept,
    keysAreKept,
    textIsDecoded,
    {
      cel: "!has(self.replicas) || self.scaling.mode != 'Lag'",
      message: 'replicas has no effect with scaling.mode Lag: remove it, or set scaling.mode to Fixed or External',
      holds: (value) => value.replicas === undefined || value.scaling.mode !== 'Lag',
    },
    {
      cel: "self.scaling.mode != 'External' || has(self.replicas)",
      message: 'scaling.mode External needs replicas: the number to start from, which the autoscaler then changes',
      holds: (value) => value.scaling.mode !== 'External' || value.replicas !== undefined,
    },
    ...positionsAreKept,
    {
      cel: "!has(self.lifecycle.reset) || (has(oldSelf.lifecycle.reset) && oldSelf.lifecycle.reset.token == self.lifecycle.reset.token) || oldSelf.lifecycle.desiredState == 'Paused' || self.lifecycle.desiredState == 'Paused'",
      message: 'lifecycle.reset forgets every position: set lifecycle.desiredState to Paused before you change it',
    },
  ],
).meta({ description: 'What the bridge should do.' })

const nameForm = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

export const streamBridge = withRules(
  z.object({
    apiVersion: z.literal(apiVersion),
    kind: z.literal(kind),
    metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
    spec,
    status: status.optional(),
  }),
  [
    {
      at: ['metadata', 'name'],
      cel: 'self.metadata.name.size() <= 52',
      message: 'a name may have 52 characters: the names of its pods are made from it',
      holds: ({ metadata }) => metadata.name.length <= 52,
    },
    {
      at: ['metadata', 'name'],
      cel: `self.metadata.name.matches('${nameForm.source}')`,
      message: 'write lower-case letters, digits and hyphens, with a letter or digit at both ends',
      holds: ({ metadata }) => nameForm.test(metadata.name),
    },
  ],
)

export type StreamBridgeSpec = z.output<typeof spec>
/** What a manifest holds, before defaults. */
export type StreamBridgeSpecInput = z.input<typeof spec>
