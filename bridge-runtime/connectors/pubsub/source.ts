import { bytes, milliseconds } from '../../../crds/kit/units.ts'
import type { Source, SourceHost } from '../../core/contracts.ts'
import type { BridgeError } from '../../core/errors.ts'
import type { ConnectorContext } from '../define-connector.ts'
import { askBacklog, lookInterval } from './subscription/backlog.ts'
import { type Connection, connect } from './connection.ts'
import { isEmulator } from './pull/emulator.ts'
import type { PubsubSourceConfig } from './schema.ts'
import { subscriptionName, warningsOf } from './subscription/subscription.ts'
import { SubscriptionReader } from './pull/subscription-reader.ts'
import { SubscriptionWatch } from './subscription/watch.ts'

/** Opens a subscription for reading. All replicas read it at the same time: the service shares its messages out. */
export const openPubsubSource = async (config: PubsubSourceConfig, context: ConnectorContext): Promise<Source> =>
  pubsubSource(() => connect('SubscriberClient', config, context), config, context)

export function pubsubSource(
  connecting: () => Promise<Connection>,
  config: PubsubSourceConfig,
  context: ConnectorContext,
): Source {
  const { clock, log, bridge, history } = context
  const name = subscriptionName(config, bridge)
  let connected: Connection | undefined
  return {
    async run(host, signal) {
      const connection = (connected ??= await connecting())
      const watch = new SubscriptionWatch({ connection, config, name, history, clock, log })
      const found = await watch.open(signal)
      const settings = found === 'hidden' ? undefined : found
      if (settings === undefined)
        log.info(`subscription ${name} may be read but not looked at; its settings are unknown`)
      else for (const warning of warningsOf(settings, name)) log.warn(warning)
      host.partitions(undefined)
      if (settings !== undefined) host.connection(undefined)
      const failing = connectionOf(host)
      const reader = new SubscriptionReader({
        connection,
        subscription: name,
        settings,
        emulator: await isEmulator(connection),
        streams: config.streams,
        maxMessages: config.flowControl.maxOutstandingMessages,
        maxBytes: bytes(config.flowControl.maxOutstandingBytes),
        maxExtension: milliseconds(config.maxExtension),
        clock,
        random: Math.random,
        failing: (what, error) => {
          if (error?.reason === 'SubscriptionNotFound') watch.lookNow()
          failing(what, error)
        },
        repeated: (messages) => host.repeated(messages),
        replayed: () =>
          log.warn(
            `subscription ${name}: messages that were acknowledged come again, as after a seek: they are moved again; what had come again within seconds of its acknowledgement was not (streambridge_repeats_total)`,
          ),
      })
      host.assigned(reader)
      const over = new AbortController()
      const stopped = AbortSignal.any([signal, over.signal])
      const looking = watchBacklog(reader, { connection, config, context, name }, stopped)
      const gap = await watch.run((error) => failing('topic', error), signal)
      over.abort()
      // Nothing more is taken while what is in flight is finished.
      await Promise.all([reader.stop(), host.revoked(reader, 'drain'), looking])
      await reader.close()
      if (gap !== undefined) throw gap
    },
    async [Symbol.asyncDispose]() {
      connected?.close()
    },
  }
}

type Part = 'pull' | 'acknowledge' | 'topic'

/** It works when pulling and acknowledging do, and the subscription still has its topic. */
function connectionOf(host: SourceHost): (what: Part, error: BridgeError | undefined) => void {
  const failing = new Map<string, BridgeError>()
  return (what, error) => {
    const failed = failing.size > 0
    if (error === undefined) failing.delete(what)
    else failing.set(what, error)
    const [first] = failing.values()
    if (first !== undefined || failed || what === 'pull') host.connection(first)
  }
}

interface Watched {
  readonly connection: Connection
  readonly config: PubsubSourceConfig
  readonly context: ConnectorContext
  readonly name: string
}

async function watchBacklog(
  reader: SubscriptionReader,
  { connection, config, context: { clock }, name }: Watched,
  signal: AbortSignal,
): Promise<void> {
  if (connection.plainText)
    return reader.backlog({
      kind: 'unknown',
      reason: 'the backlog is known to Cloud Monitoring, which an emulator has not',
    })
  const options = {
    projectID: config.projectID,
    subscription: name.split('/').at(-1) ?? name,
    headers: async (url: string) => new Headers(await connection.auth.getRequestHeaders(url)),
    fetch,
    clock,
  }
  while (!signal.aborted) {
    reader.backlog(await askBacklog(options, signal))
    await clock.sleep(lookInterval, signal)
  }
}
