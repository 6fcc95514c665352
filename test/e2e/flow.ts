/** One bridge of the end-to-end test: an example, the servers it is pointed at, and clients at both ends that are not its own. */
import type { TestRun } from '../support/verifier.ts'
import type { Target } from './disturbances.ts'
import type { Servers } from './examples.ts'
import type { Send } from './traffic.ts'

export interface Flow {
  /** `Kafka → Kinesis` */
  readonly name: string
  /** The file in `examples/`. */
  readonly example: string
  readonly target: Target
  /** Where everything is, with the Secret data of now. */
  readonly servers: () => Servers
  /** Whether headers have a place at both ends. */
  readonly headers: boolean
  readonly open: (run: TestRun) => Promise<Traffic>
}

export interface Traffic {
  readonly send: Send
  /** Hands everything that arrives to the run, until the signal aborts. */
  readonly read: (signal: AbortSignal) => Promise<void>
  readonly close: () => Promise<void>
}

/** Two brokers on this machine, and a flow in each direction. */
export interface Pair {
  readonly flows: readonly Flow[]
  /** Changes credentials in a broker, which lets nobody in with the old ones any more. @returns the flows whose Secrets must follow */
  rotate(): Promise<readonly Flow[]>
  stop(): Promise<void>
}

/** Makes a value for a Secret that is looked for everywhere else. */
export type Canary = (name: string) => string

export const bridgeNamespace = 'streambridge-e2e'
/** Of every topic, stream and hub. */
export const partitions = 6
