import assert from 'node:assert/strict'
import test from 'node:test'
import { fakeClock } from '../../test/support/fake-clock.ts'
import { historyOn } from '../../test/support/leases/history.ts'
import type { PartitionReader, Progress } from '../core/contracts.ts'
import { BridgeError } from '../core/errors.ts'
import type { LeaseStore } from '../lease-stores/lease-store.ts'
import { memoryLeases } from '../lease-stores/memory.ts'
import { silentLogger } from '../observability/logger.ts'
import {
  beginning,
  beginningAgain,
  begun,
  finished,
  goingOn,
  renewed,
  takingOver,
  withGap,
  withoutGap,
} from './content.ts'
import { type History } from './history.ts'
import { dataGap, keepingGaps } from './keeping-gaps.ts'
import { historyLease } from '../lease-stores/history-lease.ts'

const orders = { name: 'topic orders', birth: 'id-1', found: 2 }

test('a bridge that never began remembers nothing', async () => {
  assert.equal(await historyOn(memoryLeases()).recall(), undefined)
})

test('what one replica remembers the others know, whoever writes at the same time', async () => {
  const store = memoryLeases()
  await historyOn(store).change(beginning('Latest', [orders]))
  await Promise.all(['0', '1', '2', '3'].map((partition) => historyOn(store).change(begun(orders, [partition]))))
  const content = await historyOn(store).recall()
  assert.deepEqual(content?.streams['topic orders'], { birth: 'id-1', found: 2, begun: ['0', '1', '2', '3'] })
  assert.equal(content.start, 'Latest')
})

test('a generation begins once: a later start position changes nothing', async () => {
  const history = historyOn(memoryLeases())
  await history.change(beginning('Latest', []))
  const content = await history.change(beginning('Earliest', [orders]))
  assert.deepEqual([content.start, content.streams], ['Latest', {}])
})

test('a finished partition is missed by nobody', async () => {
  const history = historyOn(memoryLeases())
  await history.change(begun(orders, ['0', '1']))
  const content = await history.change(finished(orders.name, '0'))
  assert.deepEqual(content.streams['topic orders']?.begun, ['1'])
})

test('a reset begins a new generation, once for each token', async () => {
  const store = memoryLeases()
  await historyOn(store).change(beginning('Latest', [orders]))
  await historyOn(store).change(withGap('0', 'gone'))
  const asked = historyOn(store, { reset: 'monday' })
  const content = await asked.recall()
  assert.deepEqual(content, { generation: 2, streams: {}, gaps: {}, resets: ['monday'] })
  await asked.change(beginning('Earliest', [orders]))
  assert.equal((await asked.recall())?.generation, 2)
  assert.equal((await historyOn(store, { reset: 'tuesday' }).recall())?.generation, 3)
  assert.equal((await historyOn(store, { reset: 'monday' }).recall())?.generation, 3, 'a replica of an older spec')
})

test('going on with another stream begins a new generation at the earliest records, and keeps the tokens', async () => {
  const store = memoryLeases()
  await historyOn(store, { reset: 'monday' }).recall()
  const content = await historyOn(store).change(goingOn([orders]))
  assert.deepEqual([content.generation, content.start, content.resets], [3, 'Earliest', ['monday']])
})

test('going on with a stream that was made again leaves the other streams as they are, once for all replicas', async () => {
  const history = historyOn(memoryLeases())
  await history.change(beginning('Latest', [orders, { name: 'topic other', birth: 'x', found: 1 }]))
  await history.change(begun(orders, ['0', '1']))
  await history.change(withGap('orders/0', 'made again'))
  await history.change(withGap('other/0', 'expired'))
  const again = renewed({ ...orders, birth: 'id-2' }, (partition) => partition.startsWith('orders/'))
  const content = await history.change(again)
  assert.deepEqual(content.streams['topic orders'], { birth: 'id-2', found: 0, begun: [] })
  assert.deepEqual([content.streams['topic other']?.birth, content.gaps], ['x', { 'other/0': 'expired' }])
  await history.change(begun({ ...orders, birth: 'id-2' }, ['1']))
  assert.deepEqual((await history.change(again)).streams['topic orders']?.begun, ['1'])
})

test('a stream that was only awaited gets its birth when it is begun', async () => {
  const history = historyOn(memoryLeases())
  await history.change(beginning('Latest', [{ name: 'topic orders', birth: undefined, found: 0 }]))
  const content = await history.change(begun(orders, ['1']))
  assert.deepEqual(content.streams['topic orders'], { birth: 'id-1', found: 0, begun: ['1'] })
})

test('a history begins with positions that are older than it, once', async () => {
  const history = historyOn(memoryLeases())
  const streams = { 'topic orders': { birth: 'id-1', found: 2, begun: ['0'] } }
  const content = await history.change(takingOver('Latest', 4, streams))
  assert.deepEqual([content.generation, content.start, content.streams], [4, 'Latest', streams])
  assert.equal((await history.change(takingOver('Earliest', 9, {}))).generation, 4)
})

test('a source of which nothing was read begins again with other streams', async () => {
  const history = historyOn(memoryLeases())
  await history.change(beginning('Earliest', [orders]))
  const content = await history.change(beginningAgain('Latest', [{ name: 'topic other', birth: 'x', found: 1 }]))
  assert.deepEqual([content.generation, content.start, Object.keys(content.streams)], [1, 'Latest', ['topic other']])
})

test('the first word on a gap stays until it is decided', async () => {
  const history = historyOn(memoryLeases())
  await history.change(withGap('0', 'first'))
  assert.equal((await history.change(withGap('0', 'second'))).gaps['0'], 'first')
  assert.deepEqual((await history.change(withoutGap('0'))).gaps, {})
})

test('a history that cannot be read is told, not begun anew', async () => {
  const store = memoryLeases()
  const lease = await store.create(historyLease)
  await store.checkpoint(lease, { position: '{"generation":', ended: false })
  await assert.rejects(historyOn(store).recall(), { reason: 'HistoryUnreadable', kind: 'fatal' })
})

test('a store that is away is told', async () => {
  const away = new BridgeError('away', { kind: 'retryable', reason: 'LeaseStoreUnavailable' })
  const store: LeaseStore = { ...memoryLeases(), create: () => Promise.reject(away) }
  await assert.rejects(historyOn(store).recall(), away)
})

/** A reader that ends in a gap where it is not told to go on. */
function reading(history: History, gap: string | undefined, finds?: string, lasts = true) {
  const commits: Progress[] = []
  let polls = 0
  const reader: PartitionReader = {
    partition: '0',
    stream: undefined,
    epoch: 1,
    settlement: { kind: 'watermark', commit: async (progress) => void commits.push(progress) },
    poll: async () => {
      polls += 1
      if (finds !== undefined) throw dataGap(finds)
      return undefined
    },
    lag: () => ({ kind: 'unknown', reason: 'a test' }),
  }
  const kept = keepingGaps(reader, { history, gap, lasting: () => lasts, clock: fakeClock(), log: silentLogger })
  const commit = (position: number): Promise<void> => {
    if (kept.settlement.kind !== 'watermark') throw new TypeError('a watermark was expected')
    return kept.settlement.commit({ position, ended: false })
  }
  return { kept, commit, polls: () => polls, commits }
}

const forever = new AbortController().signal

test('a gap outlives its owner', async () => {
  const store = memoryLeases()
  await assert.rejects(reading(historyOn(store), undefined, 'records are gone').kept.poll(forever), {
    reason: 'DataGap',
  })
  assert.equal((await historyOn(store).recall())?.gaps['0'], 'records are gone')
})

test('a gap that is found again at each start is told, and not kept', async () => {
  const store = memoryLeases()
  await assert.rejects(reading(historyOn(store), undefined, 'they cannot be read', false).kept.poll(forever), {
    reason: 'DataGap',
  })
  assert.equal((await historyOn(store).recall())?.gaps['0'], undefined)
})

test('an undecided gap is never read past, though the source sees none any more', async () => {
  const next = reading(historyOn(memoryLeases()), 'records are gone')
  await assert.rejects(next.kept.poll(forever), { reason: 'DataGap', message: 'records are gone' })
  assert.equal(next.polls(), 0)
})

test('a decided gap is forgotten once a position behind it is stored, and not before', async () => {
  const store = memoryLeases()
  const history = historyOn(store, { onDataGap: 'Continue' })
  await history.change(withGap('0', 'records are gone'))
  const { kept, commit, commits } = reading(history, 'records are gone')
  assert.equal(await kept.poll(forever), undefined)
  assert.equal((await history.recall())?.gaps['0'], 'records are gone')
  await commit(7)
  assert.deepEqual(commits, [{ position: 7, ended: false }])
  assert.deepEqual((await history.recall())?.gaps, {})
})
