/** Clients in Python that share no line with a bridge (`witness/`): they send the records of a run, and judge what has arrived. */
import { join } from 'node:path'
import type { Broker } from './ends/brokers.ts'
import type { End } from './ends/end.ts'
import { pythonWithClients } from './python.ts'
import { runCommand } from './run-command.ts'
import { temporaryDirectory } from './server-process.ts'
import type { Verdict } from './tally.ts'

/** Where the clients find a stream. */
export interface Place {
  readonly broker: Broker
  /** host:port; an URL for Kinesis. */
  readonly address: string
  /** Topic, stream or event hub. */
  readonly stream: string
  /** Pub/Sub: what is judged is what this subscription to the topic holds, and what it held when this witness judged before. */
  readonly subscription?: string
}

export interface Witness {
  /** Sends the next `count` records of the run. Resolves when all are stored. */
  produce(to: Place, count: number): Promise<void>
  /**
   * Reads the stream from its beginning, until all that were sent have arrived and no more come, or `within` (milliseconds,
   * default 60,000) is over.
   */
  judge(at: Place, options?: { readonly within?: number }): Promise<Verdict>
}

export interface WitnessOptions {
  /** Tells this run's records from others in the same stream. No spaces. */
  readonly run: string
  /** How many keys take turns. Default 20. */
  readonly keys?: number
  /** Bytes of a value. Default 200. */
  readonly bytes?: number
  /** Each record must arrive with the header that it was sent with. Default false: it may have lost it on the way. */
  readonly marked?: boolean
}

const programs = join(import.meta.dirname, 'witness')

export function witness({ run, keys = 20, bytes = 200, marked = false }: WitnessOptions): Witness {
  const journals = temporaryDirectory('witness')
  let sent = 0
  const call = async (verb: string, { broker, address }: Place, more: Readonly<Record<string, string | number>>) => {
    const named = { address, run, keys, size: bytes, ...more }
    const flags = Object.entries(named).flatMap(([name, value]) => [`--${name}`, String(value)])
    // -B: no compiled files beside the sources.
    return runCommand(await pythonWithClients(), ['-B', programs, verb, broker, ...flags])
  }
  return {
    async produce(to, count) {
      await call('produce', to, { stream: to.stream, from: sent, count: sent + count })
      sent += count
    },
    async judge(at, { within = 60_000 } = {}) {
      const stream = at.subscription ?? at.stream
      const told = await call('count', at, {
        stream,
        count: sent,
        within: within / 1000,
        journal: join(journals, stream),
        marked: Number(marked),
      })
      return JSON.parse(told) as Verdict
    },
  }
}

/** An end as the clients find it. */
export function placeOf({ stream, sink, secrets }: End): Place {
  const broker = Object.keys(sink)[0] as Broker
  const address = {
    kafka: () => sink.kafka?.bootstrapServers[0],
    kinesis: () => sink.kinesis?.endpoint,
    pubsub: () => sink.pubsub?.endpoint?.replace('http://', ''),
    eventHubs: () => /sb:\/\/([^;]+)/.exec(secrets['azure']?.['connection-string'] ?? '')?.[1],
  }[broker]()
  return { broker, address: address ?? '', stream, ...(broker === 'pubsub' && { subscription: `${stream}-check` }) }
}
