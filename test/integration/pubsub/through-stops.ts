/** Pub/Sub → file, stopped again and again while records come; whole bridges in processes of their own. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { eventually } from '../../support/eventually.ts'
import { publish } from '../../support/pubsub.ts'
import { startFakePubsub } from '../../support/pubsub-fake/fake-pubsub.ts'
import { type RuntimeProcess, startRuntime } from '../../support/runtime-process.ts'
import { temporaryDirectory } from '../../support/server-process.ts'
import { sharedPubsub, uniqueName } from '../../support/shared-servers.ts'
import { testRun } from '../../support/verifier.ts'
import { createStream, sourceConfig } from './harness.ts'

/** A killed replica's messages are another's after its lease. */
const handOver = { within: 120_000 }

export interface Service {
  readonly address: string
  readonly stream: string
  send(this: void, messages: readonly { readonly key: string; readonly data: Buffer }[]): Promise<void>
}

export async function emulator(t: TestContext): Promise<Service> {
  const address = await sharedPubsub()
  const stream = uniqueName(t)
  await createStream(address, stream)
  return { address, stream, send: (messages) => publish(address, stream, messages) }
}

/** A service that keeps the order of what it delivers again over streams, as Google's does and its emulator does not. */
export async function orderedService(t: TestContext): Promise<Service> {
  const service = await startFakePubsub()
  t.after(() => service.stop())
  const stream = uniqueName(t)
  service.createTopic(stream, [stream])
  return {
    address: service.address,
    stream,
    async send(messages) {
      for (let from = 0; from < messages.length; from += 100) {
        service.publish(stream, messages.slice(from, from + 100))
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
  }
}

export async function throughStops(
  t: TestContext,
  { address, stream, send }: Service,
  signal: 'SIGTERM' | 'SIGKILL',
  replicas: number,
) {
  const folder = temporaryDirectory('pubsub-file')
  const path = join(folder, 'out.jsonl')
  const run = testRun({ run: stream, keys: 32 })
  const running = new Set<RuntimeProcess>()
  t.after(async () => {
    for (const runtime of running) await runtime.stop()
  })
  const start = async (replica: number): Promise<RuntimeProcess> => {
    const runtime = await startRuntime({
      bridge: { name: 'orders', source: { pubsub: sourceConfig(address, stream) as never }, sink: { file: { path } } },
      leases: join(folder, 'leases'),
      replica: `replica-${replica}`,
    })
    running.add(runtime)
    return runtime
  }
  const lines = (): string[] => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [])
  const exits: unknown[] = []
  for (let round = 0; round < 3; round += 1) {
    const before = lines().length
    const present = await Promise.all(Array.from({ length: replicas }, (_, replica) => start(replica)))
    const sending = send(run.take(3_000).map(({ key, value }) => ({ key, data: value })))
    await eventually('records arrive', () => lines().length > before + 500, undefined, handOver)
    for (const runtime of present) runtime.signal(signal)
    exits.push(...(await Promise.all(present.map((runtime) => runtime.exited()))))
    for (const runtime of present) running.delete(runtime)
    await sending
  }
  await start(0)
  const values = new Set<string>()
  await eventually(
    'all records',
    () => {
      for (const line of lines()) values.add(line.slice(0, line.indexOf(',')))
      return values.size
    },
    (size) => size >= run.sent,
    handOver,
  )
  for (const line of lines()) {
    const { key, value } = JSON.parse(line) as { readonly key: string; readonly value: string }
    run.arrived(key, value)
  }
  return { tally: run.tally(), exits }
}
