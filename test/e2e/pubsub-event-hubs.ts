/** Google's Pub/Sub emulator, which knows no credentials, and Event Hubs with shared access keys. */
import { eventHubsStream } from '../support/ends/event-hubs.ts'
import { pubsubStream } from '../support/ends/pubsub.ts'
import { eventHubsConnectionString, type EventHubsServer, startEventHubs } from '../support/event-hubs.ts'
import { createTopic, pubsubProject, type PubsubServer, startPubsub } from '../support/pubsub.ts'
import { bridgeNamespace, type Canary, type Flow, type Pair, partitions } from './flow.ts'
import { between } from './traffic.ts'

export interface PubsubAndEventHubs extends Pair {
  readonly pubsub: PubsubServer
  readonly eventHubs: EventHubsServer
  /** The present one of the bridges, for every hub. */
  readonly connectionString: () => string
}

/** The shared access policy of the bridges; its key changes. */
const bridges = 'bridges'
/** That of the test's own clients. */
const clients = { policy: 'clients', key: 'test-key' }

/** Starts both where pods reach them, with the topics and hubs of the examples. */
export async function pubsubAndEventHubs(host: string, canary: Canary): Promise<PubsubAndEventHubs> {
  let key = canary('event hubs key 1')
  let keys = 1
  const policies = (): Record<string, string> => ({ [bridges]: key, [clients.policy]: clients.key })
  const [pubsub, eventHubs] = await Promise.all([
    startPubsub({ host, heap: 1024 }),
    startEventHubs({
      host,
      durable: false,
      hubs: { payments: partitions, readings: partitions },
      consumerGroups: ['streambridge'],
      args: Object.entries(policies()).flatMap(([policy, value]) => ['--key', `${policy}=${value}`]),
    }),
  ])
  const { address } = pubsub
  const ackDeadlineSeconds = 10
  await createTopic(address, 'payments', ['payments-bridge'], { ackDeadlineSeconds })
  await createTopic(address, 'readings', ['readings-check'], { ackDeadlineSeconds })
  const connectionString = (): string => eventHubsConnectionString(eventHubs.endpoint, undefined, key, bridges)
  const forClients = (hub: string) =>
    eventHubsStream(eventHubsConnectionString(eventHubs.endpoint, hub, clients.key, clients.policy), partitions)
  const servers = () => ({
    connectors: {
      // It takes no credentials, and they are not sent over plain text.
      pubsub: { projectID: pubsubProject, endpoint: `http://${address}`, auth: {} },
      eventHubs: { fullyQualifiedNamespace: host },
    },
    secretData: { 'connection-string': connectionString(), 'key.json': 'not used' },
  })
  const toEventHubs: Flow = {
    name: 'Pub/Sub → Event Hubs',
    example: 'pubsub-to-event-hubs.yaml',
    target: { namespace: bridgeNamespace, bridge: 'payments-to-event-hubs' },
    headers: true,
    servers,
    open: async (run) => {
      const from = pubsubStream({ address, topic: 'payments' })
      return between({ from, to: forClients('payments') }, run)
    },
  }
  const toPubsub: Flow = {
    name: 'Event Hubs → Pub/Sub',
    example: 'event-hubs-to-pubsub.yaml',
    target: { namespace: bridgeNamespace, bridge: 'readings-to-pubsub' },
    headers: true,
    servers,
    open: async (run) => {
      const to = pubsubStream({ address, topic: 'readings', check: 'readings-check' })
      return between({ from: forClients('readings'), to }, run)
    },
  }
  return {
    pubsub,
    eventHubs,
    connectionString,
    flows: [toEventHubs, toPubsub],
    async rotate() {
      key = canary(`event hubs key ${++keys}`)
      await eventHubs.admin.setKeys(policies())
      return [toEventHubs, toPubsub]
    },
    async stop() {
      await Promise.all([pubsub.stop(), eventHubs.stop()])
    },
  }
}
