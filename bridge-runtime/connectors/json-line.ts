import { isUtf8 } from 'node:buffer'
import type { BridgeRecord, SinkBatch } from '../core/contracts.ts'

/** A field as text where it is UTF-8, under `<name>Base64` otherwise; null stays null. */
function field(name: string, value: Buffer | null): Readonly<Record<string, string | null>> {
  if (value === null) return { [name]: null }
  return isUtf8(value) ? { [name]: value.toString() } : { [`${name}Base64`]: value.toString('base64') }
}

function jsonLine(record: BridgeRecord, origin: string): string {
  return JSON.stringify({
    id: `${origin}/${record.position}`,
    ...field('key', record.key),
    ...field('value', record.value),
    headers: record.headers.map(({ name, value }) => ({ name, ...field('value', value) })),
    timestamp: record.timestamp,
  })
}

/** One JSON line per record: `id` is the record's `streambridge-source-id`. Ends with a newline. */
export const jsonLines = (batch: SinkBatch): string =>
  `${batch
    .records()
    .map((record) => jsonLine(record, batch.origin))
    .join('\n')}\n`
