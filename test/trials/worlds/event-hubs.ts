import { eventHubsConnectionString } from '../../support/event-hubs.ts'
import { producerOf } from '../../support/event-hubs-sdk.ts'
import { sharedEventHubs } from '../../support/shared-servers.ts'
import { loseLeases } from './leases.ts'
import type { World } from './world.ts'

const auth = { connectionStringSecretRef: { name: 'azure', key: 'connection-string' } }

export async function eventHubsWorld(): Promise<World> {
  const { endpoint, admin } = await sharedEventHubs()
  return {
    broker: 'Event Hubs',
    secrets: { azure: { 'connection-string': eventHubsConnectionString(endpoint) } },
    source: (eventHubName, type) => ({
      eventHubs: {
        fullyQualifiedNamespace: endpoint.split(':')[0] ?? '',
        eventHubName,
        auth,
        leaseDuration: '4s',
        partitionSyncInterval: '1s',
        startPosition: { type },
      },
    }),
    create: async (hub, partitions) => void (await admin.createHub(hub, partitions)),
    remove: (hub) => admin.deleteHub(hub),
    async send(hub, values) {
      await using producer = producerOf(eventHubsConnectionString(endpoint, hub))
      const partitions = await producer.getPartitionIds()
      for (const [index, partitionId] of partitions.entries()) {
        const own = values.filter((_, at) => at % partitions.length === index)
        if (own.length > 0)
          await producer.sendBatch(
            own.map((value) => ({ body: Buffer.from(value) })),
            { partitionId },
          )
      }
    },
    losePosition: loseLeases,
    async [Symbol.asyncDispose]() {},
  }
}
