import { type ConnectorDefinition, defineSink, defineSource } from '../define-connector.ts'
import { kafkaSink, kafkaSource } from './schema.ts'

export const kafka = {
  name: 'kafka',
  summary: 'Apache Kafka',
  source: defineSource({
    schema: kafkaSource,
    partitioned: true,
    describe: (config) => ({ name: config.topicsPattern ?? (config.topics ?? []).join(',') }),
    open: async (config, context) => (await import('./source.ts')).openKafkaSource(config, context),
  }),
  sink: defineSink({
    schema: kafkaSink,
    lanes: 1,
    describe: (config) => ({ name: config.topic }),
    open: async (config, context) => (await import('./sink.ts')).openKafkaSink(config, context),
  }),
} satisfies ConnectorDefinition
