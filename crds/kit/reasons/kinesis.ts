/** Reasons of the Kinesis connector. */
import type { ReasonList } from './list.ts'

export const kinesis = {
  EndpointUnreachable: {
    meaning: 'No connection, or no answer in time.',
    advice: 'Check `region`, `endpoint`, DNS and NetworkPolicies from inside the cluster.',
  },
  ServiceUnavailable: {
    meaning: 'The service answers with an error of its own. It is tried again.',
    advice: 'If it lasts, look at the service’s health page.',
  },
  AuthenticationFailed: {
    meaning: 'The service does not accept the credentials, or there are none.',
    advice: 'Correct the Secret that `auth` names, or give the ServiceAccount a workload identity.',
  },
  AccessDenied: {
    meaning: 'The credentials do not allow the action.',
    advice: 'Grant the IAM action that the message names.',
  },
  StreamNotFound: {
    meaning: 'The stream does not exist under that name, or not in that region.',
    advice: 'Create it or correct the name. The bridge recovers by itself.',
  },
  StreamNotActive: {
    meaning: 'The stream is being created, changed or deleted. It is tried again.',
    advice: 'Wait until it is ACTIVE.',
  },
  EncryptionKeyUnusable: {
    meaning: 'The KMS key of the stream cannot be used.',
    advice: 'Enable the key, and let the credentials use it.',
  },
  InvalidRequest: {
    meaning: 'The service refuses a request; the message has its words.',
    advice: 'Correct the field that the message names.',
  },
  Throttled: {
    meaning: 'A shard takes no more for now. Records move more slowly.',
    advice: 'Add shards, if the lag grows.',
  },
  AnswerTooLarge: {
    meaning: 'An answer is larger than any that the service gives. It was not read.',
    advice: 'Check that `endpoint` is the service, and no proxy or emulator that answers otherwise.',
  },
  RecordTooLarge: {
    meaning: 'A record is larger than `limits.maxRecordBytes`. It can never be delivered as it is.',
    advice: 'Raise the limit of the stream and `limits.maxRecordBytes`, or set `delivery.onFailure: DeadLetter`.',
  },
  NullValue: {
    meaning: 'A record has no value (a tombstone); Kinesis cannot hold that.',
    advice: 'Set `delivery.onFailure: DeadLetter`.',
  },
  RecordRejected: {
    meaning: 'The service refuses a record; the message has its words.',
    advice: 'Set `delivery.onFailure: DeadLetter`.',
  },
} as const satisfies ReasonList

export type KinesisReason = keyof typeof kinesis
