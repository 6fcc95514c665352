import { bytes } from '../../../crds/kit/units.ts'
import { type ConnectorDefinition, defineSink, defineSource } from '../define-connector.ts'
import { describeTargets, targetOf } from '../../../crds/kit/target-names.ts'
import { kafkaSink, kafkaSource } from './schema.ts'

/** Bytes that a batch of one record adds to it, the header with its origin included. */
const batchOverhead = 512
/** max.message.bytes of a topic as brokers make it. */
const topicDefault = 1_048_588

export const kafka = {
  name: 'kafka',
  summary: 'Apache Kafka',
  source: defineSource({
    schema: kafkaSource,
    partitioned: true,
    positionFields: ['consumerGroup'],
    collectsEarly: true,
    describe: (config) => ({ name: config.topicsPattern ?? (config.topics ?? []).join(',') }),
    // max.message.bytes of a topic with default settings, less what a batch of one record takes for itself.
    largestRecord: () => topicDefault - 72,
    open: async (config, context) => (await import('./source.ts')).openKafkaSource(config, context),
  }),
  sink: defineSink({
    schema: kafkaSink,
    lanes: 1,
    keepsPartitions: { field: 'partitioning', value: 'SourcePartition' },
    collectsEarly: true,
    describe: ({ topic, topicFrom }) => ({
      name: topic ?? (topicFrom === undefined ? '' : describeTargets(topicFrom)),
    }),
    targetOf: ({ topic, topicFrom }, stream) => topic ?? targetOf(topicFrom, stream),
    largestRecord: ({ maxRequestBytes }) => {
      if (maxRequestBytes === undefined) return { bytes: topicDefault - batchOverhead, asked: true }
      const limit = bytes(maxRequestBytes)
      const field = { name: 'maxRequestBytes', bytes: limit, also: 'max.message.bytes of the topic' }
      return { bytes: limit - batchOverhead, field }
    },
    open: async (config, context) => (await import('./sink.ts')).openKafkaSink(config, context),
  }),
} satisfies ConnectorDefinition
