/** Reasons of the Pub/Sub connector. */
import type { ReasonList } from './list.ts'

export const pubsub = {
  TopicDeleted: {
    meaning:
      'The topic of the subscription was deleted: what the subscription still holds is read, and nothing comes any more.',
    advice:
      'Delete the subscription, make a new one, and set a new `lifecycle.reset.token` while the bridge is paused.',
  },
  EndpointUnreachable: {
    meaning: 'No connection.',
    advice: 'Check `endpoint`, DNS and NetworkPolicies from inside the cluster.',
  },
  Timeout: {
    meaning: 'No answer in time. It is tried again.',
    advice: 'If it lasts, check the network from inside the cluster.',
  },
  ServiceUnavailable: {
    meaning: 'The service answers with an error of its own. It is tried again.',
    advice: 'If it lasts, look at the service’s health page.',
  },
  Cancelled: {
    meaning: 'A request was cancelled. It is tried again.',
    advice: 'Nothing.',
  },
  AuthenticationFailed: {
    meaning: 'The service does not accept the credentials, or there are none.',
    advice: 'Correct the Secret that `auth` names, or give the ServiceAccount a workload identity.',
  },
  AccessDenied: {
    meaning: 'The credentials lack a permission.',
    advice: 'Grant the role that the message names.',
  },
  TopicNotFound: {
    meaning: 'The topic does not exist.',
    advice: 'Create it or correct the name. The bridge recovers by itself.',
  },
  SubscriptionNotFound: {
    meaning: 'The subscription does not exist.',
    advice: 'Create it, correct the name, or set `createSubscription`.',
  },
  SubscriptionDetached: {
    meaning: 'The subscription is detached from its topic: nothing comes any more.',
    advice: 'Make a new one.',
  },
  NotAPullSubscription: {
    meaning: 'The subscription is pushed or exported.',
    advice: 'Give the bridge a pull subscription of its own.',
  },
  FailedPrecondition: {
    meaning: 'The service refuses the request as things stand; the message has its words.',
    advice: 'Correct what the message names.',
  },
  InvalidRequest: {
    meaning: 'The service refuses a request; the message has its words.',
    advice: 'Correct the field that the message names.',
  },
  Throttled: {
    meaning: 'A quota of the project is used up. Records move more slowly.',
    advice: 'Raise the quota, if the lag grows.',
  },
  AnswerTooLarge: {
    meaning: 'An answer is larger than any that the service gives. It was not read.',
    advice: 'Check that `endpoint` is the service, and no proxy or emulator that answers otherwise.',
  },
  RecordTooLarge: {
    meaning:
      'A record is larger than a message may be, or has more headers than a message has room for. It can never be delivered as it is.',
    advice: 'Set `delivery.onFailure: DeadLetter`.',
  },
  RecordRejected: {
    meaning: 'The topic refuses a record, for instance because of its schema.',
    advice: 'Change the schema, or set `delivery.onFailure: DeadLetter`.',
  },
} as const satisfies ReasonList

export type PubSubReason = keyof typeof pubsub
