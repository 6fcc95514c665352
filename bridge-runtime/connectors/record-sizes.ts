/** Whether what a source can hold has room in a sink. Pure; sizes are of key, value and headers together. */
import type { Chosen } from './catalog.ts'
import type { SinkDefinition, SourceDefinition } from './define-connector.ts'

/** Bytes that a dead letter's own headers take: origin, position, reason, message, attempts. */
const letterBytes = 2_048

/** Whether a sink takes every record of a source whose service has its default limits. */
export const fits = (source: Chosen<SourceDefinition>, sink: Chosen<SinkDefinition>): boolean =>
  source.definition.largestRecord(source.config) <= sink.definition.largestRecord(sink.config).bytes

/** What is doubtful about a dead-letter sink, in words; undefined when it takes whatever its source can hold. */
export function deadLetterWarning(
  source: Chosen<SourceDefinition>,
  sink: Chosen<SinkDefinition>,
): { readonly path: string; readonly message: string } | undefined {
  const largest = source.definition.largestRecord(source.config)
  const { bytes, field, asked } = sink.definition.largestRecord(sink.config)
  if (bytes >= largest + letterBytes || asked === true) return undefined
  const path = `spec.delivery.deadLetter.${sink.type}`
  const wanted = field && field.bytes + largest + letterBytes - bytes
  const step =
    field === undefined
      ? 'use a dead-letter sink that takes more'
      : `raise ${path}.${field.name} to ${wanted} or more, and ${field.also}`
  const message = `takes records of up to ${bytes} bytes, and the source may hold ${largest}, to which a dead letter adds up to ${letterBytes}: one for which there is no room would stop its partition; ${step}`
  return { path, message }
}
