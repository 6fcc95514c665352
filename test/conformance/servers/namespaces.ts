import type { Exceptions, Interruption } from '../harness.ts'

/** Event Hubs namespaces that the suite runs on. */
export interface Namespaces {
  /** What they cannot do. */
  readonly exceptions: Exceptions
  /** host:port of one that tests may share. */
  target(): Promise<string>
  createHub(target: string, stream: string, partitions: number): Promise<void>
  recreateHub?(target: string, stream: string, partitions: number): Promise<void>
  /** The event hub that was made for a stream; the stream's own name if there is none. */
  hubOf(stream: string): string
  connectionString(target: string, hub?: string): string
  /** One that knows the stream and does not know the key of the connection string. */
  refusing?(
    stream: string,
    key: string,
  ): Promise<{ readonly target: string; readonly connectionString: string; stop(): Promise<void> }>
  interruption(): Promise<Interruption>
  /** After all tests. */
  stop(): Promise<void>
}
