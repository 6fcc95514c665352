import { z } from 'zod'
import { type Rule, textOf, withRules } from '../../../crds/kit/rules.ts'
import { secretKeyRef } from '../../../crds/kit/secrets.ts'
import { byteSize, duration } from '../../../crds/kit/units.ts'

const auth = z
  .object({
    credentialsSecretRef: secretKeyRef(
      'The JSON of a service account’s key, or of workload identity federation.',
    ).optional(),
  })
  .prefault({})
  .meta({ description: 'Credentials. Empty: workload identity, through Google’s application default credentials.' })

/** A resource id, as the service takes it. */
const resource = (what: string) =>
  textOf({
    pattern: /^[A-Za-z][A-Za-z0-9._~%+-]{2,254}$/,
    message: `write the id of the ${what}, without projects/…: a letter, then letters, digits and . _ ~ % + -`,
    maxLength: 255,
  })

const connection = {
  projectID: textOf({
    pattern: /^([a-z][a-z0-9.-]*:)?[a-z][a-z0-9-]{2,28}[a-z0-9]$/,
    message: 'write a project id: lower-case letters, digits and hyphens',
    maxLength: 100,
  }).meta({ description: 'Project of the topic or the subscription.' }),
  endpoint: textOf({
    pattern: /^(https?:\/\/)?[A-Za-z0-9.-]+(:[0-9]{1,5})?$/,
    message: 'write HOST or HOST:PORT, with https:// or nothing for TLS, with http:// for plain text',
    maxLength: 300,
  })
    .meta({
      description:
        'Another endpoint than the global one: europe-west1-pubsub.googleapis.com keeps all traffic, and with it the order of keys, in one region. http:// is plain text without credentials, for an emulator.',
    })
    .optional(),
  auth,
}

interface Connected {
  endpoint?: string | undefined
  auth: { credentialsSecretRef?: unknown }
}

const noSecretsInPlainText: Rule<Connected> = {
  cel: "!has(self.endpoint) || !self.endpoint.startsWith('http://') || !has(self.auth.credentialsSecretRef)",
  message: 'credentials are not sent over plain text: use an https:// endpoint, or remove auth.credentialsSecretRef',
  holds: ({ endpoint, auth: { credentialsSecretRef } }) =>
    endpoint?.startsWith('http://') !== true || credentialsSecretRef === undefined,
}

interface Read {
  subscription?: string | undefined
  topic?: string | undefined
  createSubscription?: unknown
}

const createSubscription = z
  .object({
    ackDeadline: duration('How long the service waits for an acknowledgement where a reader says nothing.', {
      min: '10s',
      max: '10m',
    }).default('60s'),
    messageOrdering: z
      .boolean()
      .default(true)
      .meta({ description: 'Keep the order of messages with an ordering key.' }),
    exactlyOnceDelivery: z.boolean().default(false).meta({
      description: 'Confirm acknowledgements, so that a settled message is not delivered again. Slower.',
    }),
    retention: duration('How long the service keeps messages that nobody has acknowledged.', {
      min: '10m',
      max: '744h',
    }).default('168h'),
  })
  .meta({
    description:
      'Make the subscription streambridge.NAMESPACE.NAME where it is missing. It is never changed and never deleted; it gets what is published after it was made.',
  })

export const pubsubSource = withRules(
  z.object({
    ...connection,
    subscription: resource('subscription').meta({ description: 'An existing pull subscription.' }).optional(),
    topic: resource('topic').meta({ description: 'The topic to subscribe to, with createSubscription.' }).optional(),
    createSubscription: createSubscription.optional(),
    flowControl: z
      .object({
        maxOutstandingMessages: z.int().min(1).max(1_000_000).default(10_000).meta({
          description: 'Most messages one replica holds that are not acknowledged.',
        }),
        maxOutstandingBytes: byteSize('Most bytes one replica holds that are not acknowledged.', {
          min: '1Mi',
          max: '1Gi',
        }).default('32Mi'),
      })
      .prefault({})
      .meta({ description: 'How much is taken from the subscription before it is settled.' }),
    streams: z.int().min(1).max(64).default(8).meta({
      description:
        'StreamingPull streams of one replica. The service sends at most 10 MB/s over each, and each gets its part of flowControl.',
    }),
    maxExtension: duration(
      'How long a message is held for a sink that does not take it. Then the service gives it to any replica again.',
      { min: '1m', max: '24h' },
    ).default('1h'),
  }),
  [
    {
      cel: 'has(self.subscription) != has(self.topic)',
      message: 'set exactly one of: subscription, topic (with createSubscription)',
      holds: (value: Read) => (value.subscription === undefined) !== (value.topic === undefined),
    },
    {
      cel: 'has(self.topic) == has(self.createSubscription)',
      message: 'topic and createSubscription go together: to read an existing subscription, name it in subscription',
      holds: (value: Read) => (value.topic === undefined) === (value.createSubscription === undefined),
    },
    noSecretsInPlainText,
  ],
).meta({
  description:
    'Read a Google Cloud Pub/Sub subscription. All replicas share it; a message is acknowledged when the sink has stored it.',
})

export const pubsubSink = withRules(
  z.object({
    ...connection,
    topic: resource('topic').meta({ description: 'The topic to publish to.' }),
    orderingKey: z.enum(['FromSourceKey', 'None']).default('FromSourceKey').meta({
      description:
        'FromSourceKey: the source key is the ordering key. None: messages have none, and no order; the source key is kept in an attribute.',
    }),
    limits: z
      .object({
        maxMessages: z.int().min(1).max(1000).default(1000).meta({ description: 'Most messages of one request.' }),
        maxRequestBytes: byteSize('Most bytes of one request of several messages.', { max: '9000000' }).default('4Mi'),
        maxRequests: z.int().min(1).max(100).default(32).meta({
          description: 'Most requests on the way at the same time. Of one ordering key there is never more than one.',
        }),
      })
      .prefault({})
      .meta({ description: 'How requests are filled.' }),
  }),
  [noSecretsInPlainText],
).meta({
  description: 'Publish to a Google Cloud Pub/Sub topic. Headers become attributes; bytes survive in an encoding.',
})

export type PubsubSourceConfig = z.output<typeof pubsubSource>
export type PubsubSinkConfig = z.output<typeof pubsubSink>
export type PubsubConnectionConfig = Pick<PubsubSourceConfig, 'projectID' | 'endpoint' | 'auth'>
