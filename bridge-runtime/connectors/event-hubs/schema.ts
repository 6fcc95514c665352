import { z } from 'zod'
import { textOf } from '../../../crds/kit/rules.ts'
import { secretKeyRef } from '../../../crds/kit/secrets.ts'
import { startPosition } from '../../../crds/kit/start-position.ts'
import { byteSize, duration } from '../../../crds/kit/units.ts'

const connection = {
  fullyQualifiedNamespace: textOf({
    pattern: /^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/,
    message: 'write the host of the namespace: NAMESPACE.servicebus.windows.net',
    maxLength: 253,
  }).meta({
    description:
      'Host of the namespace, `NAMESPACE.servicebus.windows.net`. The connection string must be for the same.',
  }),
  eventHubName: textOf({
    pattern: /^[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?$/,
    message: 'write the name of an event hub: letters, digits, dot, hyphen, underscore',
    maxLength: 256,
  }).meta({ description: 'Name of the event hub. An `EntityPath` in the connection string must be the same.' }),
  auth: z
    .object({
      connectionStringSecretRef: secretKeyRef(
        'A connection string of a shared access policy: of the namespace or of the event hub.',
      ),
    })
    .meta({ description: 'Credentials. A new value is used from the next connection or token on, without a restart.' }),
}

export const eventHubsSource = z
  .object({
    ...connection,
    consumerGroup: textOf({
      pattern: /^(\$Default|[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?)$/,
      message: 'write the name of a consumer group: $Default, or letters, digits, dot, hyphen, underscore',
      maxLength: 50,
    })
      .default('$Default')
      .meta({ description: 'Consumer group to read with. Give each bridge one of its own: the last reader wins.' }),
    startPosition: startPosition(['Earliest', 'Latest', 'Timestamp']),
    leaseDuration: duration('After this silence the partitions of a replica are taken by the others.', {
      min: '1s',
      max: '10m',
    }).default('15s'),
    partitionSyncInterval: duration('Time between two looks at the list of partitions.').default('30s'),
  })
  .meta({
    description:
      'Read an event hub of Azure Event Hubs. Positions and partition ownership live in Leases of the namespace.',
  })

export const eventHubsSink = z
  .object({
    ...connection,
    limits: z
      .object({
        maxRecords: z.int().min(1).max(10_000).default(500).meta({ description: 'Most records of one batch.' }),
        maxBatchBytes: byteSize('Most bytes of one batch. What the service allows is known and not exceeded.', {
          min: '1Ki',
          max: '100Mi',
        }).default('1Mi'),
      })
      .prefault({})
      .meta({ description: 'Limits of a request.' }),
  })
  .meta({
    description:
      'Write an event hub of Azure Event Hubs. The partition key is the source key; headers are application properties.',
  })

export type EventHubsSourceConfig = z.output<typeof eventHubsSource>
export type EventHubsSinkConfig = z.output<typeof eventHubsSink>
export type EventHubsConnectionConfig = Pick<EventHubsSourceConfig, 'fullyQualifiedNamespace' | 'eventHubName' | 'auth'>
