import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../../test/support/eventually.ts'
import { fakeClock } from '../../../test/support/fake-clock.ts'
import { memoryEngine } from '../../../test/support/memory/engine.ts'
import { MemorySink } from '../../../test/support/memory/sink.ts'
import { MemoryLog, MemorySource } from '../../../test/support/memory/source.ts'

test('a new owner commits well before the commit interval is over', async () => {
  const log = new MemoryLog(1)
  for (let offset = 0; offset < 20; offset += 1) log.append(0, `key-${offset % 3}`, `${offset}`)
  const clock = fakeClock()
  const sink = new MemorySink()
  const engine = memoryEngine(new MemorySource(log), sink, { commitInterval: 8_000, clock })
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  await eventually('all of it is settled', () => sink.stored.length === 20 && engine.pumps[0]?.inFlightRecords === 0)
  await clock.advance(1_000)
  assert.equal(log.committed[0], 20)
  stop.abort()
  await clock.advance(0)
  await running
})
