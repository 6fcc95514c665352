import { type ConnectorDefinition, defineSink, defineSource } from '../define-connector.ts'
import { eventHubsSink, eventHubsSource } from './schema.ts'

export const eventHubs = {
  name: 'eventHubs',
  summary: 'Azure Event Hubs',
  source: defineSource({
    schema: eventHubsSource,
    partitioned: true,
    describe: (config) => ({ name: config.eventHubName }),
    open: async (config, context) => (await import('./source.ts')).openEventHubsSource(config, context),
  }),
  sink: defineSink({
    schema: eventHubsSink,
    lanes: 8,
    describe: (config) => ({ name: config.eventHubName }),
    open: async (config, context) => (await import('./sink.ts')).openEventHubsSink(config, context),
  }),
} satisfies ConnectorDefinition
