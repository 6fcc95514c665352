import { type ConnectorDefinition, defineSource } from '../define-connector.ts'
import { generatorSource } from './schema.ts'

export const generator = {
  name: 'generator',
  summary: 'Web access-log lines, made up',
  source: defineSource({
    schema: generatorSource,
    partitioned: true,
    describe: () => ({ name: 'access-log' }),
    largestRecord: () => 1_024,
    open: async (config, context) => (await import('./source.ts')).openGeneratorSource(config, context),
  }),
} satisfies ConnectorDefinition
