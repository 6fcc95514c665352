/** Each sink behind a proxy, so that a lost answer is the answer to one record wherever the service lets us choose. */
import { eventHubsConnectionString } from '../support/event-hubs.ts'
import type { End } from '../support/ends/end.ts'
import { eventHubsEnd } from '../support/ends/event-hubs.ts'
import { kafkaEndOf } from '../support/ends/kafka.ts'
import { kinesisEnd } from '../support/ends/kinesis.ts'
import { pubsubEnd } from '../support/ends/pubsub.ts'
import { startTcpProxy, type TcpProxy } from '../support/faults/tcp-proxy.ts'
import { startKafka } from '../support/kafka.ts'
import { sharedEventHubs, sharedKinesis, sharedPubsub } from '../support/shared-servers.ts'
import type { ProxiedEnd } from './ambiguous.ts'

/** One partition: its batches go one after the other. The broker is told of the proxy, so all its clients go through. */
export async function proxiedKafka(): Promise<ProxiedEnd> {
  let proxy: TcpProxy | undefined
  const broker = await startKafka({
    advertise: async (address) => (proxy = await startTcpProxy(address)).address,
  })
  if (proxy === undefined) throw new Error('the broker asked for no address')
  const end = await kafkaEndOf(broker.bootstrapServers, 1)
  const dispose = async (): Promise<void> => {
    await end[Symbol.asyncDispose]()
    await broker.stop()
  }
  return { proxy, end: { ...end, [Symbol.asyncDispose]: dispose } }
}

export async function proxiedKinesis(): Promise<ProxiedEnd> {
  const proxy = await startTcpProxy(new URL((await sharedKinesis()).endpoint).host)
  const end = await kinesisEnd(1)
  const config = { ...end.sink.kinesis, endpoint: `http://${proxy.address}`, limits: { maxRecords: 1 } }
  return { proxy, end: withSink(end, { kinesis: config } as End['sink']) }
}

export async function proxiedPubsub(): Promise<ProxiedEnd> {
  const proxy = await startTcpProxy(await sharedPubsub())
  const end = await pubsubEnd()
  const limits = { maxMessages: 1, maxRequests: 1 }
  const config = { ...end.sink.pubsub, endpoint: `http://${proxy.address}`, limits }
  return { proxy, end: withSink(end, { pubsub: config } as End['sink']) }
}

export async function proxiedEventHubs(): Promise<ProxiedEnd> {
  const proxy = await startTcpProxy((await sharedEventHubs()).endpoint)
  const end = await eventHubsEnd(1)
  const config = { ...end.sink.eventHubs, limits: { maxRecords: 1 } }
  const secrets = { azure: { 'connection-string': eventHubsConnectionString(proxy.address) } }
  return { proxy, end: { ...withSink(end, { eventHubs: config } as End['sink']), secrets } }
}

const withSink = (end: End, sink: End['sink']): End => ({ ...end, sink })
