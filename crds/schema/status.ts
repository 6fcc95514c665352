/** The StreamBridge's status: what is true, as last seen. Absent means unknown. */
import { z } from 'zod'

const text = (description: string) => z.string().max(1024).meta({ description })
const time = (description: string) => z.string().meta({ description, format: 'date-time' })
const count = (description: string) => z.int().min(0).meta({ description })

const condition = z.object({
  type: z.string().max(316),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string().min(1).max(1024),
  message: z.string().max(32_768),
  lastTransitionTime: z.string().meta({ format: 'date-time' }),
  observedGeneration: z.int().min(0).optional(),
})

export const phases = [
  'Pending',
  'Starting',
  'Running',
  'Completed',
  'Degraded',
  'Paused',
  'Idle',
  'Deleting',
  'Failed',
] as const

export const status = z
  .object({
    observedGeneration: z
      .int()
      .min(0)
      .meta({ description: 'Generation of the spec this status speaks of.' })
      .optional(),
    phase: z.enum(phases).meta({ description: 'One word for it.' }).optional(),
    conditions: z
      .array(condition)
      .max(20)
      .meta({
        description: 'What is true and why.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['type'],
      })
      .optional(),
    selector: text('Label selector of the pods, for the scale subresource.').optional(),
    replicas: count('Replicas that exist.').optional(),
    readyReplicas: count('Replicas that are ready.').optional(),
    updatedReplicas: count('Replicas that run the present spec.').optional(),
    desiredReplicas: count('Replicas that the present scaling decision wants.').optional(),
    lag: text('How far behind, for people: `0`, `1840 (2s)`, `12s`. Absent means unknown.').optional(),
    source: z
      .object({
        type: text('Kind of source.'),
        endpoint: text('Topic, stream or path.'),
        partitions: count('Partitions that can be read in parallel.').optional(),
        assignedPartitions: count('Partitions that a replica owns.').optional(),
        lagRecords: count('Records behind the end.').optional(),
        lagSeconds: count('Seconds behind the end.').optional(),
        observedAt: time('When the replicas reported this.').optional(),
      })
      .optional(),
    sink: z.object({ type: text('Kind of sink.'), endpoint: text('Topic, stream or path.') }).optional(),
    throughput: z
      .object({
        inPerSecond: text('Records read per second.'),
        outPerSecond: text('Records delivered per second.'),
      })
      .optional(),
    steps: z
      .array(
        z.object({
          step: text('The path of the step in the spec.'),
          in: count('Records it was given.'),
          filtered: count('Records it left out.'),
          failed: count('Records it could not take.'),
        }),
      )
      .max(64)
      .meta({ description: 'What each step on the way did, in the replicas that run now.' })
      .optional(),
    checkpoint: z
      .object({
        lastCommittedAt: time('When a position was last committed.').optional(),
        oldestUnsettledSeconds: count('Age of the oldest record that is read and not settled.').optional(),
      })
      .optional(),
    deadLetter: z
      .object({
        total: count(
          'Records dead-lettered since the StreamBridge was made, by all the replicas it has had. It never falls.',
        ),
        lastReason: text('Why the last one was.').optional(),
        counted: z
          .array(z.object({ replica: text('Name of the pod.'), total: count('Of its process.') }))
          .max(4_000)
          .meta({ description: 'What the total holds of the present replicas.' })
          .optional(),
      })
      .optional(),
    lastError: z
      .object({
        component: text('source, transform, sink, deadLetter or checkpoint.'),
        reason: text('Stable word.'),
        message: text('What failed, with which name, what to do.'),
        count: count('How often since it began.'),
        firstAt: time('When it began.'),
        lastAt: time('When it last happened.'),
      })
      .optional(),
    scaling: z
      .object({
        lastScaledAt: time('When the number of replicas was last changed.').optional(),
        from: count('Replicas before.').optional(),
        to: count('Replicas after.').optional(),
        reason: text('Why.').optional(),
      })
      .optional(),
  })
  .meta({ description: 'What is true. Written by the operator only.' })

export type StreamBridgeStatus = z.output<typeof status>
export type Condition = z.output<typeof condition>
export type Phase = (typeof phases)[number]
