import { z } from 'zod'
import { oneOf, type Rule, textOf, withRules } from '../../../crds/kit/rules.ts'
import { mutualTlsRule, secretKeyRef, tls } from '../../../crds/kit/secrets.ts'
import { startPosition } from '../../../crds/kit/start-position.ts'
import { byteSize, duration } from '../../../crds/kit/units.ts'
import { targetNames } from '../../../crds/kit/target-names.ts'

const bootstrapServers = z
  .array(
    textOf({ pattern: /^[^:\s]+:[0-9]{1,5}$/, message: 'write host:port', maxLength: 300 }).meta({
      description: 'host:port of a broker.',
    }),
  )
  .min(1)
  .max(20)
  .meta({ description: 'Brokers to learn the cluster from.' })

const sasl = z
  .object({
    mechanism: z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']).meta({ description: 'How to prove the password.' }),
    usernameSecretRef: secretKeyRef('The user name.'),
    passwordSecretRef: secretKeyRef('The password.'),
    allowPlaintext: z.boolean().default(false).meta({
      description:
        'Let PLAIN send the password without TLS. Whoever is on the way, or answers under the address of the broker, then has it.',
    }),
  })
  .meta({ description: 'Log in with a user name and a password.' })

const connection = { bootstrapServers, tls: withRules(tls, [mutualTlsRule]).optional(), sasl: sasl.optional() }

type Connected = z.output<z.ZodObject<typeof connection>>

const noPasswordInPlainText: Rule<Connected> = {
  cel: "!has(self.sasl) || self.sasl.mechanism != 'PLAIN' || has(self.tls) || self.sasl.allowPlaintext",
  message:
    'PLAIN sends the password as it is: set tls, choose a SCRAM mechanism, or ask for it with sasl.allowPlaintext: true',
  holds: (value) => value.sasl?.mechanism !== 'PLAIN' || value.tls !== undefined || value.sasl.allowPlaintext,
}

const topicName = textOf({
  pattern: /^[a-zA-Z0-9._-]+$/,
  message: 'write a topic name: letters, digits, dot, underscore, hyphen',
  maxLength: 249,
})

/** Whether RE2 and JavaScript both take the expression: then matching it takes linear time in the API server, and here. */
function isPattern(value: string): boolean {
  if (/\(\?[^:]|\\[1-9k]/.test(value)) return false
  try {
    return new RegExp(value) instanceof RegExp
  } catch {
    return false
  }
}

const topicsPattern = withRules(z.string().min(1).max(250), [
  {
    // An expression that RE2 cannot compile makes the rule fail.
    cel: "''.matches(self) ? true : true",
    message: 'write a regular expression without look-ahead, look-behind and back-references',
    holds: isPattern,
  },
])

export const kafkaSource = withRules(
  z.object({
    ...connection,
    topics: z.array(topicName).min(1).max(100).meta({ description: 'Topics to read.' }).optional(),
    topicsPattern: topicsPattern
      .meta({
        description: 'Regular expression; every topic whose whole name matches is read, new ones within a minute.',
      })
      .optional(),
    consumerGroup: z
      .string()
      .min(1)
      .max(249)
      .meta({ description: 'Consumer group that holds the position. Default: streambridge.<namespace>.<name>.' })
      .optional(),
    startPosition: startPosition(['Earliest', 'Latest', 'Timestamp']),
    isolationLevel: z
      .enum(['ReadCommitted', 'ReadUncommitted'])
      .default('ReadCommitted')
      .meta({ description: 'Whether records of open or aborted transactions are read.' }),
    fetch: z
      .object({
        maxBytesPerPartition: byteSize('Most bytes one fetch brings of one partition.').default('1Mi'),
        maxDecodedBytes: byteSize(
          'Most memory one batch of records may take when it is decompressed. A larger one is not read: it is treated as a record that cannot be delivered.',
          { min: '1Mi', max: '16Gi' },
        ).default('64Mi'),
        maxWait: duration('How long the broker may wait for data before it answers.').default('500ms'),
      })
      .prefault({})
      .meta({ description: 'How the broker is asked.' }),
    sessionTimeout: duration('After this silence the broker gives the partitions of a replica to the others.', {
      min: '1s',
      max: '30m',
    }).default('30s'),
  }),
  [
    noPasswordInPlainText,
    {
      cel: 'has(self.topics) != has(self.topicsPattern)',
      message: 'set exactly one of: topics, topicsPattern',
      holds: (value) => (value.topics === undefined) !== (value.topicsPattern === undefined),
    },
  ],
).meta({ description: 'Read topics of Apache Kafka or anything that speaks its protocol.' })

export const kafkaSink = withRules(
  z.object({
    ...connection,
    topic: topicName.meta({ description: 'Topic to write. It must exist.' }).optional(),
    topicFrom: targetNames(topicName).optional(),
    partitioning: z.enum(['Key', 'SourcePartition']).default('Key').meta({
      description:
        'Key: by the hash of the key, as the Java client does. SourcePartition: partition n of the source to partition n of the sink (modulo their number).',
    }),
    compression: z
      .enum(['None', 'Gzip', 'Snappy', 'LZ4', 'Zstd'])
      .default('None')
      .meta({ description: 'How batches are compressed.' }),
    maxRequestBytes: byteSize(
      'Largest batch to send, and so the largest record. Default: what the topic accepts (max.message.bytes), as the broker says.',
    ).optional(),
    requestTimeout: duration('How long an unanswered request waits before it is sent again.').default('30s'),
  }),
  [noPasswordInPlainText, oneOf(['topic', 'topicFrom'])],
).meta({
  description:
    'Write a topic of Apache Kafka or anything that speaks its protocol: idempotent, acknowledged by all in-sync replicas.',
})

export type KafkaSourceConfig = z.output<typeof kafkaSource>
export type KafkaSinkConfig = z.output<typeof kafkaSink>
export type KafkaConnectionConfig = Pick<KafkaSourceConfig, 'bootstrapServers' | 'tls' | 'sasl'>
