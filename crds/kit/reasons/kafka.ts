/** Reasons of the Kafka connector. */
import type { ReasonList } from './list.ts'

export const kafka = {
  OpenTransaction: {
    meaning: 'Records wait behind a transaction that its producer has left open.',
    advice: 'Commit or abort it (kafka-transactions.sh finds and aborts it), or set `isolationLevel: ReadUncommitted`.',
  },
  BrokerUnreachable: {
    meaning: 'No connection to a broker.',
    advice: 'Check `bootstrapServers`, DNS and NetworkPolicies from inside the cluster.',
  },
  BrokerError: {
    meaning: 'A broker answered with an error that usually passes; the message has its name. It is tried again.',
    advice: 'If it lasts, look at the brokers’ own logs under that name.',
  },
  TlsFailed: {
    meaning: 'The TLS handshake failed, or the listener does not speak TLS.',
    advice: 'Check `tls`, the port and `caSecretRef`, and that host names match the certificate.',
  },
  AuthenticationFailed: {
    meaning: 'The broker refuses the log-in.',
    advice: 'Correct the user name and password in the Secret, or `sasl.mechanism`.',
  },
  AuthorizationFailed: {
    meaning: 'Logged in, but not allowed.',
    advice: 'Grant the ACL that the message names.',
  },
  TopicNotFound: {
    meaning: 'The topic does not exist under that name.',
    advice: 'Create it or correct the name. The bridge recovers by itself.',
  },
  UnsupportedBroker: {
    meaning: 'The broker is too old.',
    advice: 'Use Kafka 2.8 or newer.',
  },
  UnsupportedFormat: {
    meaning: 'The topic holds batches in a format from before Kafka 0.11.',
    advice: 'Copy the topic with a tool that rewrites them, or start behind them.',
  },
  CorruptBatch: {
    meaning:
      'A batch is damaged, or not where it belongs, or the broker cannot read its own log. It is fetched three times; then it is a record that cannot be delivered. Where the broker gives no bytes of it, it is a `DataGap`.',
    advice:
      'The broker’s log is damaged at the position the message names: read another replica, or set `delivery.onFailure: DeadLetter`, which keeps the bytes.',
  },
  InvalidConfiguration: {
    meaning:
      'The broker refuses a setting (session timeout, group name, a group that another application uses), or a certificate or key cannot be read.',
    advice: 'Correct the field, or the Secret, that the message names.',
  },
  GroupFull: {
    meaning: 'The consumer group has as many members as the broker allows.',
    advice: 'Raise `group.max.size` of the broker, or run fewer replicas.',
  },
  NotEnoughReplicas: {
    meaning: 'Too few in-sync replicas of the topic. It is tried again.',
    advice: 'Look at the brokers, and at `min.insync.replicas` of the topic.',
  },
  Throttled: {
    meaning: 'The broker limits this client. Records move more slowly.',
    advice: 'Raise the quota, if the lag grows.',
  },
  RecordTooLarge: {
    meaning: 'A record is larger than the topic or `maxRequestBytes` allows. It can never be delivered as it is.',
    advice: 'Raise `maxRequestBytes` and `max.message.bytes` of the topic, or set `delivery.onFailure: DeadLetter`.',
  },
  InvalidRecord: {
    meaning: 'The topic refuses a record: a compacted topic needs keys, or its time is outside what the topic allows.',
    advice: 'Change the topic, or set `delivery.onFailure: DeadLetter`.',
  },
  NotOpen: {
    meaning: 'A write came before the sink was connected, or after it was closed. It is tried again.',
    advice: 'If it lasts, look at the error before it.',
  },
  Closed: {
    meaning: 'A write was under way when the connection was closed. It is tried again.',
    advice: 'Nothing.',
  },
} as const satisfies ReasonList

export type KafkaReason = keyof typeof kafka
