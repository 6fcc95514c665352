/** The tests of S14 and S15: a bridge that has read once, and a stream or positions that are not what they were. */
import assert from 'node:assert/strict'
import type { BridgeError } from '../../bridge-runtime/core/errors.ts'
import { memoryLeases } from '../../bridge-runtime/lease-stores/memory.ts'
import { eventually } from '../support/eventually.ts'
import { uniqueName } from '../support/shared-servers.ts'
import { type TestRun, testRun } from '../support/verifier.ts'
import { type ConnectorHarness, openSource, type Positions } from './harness.ts'
import { type Reading, startReading } from './reading.ts'

/** Milliseconds: longer than any lease or session of the configurations. */
const handOver = { within: 90_000 }

/** Records that were sent together, and are told from all others by the name in their values. */
interface Wave {
  readonly name: string
  readonly run: TestRun
}

interface Bridge extends Positions {
  recreate(): Promise<void>
  /** The same bridge, its source edited to another stream of its own. */
  edited(): Promise<Bridge>
  send(count: number): Promise<Wave>
  /** Starts the bridge; each batch is settled as it comes. */
  read(onDataGap?: 'Stop' | 'Continue'): Promise<Reading>
}

async function newBridge(harness: ConnectorHarness): Promise<Bridge> {
  const target = await harness.target()
  const stream = uniqueName('conformance')
  await harness.createStream(target, stream, 1)
  return bridgeOn(harness, { target, stream, name: stream, leases: memoryLeases() })
}

function bridgeOn(harness: ConnectorHarness, at: Positions): Bridge {
  const { target, stream } = at
  return {
    ...at,
    async edited() {
      const other = uniqueName('another')
      await harness.createStream(target, other, 1)
      return bridgeOn(harness, { ...at, stream: other })
    },
    async recreate() {
      await harness.recreateStream?.(target, stream, 1)
    },
    async send(count) {
      const name = uniqueName('wave')
      const run = testRun({ run: name, keys: 5 })
      await harness.produce(target, stream, run.take(count))
      return { name, run }
    },
    async read(onDataGap = 'Stop') {
      const source = await openSource(harness, harness.sourceConfig(target, stream), { ...at, onDataGap })
      return startReading(source, { settles: true })
    },
  }
}

const isOf =
  ({ name }: Wave) =>
  ({ value }: { readonly value: Buffer | null }): boolean =>
    value?.toString('latin1').startsWith(`${name} `) === true

/** How many different records of a wave came. */
const arrivedOf = (wave: Wave, { received }: Reading): number =>
  new Set(received.filter(isOf(wave)).map(({ value }) => value?.toString('latin1'))).size

/** Every record of the wave comes, whole and in the order of its key; repetitions are no fault here. */
async function arrives(wave: Wave, reading: Reading): Promise<void> {
  const { run } = wave
  await eventually(
    `all records, errors ${reading.errors.map(String).join('; ')}`,
    () => arrivedOf(wave, reading),
    (count) => count >= run.sent,
    handOver,
  )
  for (const { key, value } of reading.received.filter(isOf(wave))) run.arrived(key?.toString() ?? null, value)
  const { lost, reordered, corrupt, samples } = run.tally()
  assert.deepEqual({ lost, reordered, corrupt }, { lost: 0, reordered: 0, corrupt: 0 }, samples.join('\n'))
}

/** The bridge says that there is a gap. */
const tells = (reading: Reading): Promise<BridgeError> =>
  eventually('a DataGap', () => reading.errors.find(({ reason }) => reason === 'DataGap'), undefined, handOver)

/** The bridge says so, says what to do, and has read nothing of the wave; also when it is started again. */
async function haltsBefore(wave: Wave, bridge: Bridge): Promise<void> {
  for (const attempt of ['the first start', 'a restart']) {
    const reading = await bridge.read()
    const { kind, message } = await tells(reading)
    assert.equal(kind, 'fatal', attempt)
    assert.match(message, /onDataGap: Continue/)
    await reading.stop()
    assert.equal(arrivedOf(wave, reading), 0, attempt)
  }
}

export async function oneStreamOnly(harness: ConnectorHarness): Promise<void> {
  const bridge = await newBridge(harness)
  const first = await bridge.send(50)
  const reading = await bridge.read()
  await arrives(first, reading)
  await reading.stop()

  // While it is stopped.
  await bridge.recreate()
  const second = await bridge.send(80)
  await haltsBefore(second, bridge)
  const going = await bridge.read('Continue')
  await arrives(second, going)
  await going.stop()

  // While it runs.
  const running = await bridge.read()
  await eventually('it runs', () => running.readers.size > 0 && running.connected, undefined, handOver)
  await bridge.recreate()
  const third = await bridge.send(60)
  await tells(running)
  await running.stop()
  const stopped = await bridge.read()
  await tells(stopped)
  await stopped.stop()
  const again = await bridge.read('Continue')
  await arrives(third, again)
  await again.stop()

  // Another stream altogether.
  const edited = await bridge.edited()
  const fourth = await edited.send(70)
  await haltsBefore(fourth, edited)
  const onward = await edited.read('Continue')
  await arrives(fourth, onward)
  await onward.stop()
}

export async function neverAsIfNew(harness: ConnectorHarness): Promise<void> {
  const bridge = await newBridge(harness)
  const first = await bridge.send(50)
  const reading = await bridge.read()
  await arrives(first, reading)
  await reading.stop()
  await harness.losePositions?.(bridge)
  const second = await bridge.send(30)
  await haltsBefore(second, bridge)
  const going = await bridge.read('Continue')
  await arrives(second, going)
  await eventually(
    'the earliest record',
    () => arrivedOf(first, going),
    (count) => count === 50,
    handOver,
  )
  await going.stop()
  // The decision is carried out once: what comes next is read from its position.
  const third = await bridge.send(10)
  const later = await bridge.read()
  await arrives(third, later)
  await later.stop()
  assert.equal(arrivedOf(second, later), 0, 'what was settled behind the gap is not read again')
}
