import { type ConnectorDefinition, defineSink } from '../define-connector.ts'
import { fileSink } from './schema.ts'

export const file = {
  name: 'file',
  summary: 'JSON lines in files',
  sink: defineSink({
    schema: fileSink,
    lanes: 1,
    keepsPartitions: true,
    describe: (config) => ({ name: config.path }),
    largestRecord: () => ({ bytes: Number.POSITIVE_INFINITY }),
    open: async (config) => (await import('./sink.ts')).openFileSink(config),
  }),
} satisfies ConnectorDefinition
