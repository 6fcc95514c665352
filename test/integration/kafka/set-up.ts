import { eventually } from '../../support/eventually.ts'
import { createTopic } from '../../support/kafka.ts'
import { sharedKafka, uniqueName } from '../../support/shared-servers.ts'
import { type Reading, type ReadingOptions, read } from './harness.ts'

export interface Setup {
  readonly server: string
  readonly topic: string
  readonly start: (config?: object, options?: ReadingOptions) => Promise<Reading>
}

/** A topic of its own, and readings of it whose group has the same name. */
export async function setUp(
  name: string,
  partitions = 1,
  config: Readonly<Record<string, string>> = {},
): Promise<Setup> {
  const server = await sharedKafka()
  const topic = uniqueName(name)
  await createTopic(server, topic, { partitions, config })
  const start: Setup['start'] = (more = {}, options = {}) => {
    const topics = 'topicsPattern' in more ? {} : { topics: [topic] }
    return read({ bootstrapServers: [server], consumerGroup: topic, ...topics, ...more }, options)
  }
  return { server, topic, start }
}

export const values = (reading: Reading): string[] => reading.records.map(({ value }) => String(value))
export const numbered = (count: number, from = 0): { value: string }[] =>
  Array.from({ length: count }, (_, n) => ({ value: String(from + n) }))

export const received = (reading: Reading, count: number): Promise<number> =>
  eventually(
    `${count} records are read`,
    () => reading.records.length,
    (length) => length >= count,
  )

export const owned = (reading: Reading, count: number): Promise<number> =>
  eventually(
    `${count} partitions are owned`,
    () => reading.readers.size,
    (size) => size === count,
  )
