import { bytes } from '../../../crds/kit/units.ts'
import { type ConnectorDefinition, defineSink, defineSource } from '../define-connector.ts'
import { eventHubsSink, eventHubsSource } from './schema.ts'

/** Bytes that a batch of one event adds to it, origin and time included. */
const ownBytes = 1_024

export const eventHubs = {
  name: 'eventHubs',
  summary: 'Azure Event Hubs',
  source: defineSource({
    schema: eventHubsSource,
    partitioned: true,
    describe: (config) => ({ name: config.eventHubName }),
    // Of the standard and premium tiers.
    largestRecord: () => 2 ** 20,
    open: async (config, context) => (await import('./source.ts')).openEventHubsSource(config, context),
  }),
  sink: defineSink({
    schema: eventHubsSink,
    lanes: 8,
    describe: (config) => ({ name: config.eventHubName }),
    largestRecord: ({ limits: { maxBatchBytes } }) => {
      const limit = bytes(maxBatchBytes)
      const field = { name: 'limits.maxBatchBytes', bytes: limit, also: 'use a tier that allows it' }
      return { bytes: limit - ownBytes, field }
    },
    open: async (config, context) => (await import('./sink.ts')).openEventHubsSink(config, context),
  }),
} satisfies ConnectorDefinition
