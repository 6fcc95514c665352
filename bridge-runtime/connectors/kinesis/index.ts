import { bytes } from '../../../crds/kit/units.ts'
import { type ConnectorDefinition, defineSink, defineSource } from '../define-connector.ts'
import { kinesisSink, kinesisSource } from './schema.ts'

const streamOf = (config: { streamName?: string | undefined; streamARN?: string | undefined }): string =>
  config.streamName ?? config.streamARN?.split('/').at(-1) ?? ''

export const kinesis = {
  name: 'kinesis',
  summary: 'Amazon Kinesis Data Streams',
  source: defineSource({
    schema: kinesisSource,
    partitioned: true,
    describe: (config) => ({ name: streamOf(config) }),
    largestRecord: () => 2 ** 20,
    open: async (config, context) => (await import('./source.ts')).openKinesisSource(config, context),
  }),
  sink: defineSink({
    schema: kinesisSink,
    lanes: 64,
    describe: (config) => ({ name: streamOf(config) }),
    largestRecord: ({ limits: { maxRecordBytes } }) => {
      const limit = bytes(maxRecordBytes)
      return { bytes: limit, field: { name: 'limits.maxRecordBytes', bytes: limit, also: 'the limit of the stream' } }
    },
    open: async (config, context) => (await import('./sink.ts')).openKinesisSink(config, context),
  }),
} satisfies ConnectorDefinition
