import { milliseconds } from '../../../crds/kit/units.ts'
import type { Source, SourceHost } from '../../core/contracts.ts'
import { coordinate } from '../../leases/coordinate.ts'
import type { ConnectorContext } from '../define-connector.ts'
import { Hub, type HubApi } from './hub.ts'
import { HubReader } from './read/partition-reader.ts'
import type { EventHubsSourceConfig } from './schema.ts'
import { startText } from './read/start.ts'

/** Opens an event hub for reading: its partitions are shared with the other replicas through the context's LeaseStore. */
export const openEventHubsSource = async (config: EventHubsSourceConfig, context: ConnectorContext): Promise<Source> =>
  eventHubsSource(new Hub(config, context, 'Listen'), config, context)

export function eventHubsSource(api: HubApi, config: EventHubsSourceConfig, context: ConnectorContext): Source {
  const { clock, leases, history, replica, log, onDataGap } = context
  return {
    async run(host, signal) {
      const readers = new Set<HubReader>()
      try {
        await coordinate(
          {
            finite: false,
            name: api.streamName,
            isMissing: ({ reason }) => reason === 'EventHubNotFound',
            identify: async (stopped) => (await api.describe(stopped)).stream,
            begin: (stopped) => startText(config.startPosition, api, stopped),
            discover: async (stopped) =>
              (await api.describe(stopped)).partitions.map((partition) => ({ partition, parents: [] })),
            open: (ownership) => {
              const { consumerGroup } = config
              const reader = new HubReader(ownership, {
                api,
                consumerGroup,
                onDataGap,
                replica,
                clock,
                log,
              })
              readers.add(reader)
              return reader
            },
          },
          {
            store: leases,
            history,
            replica,
            leaseDuration: milliseconds(config.leaseDuration),
            discoverInterval: milliseconds(config.partitionSyncInterval),
            clock,
            random: Math.random,
            log,
          },
          closing(host, readers),
          signal,
        )
      } finally {
        for (const reader of readers) reader.close()
      }
    },
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  }
}

/** A host that closes a reader's link once its partition was given away, so that the next owner finds it free. */
const closing = (host: SourceHost, readers: Set<HubReader>): SourceHost => ({
  ...host,
  revoked: async (revoked, how) => {
    await host.revoked(revoked, how)
    for (const reader of readers) {
      if (reader.partition !== revoked.partition || reader.epoch !== revoked.epoch) continue
      reader.close()
      readers.delete(reader)
    }
  },
})
