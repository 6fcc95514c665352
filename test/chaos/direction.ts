/** A bridge as the chaos tests drive it: two streams with their independent clients, the runtime in between. */
import type { End } from '../support/ends/end.ts'
import { kafkaEnd } from '../support/ends/kafka.ts'
import { kinesisEnd } from '../support/ends/kinesis.ts'

export interface Direction extends AsyncDisposable {
  readonly name: string
  readonly from: End
  readonly to: End
  /** Whether headers have a place at both ends. */
  readonly headers: boolean
}

export async function direction(from: Promise<End>, to: Promise<End>): Promise<Direction> {
  const ends = { from: await from, to: await to }
  return {
    ...ends,
    name: `${ends.from.broker} → ${ends.to.broker}`,
    headers: ends.from.headers && ends.to.headers,
    async [Symbol.asyncDispose]() {
      await ends.from[Symbol.asyncDispose]()
      await ends.to[Symbol.asyncDispose]()
    },
  }
}

export const kafkaToKinesis = (shards?: number): Promise<Direction> => direction(kafkaEnd(), kinesisEnd(shards))
export const kinesisToKafka = (shards?: number): Promise<Direction> => direction(kinesisEnd(shards), kafkaEnd())

/** The Kinesis stream of a direction, to split and merge. */
export const kinesisOf = ({ from, to }: Direction): string => (from.broker === 'Kinesis' ? from : to).stream
