import { type ConnectorDefinition, defineSink, defineSource } from '../define-connector.ts'
import { pubsubSink, pubsubSource } from './schema.ts'

/** Bytes, attributes included. Source: https://cloud.google.com/pubsub/quotas */
const largestMessage = 10_000_000
/** Bytes that origin and time take at most. */
const ownBytes = 512

export const pubsub = {
  name: 'pubsub',
  summary: 'Google Cloud Pub/Sub',
  source: defineSource({
    schema: pubsubSource,
    partitioned: false,
    describe: ({ projectID, subscription, topic }) => ({ name: `${projectID}/${subscription ?? topic ?? ''}` }),
    largestRecord: () => largestMessage,
    open: async (config, context) => (await import('./source.ts')).openPubsubSource(config, context),
  }),
  sink: defineSink({
    schema: pubsubSink,
    lanes: 64,
    describe: ({ projectID, topic }) => ({ name: `${projectID}/${topic}` }),
    largestRecord: () => ({ bytes: largestMessage - ownBytes }),
    open: async (config, context) => (await import('./sink.ts')).openPubsubSink(config, context),
  }),
} satisfies ConnectorDefinition
