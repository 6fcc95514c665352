import type { z } from 'zod'
import type { Clock } from '../core/clock.ts'
import type { AppendSink, Sink, Source } from '../core/contracts.ts'
import type { History } from '../history/history.ts'
import type { LeaseStore } from '../lease-stores/lease-store.ts'
import type { Logger } from '../observability/logger.ts'

/** Reads one value of a mounted Secret. Rejects with a fatal BridgeError that names Secret and key. */
export type ReadSecret = (ref: { readonly name: string; readonly key: string }) => Promise<Buffer>

/** What a connector gets to open a source or a sink. */
export interface ConnectorContext {
  readonly bridge: { readonly namespace: string; readonly name: string }
  /** The path of the connector's own field in the person's manifest, for messages: `spec.delivery.deadLetter.kafka`. */
  readonly field: string
  /** This replica's name (the pod's), unique among the bridge's replicas. */
  readonly replica: string
  readonly secret: ReadSecret
  /** For sources whose service keeps neither ownership nor positions. */
  readonly leases: LeaseStore
  /** What the bridge remembers of its source, whatever keeps the positions: a source asks it before it begins anywhere. */
  readonly history: History
  readonly clock: Clock
  readonly log: Logger
  /** To be called when the service slows the connector down by a quota, though nothing fails. */
  readonly throttled: () => void
  /** What to do when the source has lost records between our position and its earliest one. */
  readonly onDataGap: 'Stop' | 'Continue'
}

/** What the operator and the status say about an endpoint: never a secret. */
export interface Endpoint {
  /** The stream, topic or path a person recognises. */
  readonly name: string
}

/** The largest record a sink takes, in bytes of key, value and headers; infinite where there is no limit. */
export interface Capacity {
  readonly bytes: number
  /** The sink asks its service at the start, and is told of then. */
  readonly asked?: boolean
  /** The field that limits it, as it is set now, and what has to be raised beside it; absent where no field does. */
  readonly field?: { readonly name: string; readonly bytes: number; readonly also: string }
}

export interface SourceDefinition<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema
  /** True when a partition must never have two owners: replicas are then replaced one by one, not surged. */
  readonly partitioned: boolean
  /** Fields of text that say where positions are kept: they may change only while the bridge is paused. */
  readonly positionFields?: readonly string[]
  /** As `SinkDefinition.collectsEarly`. */
  readonly collectsEarly?: boolean
  describe(config: z.output<Schema>): Endpoint
  /** Bytes of key, value and headers of the largest record that the source holds where its service has its default limits. */
  largestRecord(config: z.output<Schema>): number
  /** Loads the SDK only where records move: the operator knows the schema without it. */
  open(config: z.output<Schema>, context: ConnectorContext): Promise<Source>
}

export interface SinkDefinition<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema
  /** How many key lanes of one partition write at the same time. 1 keeps whole batches together. */
  readonly lanes: number
  /** It can keep the order of a whole partition: always, or where a field of its own has this value. Absent: it cannot. */
  readonly keepsPartitions?: true | { readonly field: string; readonly value: string }
  /** Nearly all of its buffers are garbage a moment later: collecting early, where source and sink say so, saves memory at little cost. */
  readonly collectsEarly?: boolean
  describe(config: z.output<Schema>): Endpoint
  /** Where the records of a source stream go, where that depends on it; absent: to what `describe` names. */
  targetOf?(config: z.output<Schema>, stream: string): string
  largestRecord(config: z.output<Schema>): Capacity
  open(config: z.output<Schema>, context: ConnectorContext): Promise<Sink | AppendSink>
}

export interface ConnectorDefinition<S extends z.ZodType = z.ZodType, K extends z.ZodType = z.ZodType> {
  /** The key in the manifest: `spec.source.<name>`. */
  readonly name: string
  readonly summary: string
  readonly source?: SourceDefinition<S>
  readonly sink?: SinkDefinition<K>
}

/** Checks a connector's definition against its own schemas at compile time. */
export const defineSource = <S extends z.ZodType>(definition: SourceDefinition<S>): SourceDefinition<S> => definition
export const defineSink = <S extends z.ZodType>(definition: SinkDefinition<S>): SinkDefinition<S> => definition
