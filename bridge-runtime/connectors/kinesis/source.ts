import { milliseconds } from '../../../crds/kit/units.ts'
import type { Source } from '../../core/contracts.ts'
import { coordinate } from '../../leases/coordinate.ts'
import type { ConnectorContext } from '../define-connector.ts'
import { connect, type KinesisApi } from './connection.ts'
import { streamLook, streamName } from './shards/identity.ts'
import type { KinesisSourceConfig } from './schema.ts'
import { ShardReader } from './read/shard-reader.ts'
import { listed, startText } from './shards/lineage.ts'

/** Opens a stream for reading: its shards are shared with the other replicas through the context's LeaseStore. */
export const openKinesisSource = async (config: KinesisSourceConfig, context: ConnectorContext): Promise<Source> =>
  kinesisSource(connect(config, context), config, context)

export function kinesisSource(api: KinesisApi, config: KinesisSourceConfig, context: ConnectorContext): Source {
  const { clock, leases, history, replica, log, onDataGap } = context
  const random = Math.random
  return {
    async run(host, signal) {
      const identify = streamLook(api, clock)
      await coordinate(
        {
          finite: false,
          name: streamName(api),
          isMissing: ({ reason }) => reason === 'StreamNotFound',
          identify,
          begin: (stopped) => startText(config.startPosition, { api, clock }, stopped),
          discover: async (stopped) => listed(await api.shards(stopped)),
          open: (ownership) =>
            new ShardReader(ownership, {
              api,
              identify,
              interval: milliseconds(config.polling.interval),
              maxRecords: config.polling.maxRecords,
              onDataGap,
              clock,
              random,
            }),
        },
        {
          store: leases,
          history,
          replica,
          leaseDuration: milliseconds(config.leaseDuration),
          discoverInterval: milliseconds(config.shardSyncInterval),
          clock,
          random,
          log,
        },
        host,
        signal,
      )
    },
    async [Symbol.asyncDispose]() {
      api.close()
    },
  }
}
