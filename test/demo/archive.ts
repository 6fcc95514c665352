/** Counts the demo's output file: every line must be a record that the generator makes, each there once, in order. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { type AccessLog, accessLogRecord } from '../../bridge-runtime/connectors/generator/access-log.ts'
import { Counter, type Tally } from '../support/tally.ts'

/** What the generator makes: record n of the one partition, by its id in the request line. */
function* made(log: AccessLog): Generator<{ readonly id: string; readonly key: string; readonly value: string }> {
  for (let n = 0; ; n += 1) {
    const { value } = accessLogRecord(log, 0, n)
    const [id = '', key = ''] = idOf(value) ?? []
    yield { id, key, value }
  }
}

const idOf = (value: string): readonly string[] | undefined => /rid=((\d+)-(\d+))/.exec(value)?.slice(1)

interface Line {
  readonly id: string
  readonly key: string
  readonly sequence: string
  readonly value: string
}

async function linesOf(path: string): Promise<readonly Line[]> {
  const lines: Line[] = []
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const value = valueIn(line)
    if (value === undefined) continue
    const [id = '', key = '', sequence = ''] = idOf(value) ?? []
    lines.push({ id, key, sequence, value })
  }
  return lines
}

/** Undefined for a line that the kill cut off. Its record must be in another, or it counts as lost. */
function valueIn(line: string): string | undefined {
  try {
    return (JSON.parse(line) as { readonly value: string }).value
  } catch {
    return undefined
  }
}

/**
 * @param records how many the generator's sink has acknowledged without a gap; what it had sent beyond them when it was
 *   stopped may be there too
 */
export async function tallyArchive(path: string, log: AccessLog, records: number): Promise<Tally> {
  const lines = await linesOf(path)
  const present = new Set(lines.map(({ id }) => id))
  const values = new Map<string, string>()
  const sent = new Map<string, number>()
  let n = 0
  for (const { id, key, value } of made(log)) {
    if (n >= records + lines.length) break
    if (n < records || present.has(id)) sent.set(key, (sent.get(key) ?? 0) + 1)
    values.set(id, value)
    n += 1
  }
  const counter = new Counter()
  for (const { id, key, sequence, value } of lines) {
    if (values.get(id) === value) counter.arrived(key, Number(sequence))
    else counter.corrupt(value.slice(0, 80))
  }
  return counter.tally(sent)
}

/** Different records in the file so far. */
export async function distinctRecords(path: string): Promise<number> {
  const seen = new Set<string>()
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const id = /rid=(\d+-\d+)/.exec(line)?.[1]
    if (id !== undefined) seen.add(id)
  }
  return seen.size
}
