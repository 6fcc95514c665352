import { z } from 'zod'
import { type Rule, textOf, withRules } from '../../../crds/kit/rules.ts'
import { secretKeyRef } from '../../../crds/kit/secrets.ts'
import { startPosition } from '../../../crds/kit/start-position.ts'
import { byteSize, duration } from '../../../crds/kit/units.ts'

const auth = withRules(
  z.object({
    accessKeyIdSecretRef: secretKeyRef('The access key id.').optional(),
    secretAccessKeySecretRef: secretKeyRef('The secret access key.').optional(),
    sessionTokenSecretRef: secretKeyRef('The session token of temporary credentials.').optional(),
  }),
  [
    {
      cel: 'has(self.accessKeyIdSecretRef) == has(self.secretAccessKeySecretRef)',
      message:
        'accessKeyIdSecretRef and secretAccessKeySecretRef go together: set both, or neither for workload identity',
      holds: (value) => (value.accessKeyIdSecretRef === undefined) === (value.secretAccessKeySecretRef === undefined),
    },
    {
      cel: '!has(self.sessionTokenSecretRef) || has(self.accessKeyIdSecretRef)',
      message: 'sessionTokenSecretRef needs accessKeyIdSecretRef and secretAccessKeySecretRef',
      holds: (value) => value.sessionTokenSecretRef === undefined || value.accessKeyIdSecretRef !== undefined,
    },
  ],
)
  .prefault({})
  .meta({
    description: 'Credentials. Empty: workload identity (IRSA, EKS Pod Identity) through the SDK’s default chain.',
  })

const connection = {
  streamName: textOf({
    pattern: /^[a-zA-Z0-9_.-]+$/,
    message: 'write a stream name: letters, digits, underscore, dot, hyphen',
    maxLength: 128,
  })
    .meta({ description: 'Name of the stream.' })
    .optional(),
  streamARN: textOf({
    pattern: /^arn:aws[^:]*:kinesis:[^:]+:[0-9]{12}:stream\/[a-zA-Z0-9_.-]+$/,
    message: 'write arn:aws:kinesis:REGION:ACCOUNT:stream/NAME',
    maxLength: 2048,
  })
    .meta({ description: 'ARN of the stream, for one of another account.' })
    .optional(),
  region: textOf({ pattern: /^[a-z0-9-]+$/, message: 'write an AWS region: eu-west-1', maxLength: 64 }).meta({
    description: 'AWS region of the stream.',
  }),
  endpoint: textOf({
    pattern: /^https?:\/\/[^\s]+$/,
    message: 'write a URL that begins with http:// or https://',
    maxLength: 500,
  })
    .meta({ description: 'Another endpoint than the region’s own: a VPC endpoint, an emulator.' })
    .optional(),
  auth,
}

const oneStream: Rule<{ streamName?: string | undefined; streamARN?: string | undefined }> = {
  cel: 'has(self.streamName) != has(self.streamARN)',
  message: 'set exactly one of: streamName, streamARN',
  holds: (value) => (value.streamName === undefined) !== (value.streamARN === undefined),
}

export const kinesisSource = withRules(
  z.object({
    ...connection,
    startPosition: startPosition(['Earliest', 'Latest', 'Timestamp']),
    polling: z
      .object({
        interval: duration(
          'Time between two reads of a shard that is caught up. A shard allows five reads a second to all of its consumers together.',
        ).default('1s'),
        maxRecords: z.int().min(1).max(10_000).default(10_000).meta({
          description: 'Most records one read brings. Large records are read in smaller pages, of about 2 MiB.',
        }),
      })
      .prefault({})
      .meta({ description: 'How shards are read.' }),
    leaseDuration: duration('After this silence the shards of a replica are taken by the others.', {
      min: '1s',
      max: '10m',
    }).default('15s'),
    shardSyncInterval: duration('Time between two looks at the list of shards.').default('30s'),
  }),
  [oneStream],
).meta({
  description: 'Read an Amazon Kinesis data stream. Positions and shard ownership live in Leases of the namespace.',
})

export const kinesisSink = withRules(
  z.object({
    ...connection,
    ordering: z.enum(['Strict', 'Relaxed']).default('Strict').meta({
      description:
        'Strict: one record per key and request, so that a partial failure cannot reorder a key. Relaxed: more records per request; a partial failure may reorder records of one key within that request.',
    }),
    limits: z
      .object({
        maxRecords: z.int().min(1).max(500).default(500).meta({ description: 'Most records of one request.' }),
        maxRequestBytes: byteSize('Most bytes of one request.').default('5Mi'),
        maxRecordBytes: byteSize(
          'Largest record, key included; raise it together with the stream’s own limit.',
        ).default('1Mi'),
      })
      .prefault({})
      .meta({ description: 'The limits of the service.' }),
  }),
  [oneStream],
).meta({
  description: 'Write an Amazon Kinesis data stream. The partition key is the source key. Headers are not carried.',
})

export type KinesisSourceConfig = z.output<typeof kinesisSource>
export type KinesisSinkConfig = z.output<typeof kinesisSink>
export type KinesisConnectionConfig = Pick<
  KinesisSourceConfig,
  'streamName' | 'streamARN' | 'region' | 'endpoint' | 'auth'
>
