/** Reasons of the Event Hubs connector. */
import type { ReasonList } from './list.ts'

export const eventHubs = {
  EndpointUnreachable: {
    meaning: 'No connection, or no answer in time.',
    advice: 'Check the namespace, DNS and NetworkPolicies from inside the cluster (port 5671).',
  },
  ServiceUnavailable: {
    meaning: 'The service ended something by itself. It is tried again.',
    advice: 'If it lasts, look at the service’s health page.',
  },
  InvalidConnectionString: {
    meaning: 'A part of the connection string is missing or contradicts the spec.',
    advice: 'Correct the Secret that `auth` names.',
  },
  AuthenticationFailed: {
    meaning: 'The service does not accept the key, or takes a new token for expired.',
    advice: 'Correct the connection string in the Secret; check the clock of the node.',
  },
  AccessDenied: {
    meaning: 'The shared access policy lacks a right.',
    advice: 'Grant the right that the message names.',
  },
  EventHubNotFound: {
    meaning: 'The event hub does not exist.',
    advice: 'Create it or correct the name. The bridge recovers by itself.',
  },
  ConsumerGroupNotFound: {
    meaning: 'The consumer group does not exist.',
    advice: 'Create it or correct `consumerGroup`.',
  },
  EventHubDisabled: {
    meaning: 'The event hub is disabled.',
    advice: 'Enable it.',
  },
  PartitionTaken: {
    meaning: 'Another reader with a higher owner level has the partition.',
    advice: 'If that is not a replica of this bridge, give the bridge a consumer group of its own.',
  },
  QuotaExceeded: {
    meaning: 'A limit of the namespace is reached. It is tried again.',
    advice: 'Raise the limit, or use fewer readers.',
  },
  InvalidRequest: {
    meaning: 'The service refuses a request; the message has its words.',
    advice: 'Correct the field that the message names.',
  },
  Throttled: {
    meaning: 'The namespace takes no more for now. Records move more slowly.',
    advice: 'Add throughput units, if the lag grows.',
  },
  BatchTooLarge: {
    meaning: 'A batch is larger than the hub takes. It is cut and sent again.',
    advice: 'Nothing.',
  },
  RecordTooLarge: {
    meaning: 'A record is larger than the event hub takes. It can never be delivered as it is.',
    advice: 'Use a tier with larger events, or set `delivery.onFailure: DeadLetter`.',
  },
} as const satisfies ReasonList

export type EventHubsReason = keyof typeof eventHubs
