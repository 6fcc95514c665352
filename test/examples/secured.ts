/** Examples that prove who they are: TLS, client certificates, passwords. One broker with all of these listeners. */
import assert from 'node:assert/strict'
import { openEnd } from '../support/ends/brokers.ts'
import type { End } from '../support/ends/end.ts'
import { kafkaEndOf } from '../support/ends/kafka.ts'
import { type KafkaServer, startKafka } from '../support/kafka.ts'
import { testRun } from '../support/verifier.ts'
import { addressOf, pointedAt, secretsOf } from './example.ts'
import { consoleOf } from './lines.ts'
import { allArrived, assertCopied, bridgeOf, stopped, type Trial } from './stage.ts'

/** The user name of Event Hubs' Kafka endpoint. */
const connectionStringUser = '$ConnectionString'
const users = { [connectionStringUser]: 'Endpoint=sb://example/;SharedAccessKey=k', orders: 'a password' }

let server: Promise<KafkaServer> | undefined
const guardedKafka = (): Promise<KafkaServer> => (server ??= startKafka({ listeners: ['mtls', 'sasl-tls'], users }))

/** A topic, looked at through the open listener; the bridge comes by a guarded one. */
async function guardedEnd(listener: 'mtls' | 'sasl-tls') {
  const broker = await guardedKafka()
  const end = await kafkaEndOf(broker.bootstrapServers, 4)
  const address = { bootstrapServers: [broker.addresses[listener]] }
  return { broker, end, address }
}

/** The certificate authority is a private one; the password is told by SCRAM. */
export const byScram: Trial = async (t, example) => {
  const { broker, end, address } = await guardedEnd('sasl-tls')
  const sink = await openEnd('kinesis')
  t.after(() => Promise.all([end[Symbol.asyncDispose](), sink[Symbol.asyncDispose]()]))
  const secrets = { username: 'orders', password: users.orders, 'ca.crt': broker.authority?.ca ?? '' }
  const manifests = pointedAt(example, {
    source: { ...addressOf(end, 'source'), ...address },
    sink: addressOf(sink, 'sink'),
    secrets: { ...secretsOf([sink]), ...secrets },
  })
  const run = testRun({ run: end.stream, keys: 20 })
  const bridge = await bridgeOf(t, manifests)()
  await end.send(run.take(500))
  await allArrived(run, sink)
  await stopped(bridge)
  assertCopied(t, run)
}

/** The Secret is one that cert-manager makes: `ca.crt`, `tls.crt`, `tls.key`. The broker lets nobody in without it. */
export const byCertificate: Trial = async (t, example) => {
  const [source, sink] = [await guardedEnd('mtls'), await guardedEnd('mtls')]
  t.after(() => Promise.all([source.end, sink.end].map((end: End) => end[Symbol.asyncDispose]())))
  const authority = source.broker.authority
  const client = await authority?.issue('ledger')
  const stringData = { 'ca.crt': authority?.ca, 'tls.crt': client?.cert, 'tls.key': client?.key }
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'ledger-client' }, stringData }
  const manifests = pointedAt(example, {
    source: { ...addressOf(source.end, 'source'), ...source.address },
    sink: { ...addressOf(sink.end, 'sink'), ...sink.address },
  })
  const run = testRun({ run: source.end.stream, keys: 20, marked: true })
  const bridge = await bridgeOf(t, [secret, ...manifests])()
  await source.end.send(run.take(500))
  await allArrived(run, sink.end)
  await stopped(bridge)
  assertCopied(t, run)
}

/** The broker stands for the Kafka endpoint of a namespace: TLS of an authority that the machine trusts, PLAIN, positions in a group. */
export const byConnectionString: Trial = async (t, example) => {
  const { broker, end, address } = await guardedEnd('sasl-tls')
  t.after(() => end[Symbol.asyncDispose]())
  const manifests = pointedAt(example, {
    source: { ...addressOf(end, 'source'), ...address },
    secrets: { username: connectionStringUser, password: users[connectionStringUser] ?? '' },
  })
  const [secret] = example.manifests
  assert.deepEqual(secret?.['stringData'], { username: connectionStringUser, password: 'replace-me' })
  const run = testRun({ run: end.stream, keys: 20, marked: true })
  const start = bridgeOf(t, manifests, { NODE_EXTRA_CA_CERTS: broker.authority?.caFile })
  // What one run has printed, the next does not: its position is in the group.
  for (let runs = 0; runs < 2; runs++) {
    await end.send(run.take(500))
    const bridge = await start()
    await allArrived(run, consoleOf(bridge))
    await stopped(bridge)
  }
  assertCopied(t, run)
}
