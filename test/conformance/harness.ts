/** What the suite needs to know of a connector: its definition, a real server, and an independent client. */
import type { ConnectorContext, ConnectorDefinition } from '../../bridge-runtime/connectors/define-connector.ts'
import { type Clock, realClock } from '../../bridge-runtime/core/clock.ts'
import type { Sink, Source } from '../../bridge-runtime/core/contracts.ts'
import type { LeaseStore } from '../../bridge-runtime/lease-stores/lease-store.ts'
import { memoryLeases } from '../../bridge-runtime/lease-stores/memory.ts'
import { silentLogger } from '../../bridge-runtime/observability/logger.ts'
import type { Rule } from './rules.ts'
import { historyOn } from '../support/leases/history.ts'
import { durably } from '../../bridge-runtime/core/delivery/writer.ts'
import { historyLease } from '../../bridge-runtime/lease-stores/history-lease.ts'

/** A record as the independent client sends and reads it. */
export interface PlainRecord {
  readonly key: string | null
  readonly value: Buffer | null
  readonly headers?: Readonly<Record<string, string>>
  /** Milliseconds since the epoch. */
  readonly timestamp?: number
}

/** What S5 and K2 look for in a record, beside a key and a value. */
export type Part = 'headers' | 'timestamp' | 'nullValue' | 'nullKey' | 'emptyValue'

/** Breaks and mends the connection between connector and server. */
export interface Interruption {
  /** The server as the connector reaches it. */
  readonly target: string
  /** Cuts every connection, lets none through for a while, and mends it. Resolves when the server can be reached again. */
  interrupt(): Promise<void>
  stop(): Promise<void>
}

/** What an emulator or the service cannot do, by rule, with the reason. */
export type Exceptions = Partial<Readonly<Record<Rule, string>>>

export interface ConnectorHarness {
  readonly connector: ConnectorDefinition
  readonly exceptions: Exceptions
  /** What a record of this kind of stream does not have, with the reason. */
  readonly lacks: Partial<Readonly<Record<Part, string>>>
  /** Server address, as configurations name it. */
  target(): Promise<string>
  createStream(target: string, stream: string, partitions: number): Promise<void>
  /** As a person writes them. */
  sourceConfig(target: string, stream: string): unknown
  sinkConfig(target: string, stream: string): unknown
  /** `name/key` → value, for the Secrets that the configurations name. */
  readonly secrets: Readonly<Record<string, string>>
  /** A server that demands credentials, and configurations with a wrong password; the value is what no message may hold. */
  wrongCredentials?(stream: string): Promise<{
    readonly source: unknown
    readonly sink: unknown
    readonly secrets: Readonly<Record<string, string>>
    readonly canary: string
    stop(): Promise<void>
  }>
  /** Sends records with the independent client and waits until they are stored. */
  produce(target: string, stream: string, records: readonly PlainRecord[]): Promise<void>
  /** Sends one record that the source cannot read as `sourceConfig` sets it, and waits until it is stored. */
  readonly unreadable?: (target: string, stream: string) => Promise<void>
  /** Reads everything that is stored, each partition in its order. */
  readAll(target: string, stream: string): Promise<readonly PlainRecord[]>
  /** Most records it gives before earlier ones of their keys are settled; without it there is no such limit. */
  readonly unsettled?: number
  /** A value too large for the sink as `sinkConfig` sets it. */
  readonly tooLarge: number
  /** Deletes the stream and makes it again under its name, without a record. Resolves when it can be written. */
  recreateStream?(target: string, stream: string, partitions: number): Promise<void>
  /** Takes away every position of a bridge that is stopped, as time or a person does; what it remembers of its source stays. */
  losePositions?(of: Positions): Promise<void>
  /** A server of its own that can be cut off. */
  interruption(): Promise<Interruption>
}

/** A bridge whose positions are looked for: in its leases, or at the service under its name. */
export interface Positions {
  readonly target: string
  readonly stream: string
  /** The bridge's, in the namespace `conformance`. */
  readonly name: string
  readonly leases: LeaseStore
}

/** Of sources that keep their positions in leases. */
export async function loseLeases({ leases }: Pick<Positions, 'leases'>): Promise<void> {
  for (const lease of await leases.list()) if (lease.partition !== historyLease) await leases.remove(lease)
}

/** A record with everything that can be carried, one with nothing, and what lies between. */
export function remarkableRecords({ lacks }: ConnectorHarness): readonly PlainRecord[] {
  const full = {
    key: 'full',
    value: Buffer.from('value'),
    ...(lacks.headers === undefined ? { headers: { one: '1', two: '' } } : {}),
    ...(lacks.timestamp === undefined ? { timestamp: Date.UTC(2026, 5, 1, 12) } : {}),
  }
  return [
    full,
    { key: 'binary', value: Buffer.from([0, 255, 254, 10, 13]) },
    { key: 'ключ 🔑', value: Buffer.from('значение') },
    ...(lacks.emptyValue === undefined ? [{ key: 'empty', value: Buffer.alloc(0) }] : []),
    ...(lacks.nullValue === undefined ? [{ key: 'tombstone', value: null }] : []),
    ...(lacks.nullKey === undefined ? [{ key: null, value: Buffer.from('without a key') }] : []),
  ]
}

/** The same records in the order of their keys. */
export const byKey = <T extends { readonly key: string | null }>(records: readonly T[]): T[] =>
  records.toSorted((a, b) => (a.key ?? '').localeCompare(b.key ?? ''))

export interface ContextOptions {
  readonly secrets?: Readonly<Record<string, string>>
  readonly leases?: LeaseStore
  readonly replica?: string
  readonly name?: string
  readonly clock?: Clock
  /** Default Stop. */
  readonly onDataGap?: 'Stop' | 'Continue'
}

export function testContext(options: ContextOptions): ConnectorContext {
  const { leases = memoryLeases(), onDataGap = 'Stop' } = options
  return {
    bridge: { namespace: 'conformance', name: options.name ?? 'bridge' },
    replica: options.replica ?? 'replica-0',
    leases,
    history: historyOn(leases, { onDataGap }),
    clock: options.clock ?? realClock,
    log: silentLogger,
    field: 'spec.connector',
    onDataGap,
    throttled: () => undefined,
    secret: ({ name, key }) => {
      const value = options.secrets?.[`${name}/${key}`]
      return value === undefined
        ? Promise.reject(new Error(`no Secret ${name} with ${key}`))
        : Promise.resolve(Buffer.from(value))
    },
  }
}

export function openSource(harness: ConnectorHarness, config: unknown, options: ContextOptions): Promise<Source> {
  const { source } = harness.connector
  if (source === undefined) throw new TypeError(`${harness.connector.name} is no source`)
  return source.open(source.schema.parse(config), testContext({ secrets: harness.secrets, ...options }))
}

export async function openSink(
  harness: ConnectorHarness,
  config: unknown,
  options: ContextOptions = {},
): Promise<Sink> {
  const { sink } = harness.connector
  if (sink === undefined) throw new TypeError(`${harness.connector.name} is no sink`)
  return durably(await sink.open(sink.schema.parse(config), testContext({ secrets: harness.secrets, ...options })))
}
