import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { Journal } from './journal.ts'
import { PartitionLog, type Retention } from './partition-log.ts'

const folder = mkdtempSync(join(tmpdir(), 'event-hubs-log-'))
after(() => rmSync(folder, { recursive: true }))

let files = 0
const newFile = (): string => join(folder, `${files++}.log`)
const event = (text: string, partitionKey?: string) => ({ bytes: Buffer.from(text), partitionKey })
const open = (file: string): PartitionLog => new PartitionLog({ now: Date.now, journal: new Journal(file, false) })
const all = (log: PartitionLog) => log.read(0, Infinity)

const step = fc.oneof(
  fc.record({
    kind: fc.constant('append' as const),
    events: fc.array(
      fc.record({
        text: fc.string({ maxLength: 20 }),
        key: fc.option(fc.string({ maxLength: 5 }), { nil: undefined }),
      }),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
  }),
  fc.record({ kind: fc.constant('trim' as const), before: fc.nat(20) }),
  fc.record({ kind: fc.constant('jump' as const), by: fc.integer({ min: 1, max: 10 }) }),
)

function take(log: PartitionLog, steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[]): void {
  for (const one of steps)
    if (one.kind === 'append') log.append(one.events.map(({ text, key }) => event(text, key)))
    else if (one.kind === 'trim') log.trim(one.before)
    else log.jump(one.by)
}

test('sequence numbers and offsets grow, and a log that is opened again is the same', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const file = newFile()
      const log = open(file)
      take(log, steps)
      const events = all(log)
      for (const [index, { sequenceNumber, offset, enqueuedTime }] of events.entries()) {
        const before = events[index - 1]
        if (before === undefined) continue
        assert.ok(
          sequenceNumber > before.sequenceNumber && offset > before.offset && enqueuedTime >= before.enqueuedTime,
        )
      }
      log.close()
      const again = open(file)
      assert.deepEqual(all(again), events)
      assert.deepEqual(
        [again.last, again.nextSequenceNumber, again.retained],
        [log.last, log.nextSequenceNumber, log.retained],
      )
      again.close()
    }),
  )
})

test('a batch that a crash cut off is not there at all, and the log goes on', () => {
  const file = newFile()
  const log = open(file)
  log.append([event('kept')])
  const length = readFileSync(file).length
  log.append([event('torn'), event('batch')])
  log.close()
  const whole = readFileSync(file)
  for (let end = length; end < whole.length; end++) {
    writeFileSync(file, whole)
    truncateSync(file, end)
    const again = open(file)
    assert.deepEqual(
      all(again).map(({ bytes }) => bytes.toString()),
      ['kept'],
      `cut at ${end}`,
    )
    again.append([event('next')])
    again.close()
    const third = open(file)
    assert.deepEqual(
      all(third).map(({ sequenceNumber }) => sequenceNumber),
      [0, 1],
    )
    third.close()
  }
})

test('garbage after the last batch is cut off', () => {
  const file = newFile()
  const log = open(file)
  log.append([event('kept')])
  log.close()
  appendFileSync(file, Buffer.from([0, 0, 0, 1, 9, 9, 9, 9, 0]))
  const again = open(file)
  assert.equal(all(again).length, 1)
  again.close()
})

test('time never goes back, whatever the clock does', () => {
  const times = [100, 50, 200]
  const log = new PartitionLog({ now: () => times.shift() ?? 0 })
  for (const text of ['a', 'b', 'c']) log.append([event(text)])
  assert.deepEqual(
    all(log).map(({ enqueuedTime }) => enqueuedTime),
    [100, 100, 200],
  )
})

test('a reader begins where it asked to', () => {
  let now = 0
  const log = new PartitionLog({ now: () => (now += 10) })
  for (const text of ['aaa', 'bbb', 'ccc', 'ddd']) log.append([event(text)])
  const from = (kind: 'offset' | 'sequence-number' | 'enqueued-time', value: number, inclusive: boolean) =>
    log.startOf({ kind, value, inclusive })
  assert.deepEqual([from('offset', 3, true), from('offset', 3, false), from('offset', 4, true)], [1, 2, 2])
  assert.deepEqual([from('sequence-number', 2, true), from('sequence-number', 2, false)], [2, 3])
  assert.deepEqual([from('enqueued-time', 20, false), from('enqueued-time', 0, false)], [2, 0])
  assert.deepEqual([log.startOf({ kind: 'first' }), log.startOf({ kind: 'latest' })], [0, 4])
  log.trim(2)
  assert.deepEqual([log.startOf({ kind: 'first' }), from('sequence-number', 0, true)], [2, 2])
})

test('the oldest events go when there are too many, and sequence numbers go on', () => {
  const retaining = (retention: Retention) => {
    const log = new PartitionLog({ now: Date.now, retention })
    for (let index = 0; index < 100; index++) log.append([event('0123456789')])
    return log
  }
  const byCount = retaining({ events: 10 })
  assert.ok(byCount.retained.events <= 11)
  assert.equal(byCount.nextSequenceNumber, 100)
  assert.equal(all(byCount).at(-1)?.sequenceNumber, 99)
  assert.ok(retaining({ bytes: 200 }).retained.bytes <= 220)
})
