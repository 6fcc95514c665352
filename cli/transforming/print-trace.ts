/** A record's way as lines for a terminal, or as one JSON object. */
import { isUtf8 } from 'node:buffer'
import type { BridgeRecord } from '../../bridge-runtime/core/contracts.ts'
import type { Trace, TracedStep } from '../../bridge-runtime/pipeline/trace.ts'
import { differences, shown } from './differences.ts'

const longest = 160
const short = (text: string): string => (text.length > longest ? `${text.slice(0, longest - 1)}…` : text)

export function traceLines(number: number, record: BridgeRecord, trace: Trace): readonly string[] {
  const heading = [`record ${number}`, ...(record.key === null ? [] : [`key ${asText(record.key)}`])].join('  ')
  return [
    heading,
    ...trace.steps.flatMap(stepLines),
    ...trace.outputs.map((output) =>
      output.poison === undefined
        ? `  → ${[...(output.key === null ? [] : [`key ${asText(output.key)}`]), short(asText(output.value))].join('  ')}`
        : `  ✗ cannot go on (${output.poison.reason}): ${output.poison.message}`,
    ),
  ]
}

function stepLines({ step, before, after, error }: TracedStep): readonly string[] {
  const name = step.replace('spec.', '')
  if (error !== undefined) return [`  ${name}  fails`]
  if (after.length === 0) return [`  ${name}  filtered out`]
  if (after.length > 1) return [`  ${name}  ${after.length} records`]
  const changes = after.flatMap((one) => differences(before, one))
  if (changes.length === 0) return [`  ${name}  ${name.endsWith('.filter') ? 'kept' : 'unchanged'}`]
  return [
    `  ${name}`,
    ...changes.flatMap((change) => [
      ...(change.before === undefined ? [] : [`    - ${change.path}: ${short(change.before)}`]),
      ...(change.after === undefined ? [] : [`    + ${change.path}: ${short(change.after)}`]),
    ]),
  ]
}

/** Characters that no terminal shows, beside tabs and line ends. */
const isPrintable = (text: string): boolean => !Array.from(text).some((one) => one < ' ' && !'\t\n\r'.includes(one))

function asText(bytes: Buffer | null): string {
  if (bytes === null) return 'null'
  const text = isUtf8(bytes) ? bytes.toString() : undefined
  return text !== undefined && isPrintable(text) ? text : shown(bytes)
}

/** The same for programs. */
export const traceObject = (number: number, { steps, outputs }: Trace): object => ({
  record: number,
  steps: steps.map(({ step, before, after, error }) => ({
    step,
    ...(error === undefined ? {} : { error: { reason: error.reason, message: error.message, ...error.place } }),
    outputs: after.map((one) => differences(before, one)),
  })),
  outputs: outputs.map(outputObject),
})

const outputObject = ({ key, value, headers, timestamp, poison }: BridgeRecord): object => ({
  ...(poison === undefined ? {} : { poison: { reason: poison.reason, message: poison.message, ...poison.place } }),
  key: key === null ? null : asText(key),
  value: value === null ? null : asText(value),
  headers: headers.map((header) => ({ name: header.name, value: header.value === null ? null : asText(header.value) })),
  timestamp,
})
