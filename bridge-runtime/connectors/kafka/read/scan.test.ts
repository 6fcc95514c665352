import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { batch, fetched, large, valuesOf } from '../../../../test/support/kafka-batches.ts'
import { scan } from './scan.ts'

test('small batches are handed out as one, at their offsets', async () => {
  const bytes = Buffer.concat([
    await batch({ offset: 5, values: ['a', 'b'] }),
    await batch({ offset: 7, values: ['c'] }),
  ])
  const { batches, next } = scan(fetched(bytes, 5))
  assert.equal(batches.length, 1)
  const [one] = batches
  assert.deepEqual([one?.count, one?.first, one?.last, next], [3, 5, 7, 8])
  assert.deepEqual(
    one?.records().map(({ position }) => position),
    [5, 6, 7],
  )
})

test('a start inside a batch leaves out what came before', async () => {
  const bytes = Buffer.concat([
    await batch({ offset: 5, values: ['a', 'b', 'c'] }),
    await batch({ offset: 8, values: ['d'] }),
  ])
  const scanned = scan(fetched(bytes, 7))
  assert.deepEqual(valuesOf(scanned), ['c', 'd'])
  assert.deepEqual(
    scanned.batches.map((one) => [one.first, one.count]),
    [
      [7, 1],
      [8, 1],
    ],
  )
})

test('records of aborted transactions and markers are left out and settled with what came before', async () => {
  const bytes = Buffer.concat([
    await batch({ offset: 0, values: ['open'], producer: 1n, kind: 'transactional' }),
    await batch({ offset: 1, values: ['gone'], producer: 2n, kind: 'transactional' }),
    await batch({ offset: 2, values: ['marker'], producer: 2n, kind: 'abort' }),
    await batch({ offset: 3, values: ['again'], producer: 2n, kind: 'transactional' }),
    await batch({ offset: 4, values: ['marker'], producer: 2n, kind: 'commit' }),
    await batch({ offset: 5, values: ['marker'], producer: 1n, kind: 'commit' }),
  ])
  const scanned = scan(fetched(bytes, 0, { aborted: [{ producerId: 2n, firstOffset: 1 }] }))
  assert.deepEqual(valuesOf(scanned), ['open', 'again'])
  assert.deepEqual(
    scanned.batches.map(({ end }) => end.next),
    [3, 6],
  )
  assert.equal(scanned.next, 6)
})

test('a damaged batch is an error behind the good ones before it', async () => {
  const damaged = await batch({ offset: 1, values: ['b'] })
  damaged[70] = (damaged[70] ?? 0) ^ 1
  const scanned = scan(fetched(Buffer.concat([await batch({ offset: 0, values: ['a'] }), damaged]), 0))
  assert.deepEqual(valuesOf(scanned), ['a'])
  assert.equal(scanned.next, 1)
  assert.ok(scanned.error instanceof Error)
})

test('a batch that the answer cut off is fetched again, wherever it was cut', async () => {
  const first = await batch({ offset: 0, values: ['a'] })
  const second = await batch({ offset: 1, values: ['b'] })
  const whole = Buffer.concat([first, second])
  fc.assert(
    fc.property(fc.integer({ min: first.length, max: whole.length - 1 }), (length) => {
      const scanned = scan(fetched(whole.subarray(0, length), 0))
      return scanned.next === 1 && scanned.batches.length === 1 && scanned.error === undefined
    }),
  )
})

for (const compression of ['None', 'Gzip', 'Snappy', 'LZ4', 'Zstd'] as const) {
  test(`a batch counts as what it takes when decoded, before it is: compression ${compression}`, async () => {
    const bytes = await large(compression, 50)
    const [one] = scan(fetched(bytes, 0)).batches
    assert.ok((one?.bytes ?? 0) >= 50_000, `${one?.bytes}`)
    assert.ok((one?.bytes ?? 0) <= 50_000 + 200_000, `${one?.bytes}`)
  })

  test(`a batch larger than the limit once decoded is one record of poison with its bytes: compression ${compression}`, async () => {
    const bytes = Buffer.concat([await large(compression, 3_000), await batch({ offset: 3_000, values: ['behind'] })])
    const { batches, next } = scan(fetched(bytes, 0, { maxMemory: 2 ** 20 }))
    const [poison, behind] = batches
    assert.deepEqual([batches.length, next], [2, 3_001])
    assert.deepEqual([poison?.first, poison?.last, poison?.end.next, poison?.count], [0, 2_999, 3_000, 1])
    const [record] = poison?.records() ?? []
    assert.equal(record?.poison?.kind, 'poison')
    assert.match(record.poison.message, /maxDecodedBytes is 1048576/)
    assert.ok(record.value?.equals(bytes.subarray(0, record.value.length)))
    assert.equal(behind?.records()[0]?.position, 3_000)
  })
}
