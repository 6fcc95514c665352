/** Reads topics as a member of a consumer group. */
import { bytes, milliseconds } from '../../../crds/kit/units.ts'
import type { Source, SourceHost } from '../../core/contracts.ts'
import type { ConnectorContext } from '../define-connector.ts'
import { Cluster } from './cluster/cluster.ts'
import { connectionOptions } from './cluster/connection.ts'
import { GroupReader } from './group/group-reader.ts'
import type { KafkaSourceConfig } from './schema.ts'

/** Milliseconds the others wait for one that is still draining before they share its partitions out. */
const rebalanceTimeout = 120_000

export const openKafkaSource = async (config: KafkaSourceConfig, context: ConnectorContext): Promise<Source> => ({
  async run(host: SourceHost, signal: AbortSignal): Promise<void> {
    const { bridge } = context
    const name = `streambridge.${bridge.namespace}.${bridge.name}`
    const maxWait = milliseconds(config.fetch.maxWait)
    const fetchTimeout = maxWait + 10_000
    await using cluster = new Cluster({
      clientId: name,
      bootstrapServers: config.bootstrapServers,
      // Read at every run: the engine runs a failed source again, perhaps with a new password.
      connection: await connectionOptions(config, context),
      timeouts: { group: rebalanceTimeout + 10_000, fetch: fetchTimeout, 'fetch-brief': fetchTimeout },
    })
    const reader = new GroupReader(cluster, host, {
      config,
      context,
      group: config.consumerGroup ?? name,
      sessionTimeout: milliseconds(config.sessionTimeout),
      rebalanceTimeout,
      maxWait,
      maxBytesPerPartition: bytes(config.fetch.maxBytesPerPartition),
    })
    await reader.run(signal)
  },
  // Everything opened belongs to a run, which closes it.
  async [Symbol.asyncDispose]() {},
})
