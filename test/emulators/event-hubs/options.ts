import type { HubSpec } from './hubs.ts'
import type { Retention } from './partition-log.ts'
import type { Keys } from './sas.ts'
import type { Throughput } from './throttle.ts'

export interface EmulatorOptions {
  readonly hubs: readonly HubSpec[]
  /** Default 127.0.0.1. */
  readonly host: string
  /** Default 0: any free one. */
  readonly port: number
  /** Of the admin API, always on 127.0.0.1; undefined is no API. */
  readonly adminPort: number | undefined
  /** Folder to keep everything in; undefined keeps it in memory. */
  readonly data: string | undefined
  /** Each batch is on the disk before it is acknowledged. */
  readonly fsync: boolean
  readonly retention: Retention
  readonly throughput: Throughput
  /** Bytes of a message, hence of a batch. */
  readonly maxMessageSize: number
  /** Links need a token for their address. */
  readonly requireToken: boolean
  /** Shared access keys; if there are any, tokens are verified and needed. */
  readonly keys: Keys
  /** A reader may begin beyond the end; the service refuses it. */
  readonly allowBeyondEnd: boolean
  /** Milliseconds of silence the emulator announces to accept; it closes after twice as long. */
  readonly idleTimeout: number
  /** Milliseconds after which a connection without a transfer is closed, a link detached; undefined is never. */
  readonly closeIdleConnections: number | undefined
  readonly detachIdleLinks: number | undefined
  readonly now: () => number
  readonly random: () => number
  readonly log: (line: string) => void
}

export const defaults: EmulatorOptions = {
  hubs: [],
  host: '127.0.0.1',
  port: 0,
  adminPort: undefined,
  data: undefined,
  fsync: false,
  retention: {},
  throughput: {},
  maxMessageSize: 1_048_576,
  requireToken: false,
  keys: new Map(),
  allowBeyondEnd: false,
  idleTimeout: 240_000,
  closeIdleConnections: undefined,
  detachIdleLinks: undefined,
  now: Date.now,
  random: Math.random,
  log: () => undefined,
}
