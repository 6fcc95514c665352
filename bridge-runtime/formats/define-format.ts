import type { z } from 'zod'
import type { Clock } from '../core/clock.ts'
import type { ReadSecret } from '../connectors/define-connector.ts'
import type { Logger } from '../observability/logger.ts'
import type { Value } from '../values/value.ts'

/** What a format or a step gets when it is opened. */
export interface TransformContext {
  /** The path of its field in the person's manifest, for messages: `spec.decode.value.avro`. */
  readonly field: string
  readonly secret: ReadSecret
  readonly clock: Clock
  readonly log: Logger
}

export interface Decoder {
  /**
   * Called before `decode` with the same bytes: resolves when all that they need is there (a schema); undefined when it is already.
   * Rejects with a retryable BridgeError; called again after a backoff.
   */
  prepare?(inputs: readonly Buffer[], signal: AbortSignal): Promise<void> | undefined
  /** A new value each time, which the caller may change. Throws `Unfit`. */
  decode(bytes: Buffer): Value
}

export interface Encoder {
  /** As of a decoder: what is needed before anything can be encoded for these streams. */
  prepare?(streams: readonly string[], signal: AbortSignal): Promise<void> | undefined
  /** @param stream the target: topic, stream, event hub. Throws `Unfit`. */
  encode(value: Value, stream: string): Buffer
}

/** One way to read and write keys and values: `spec.decode.value.<name>`, `spec.encode.value.<name>`. */
export interface FormatDefinition<Read extends z.ZodType = z.ZodType, Write extends z.ZodType = z.ZodType> {
  /** The key in the manifest. */
  readonly name: string
  readonly summary: string
  readonly decode: { readonly schema: Read; open(config: z.output<Read>, context: TransformContext): Decoder }
  readonly encode: { readonly schema: Write; open(config: z.output<Write>, context: TransformContext): Encoder }
  /**
   * The format in which a value is written that was read in this one, where a person does not say: `json` where that is absent.
   * A value that no step changed keeps its bytes when it is written as it was read.
   */
  readonly keeps: boolean
}

/** Checks a format's definition against its own schemas at compile time. */
export const defineFormat = <Read extends z.ZodType, Write extends z.ZodType>(
  definition: FormatDefinition<Read, Write>,
): FormatDefinition<Read, Write> => definition
