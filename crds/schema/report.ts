/**
 * What one replica of the runtime answers on `GET /status`: the only thing the operator learns from it. The runtime
 * writes it, the operator parses it (it may come from an older or newer runtime, so unknown fields are ignored).
 */
import { z } from 'zod'

const reportedError = z.object({
  component: z.enum(['source', 'transform', 'sink', 'deadLetter', 'checkpoint']),
  reason: z.string(),
  /** Absent in what an older runtime reports. */
  kind: z.enum(['retryable', 'poison', 'fatal']).optional(),
  message: z.string(),
  count: z.int().min(0),
  /** Milliseconds since the epoch. */
  firstAt: z.number(),
  lastAt: z.number(),
})

const lag = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('known'), records: z.number().min(0).optional(), seconds: z.number().min(0).optional() }),
  z.object({ kind: z.literal('unknown'), reason: z.string() }),
])

const partition = z.object({
  partition: z.string(),
  epoch: z.int(),
  /** Last committed position, as text. */
  committed: z.string().optional(),
  lag,
  inFlightRecords: z.int().min(0),
  /** Set while the partition waits for a person: at a record that cannot be delivered, or at a gap. */
  halted: z.object({ reason: z.string(), message: z.string() }).optional(),
  /** Set while records are known to wait and none has moved for the time that the message states, and why as far as known. */
  still: z.object({ seconds: z.number().min(0), message: z.string() }).optional(),
})

export const runtimeReport = z.object({
  version: z.string(),
  replica: z.string(),
  /** Hash of the bridge file the replica runs, as given to it: tells the operator which spec it is. */
  configHash: z.string(),
  state: z.enum(['starting', 'running', 'draining', 'finished']),
  /** Milliseconds since the epoch, on the replica's clock, for display only. */
  at: z.number(),
  /** Seconds since the process began. */
  uptime: z.number(),
  source: z.object({ connected: z.boolean(), partitions: z.int().min(0).optional() }),
  sink: z.object({ connected: z.boolean(), throttled: z.boolean() }),
  partitions: z.array(partition),
  totals: z.object({
    in: z.number(),
    out: z.number(),
    filtered: z.number(),
    deadLettered: z.number(),
    retries: z.number(),
    /** Delivered again by the source although the sink had them: settled, not moved. */
    repeats: z.number().optional(),
  }),
  /** What each step on the way did, in their order. */
  steps: z
    .array(
      z.object({ step: z.string(), in: z.number(), filtered: z.number(), failed: z.number(), seconds: z.number() }),
    )
    .optional(),
  /** Records per second over the last 10 s. */
  rates: z.object({ in: z.number(), out: z.number() }),
  /** The share of the last 10 s, 0 to 1, in which at least one owned partition had lag: capacity is measured only then. */
  busy: z.number().min(0).max(1),
  inFlightBytes: z.number().min(0),
  lastCommitAt: z.number().optional(),
  oldestUnsettledSeconds: z.number().min(0).optional(),
  lastDeadLetter: z.object({ reason: z.string(), at: z.number() }).optional(),
  /** Present while it lasts: the newest error of a component that has not succeeded since. */
  errors: z.array(reportedError),
})

export type RuntimeReport = z.output<typeof runtimeReport>
export type PartitionReport = z.output<typeof partition>
export type ReportedError = z.output<typeof reportedError>
