import { type ConnectorDefinition, defineSink } from '../define-connector.ts'
import { consoleSink } from './schema.ts'

export const consoleConnector = {
  name: 'console',
  summary: 'JSON lines on standard output',
  sink: defineSink({
    schema: consoleSink,
    lanes: 1,
    keepsPartitions: true,
    describe: () => ({ name: 'stdout' }),
    largestRecord: () => ({ bytes: Number.POSITIVE_INFINITY }),
    open: async () => (await import('./sink.ts')).openConsoleSink(),
  }),
} satisfies ConnectorDefinition
