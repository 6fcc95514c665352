/** Bridges with something wrong at one end, and what a person is told of it: for brokers that have no place in the status guide. */
import { status } from '@grpc/grpc-js'
import { eventHubsConnectionString } from '../support/event-hubs.ts'
import { type FakePubsub, startFakePubsub } from '../support/pubsub-fake/fake-pubsub.ts'
import { pubsubProject } from '../support/pubsub.ts'
import { apply, type Bridge, find, type Manifest, until } from './kubectl.ts'
import type { PubsubAndEventHubs } from './pubsub-event-hubs.ts'

interface Wrong {
  /** Also the name of the bridge. */
  readonly name: string
  readonly source: object
  readonly sink: object
  readonly component: 'source' | 'sink'
  readonly reason: string
  /** What the message says. */
  readonly says: RegExp
}

interface Told {
  readonly condition: string
  readonly lastError: string
  readonly message: string
}

const secretName = 'wrong-event-hubs'
const load = { generator: { recordsPerSecond: 10 } }
const nowhere = { console: {} }
const guarded = 'guarded'
const unauthorized = "Unauthorized access. 'Send' claim(s) are required to perform this operation."

function cases({ pubsub, denying, host }: { pubsub: string; denying: string; host: string }): Wrong[] {
  const eventHub = (eventHubName: string, key: 'right' | 'wrong') => ({
    eventHubs: {
      fullyQualifiedNamespace: host,
      eventHubName,
      auth: { connectionStringSecretRef: { name: secretName, key } },
    },
  })
  const google = (address: string, rest: object) => ({
    pubsub: { projectID: pubsubProject, endpoint: `http://${address}`, ...rest },
  })
  return [
    {
      name: 'event-hubs-wrong-key',
      source: eventHub('readings', 'wrong'),
      sink: nowhere,
      component: 'source',
      reason: 'AuthenticationFailed',
      says: /event hub readings .*check the connection string in the Secret that spec\.source\.eventHubs\.auth/,
    },
    {
      name: 'event-hubs-no-hub',
      source: load,
      sink: eventHub('no-such-hub', 'right'),
      component: 'sink',
      reason: 'EventHubNotFound',
      says: /event hub no-such-hub .*does not exist; create it, or correct spec\.sink\.eventHubs\.eventHubName/,
    },
    {
      name: 'event-hubs-no-right',
      source: load,
      sink: eventHub(guarded, 'right'),
      component: 'sink',
      reason: 'AccessDenied',
      says: /event hub guarded .*lacks the right Send \(as a role: Azure Event Hubs Data Sender\)/,
    },
    {
      name: 'pubsub-no-subscription',
      source: google(pubsub, { subscription: 'no-such-subscription' }),
      sink: nowhere,
      component: 'source',
      reason: 'SubscriptionNotFound',
      says: /subscription projects\/streambridge-test\/subscriptions\/no-such-subscription .*does not exist; create it/,
    },
    {
      name: 'pubsub-no-topic',
      source: load,
      sink: google(pubsub, { topic: 'no-such-topic' }),
      component: 'sink',
      reason: 'TopicNotFound',
      says: /topic projects\/streambridge-test\/topics\/no-such-topic .*does not exist; create it, or correct spec\.sink\.pubsub\.topic/,
    },
    {
      name: 'pubsub-no-permission',
      source: google(denying, { subscription: 'orders' }),
      sink: nowhere,
      component: 'source',
      reason: 'AccessDenied',
      says: /the credentials lack pubsub\.subscriptions\.consume; grant roles\/pubsub\.subscriber/,
    },
  ]
}

const bridge = ({ name, source, sink }: Wrong): Manifest => ({
  apiVersion: 'streambridge.dev/v1alpha1',
  kind: 'StreamBridge',
  metadata: { name },
  spec: {
    source,
    sink,
    template: { resources: { requests: { cpu: '20m', memory: '128Mi' }, limits: { memory: '512Mi' } } },
  },
})

/** Google's own emulator lets everybody do everything. */
async function startDenying(host: string): Promise<FakePubsub> {
  const denying = await startFakePubsub({ host })
  const details = 'User not authorized to perform this action.'
  denying.refuse = () => ({ code: status.PERMISSION_DENIED, details })
  return denying
}

/** Applies all of them, waits until each says what is wrong, and resolves with the messages. Rejects for one that does not say it. */
export async function tellWhatIsWrong(
  { pubsub, eventHubs, connectionString }: PubsubAndEventHubs,
  { namespace, wrongKey }: { readonly namespace: string; readonly wrongKey: string },
): Promise<string[]> {
  const [host = ''] = eventHubs.endpoint.split(':')
  await using denying = await startDenying(host)
  await eventHubs.admin.createHub(guarded, 1)
  const denial = { condition: 'amqp:unauthorized-access', description: unauthorized } as const
  await eventHubs.admin.addFault({ on: 'attach', do: 'detach', hub: guarded, count: 0, ...denial })
  const wrongString = eventHubsConnectionString(eventHubs.endpoint, undefined, wrongKey)
  const secret: Manifest = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: secretName },
    stringData: { right: connectionString(), wrong: wrongString },
  }
  const all = cases({ pubsub: pubsub.address, denying: denying.address, host })
  await apply(namespace, [secret, ...all.map(bridge)])
  return await Promise.all(all.map(async (one) => `${one.name}: ${(await told(namespace, one)).message}`))
}

async function told(namespace: string, { name, component, reason, says }: Wrong): Promise<Told> {
  const type = component === 'source' ? 'SourceConnected' : 'SinkConnected'
  return until(
    `${name} says ${type}=False/${reason} and ${says.source}`,
    120,
    async () => {
      const { conditions = [], lastError } = (await find<Bridge>('sbr', namespace, name))?.status ?? {}
      const condition = conditions.find((one) => one.type === type)
      return {
        condition: `${condition?.status}/${condition?.reason}`,
        lastError: `${lastError?.component}/${lastError?.reason}`,
        message: lastError?.message ?? '',
      }
    },
    ({ condition, lastError, message }) =>
      condition === `False/${reason}` && lastError === `${component}/${reason}` && says.test(message),
  )
}
