import { type ConnectorDefinition, defineSink, defineSource } from '../define-connector.ts'
import { pubsubSink, pubsubSource } from './schema.ts'

export const pubsub = {
  name: 'pubsub',
  summary: 'Google Cloud Pub/Sub',
  source: defineSource({
    schema: pubsubSource,
    partitioned: false,
    describe: ({ projectID, subscription, topic }) => ({ name: `${projectID}/${subscription ?? topic ?? ''}` }),
    open: async (config, context) => (await import('./source.ts')).openPubsubSource(config, context),
  }),
  sink: defineSink({
    schema: pubsubSink,
    lanes: 64,
    describe: ({ projectID, topic }) => ({ name: `${projectID}/${topic}` }),
    open: async (config, context) => (await import('./sink.ts')).openPubsubSink(config, context),
  }),
} satisfies ConnectorDefinition
