import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hubPool, hubsPerServer, type StartHubServer } from './hub-pool.ts'

/** Counts what is started and stopped. */
function counting(): { readonly start: StartHubServer; readonly started: string[]; readonly stopped: string[] } {
  const started: string[] = []
  const stopped: string[] = []
  const start: StartHubServer = async (hubs, partitions) => {
    const endpoint = `server-${started.length + 1}`
    started.push(`${endpoint}: ${hubs.length} hubs of ${partitions}`)
    return { endpoint, stop: async () => void stopped.push(endpoint) }
  }
  return { start, started, stopped }
}

test('a hub is handed out once, and a server is started when none is left', async () => {
  const { start, started } = counting()
  const pool = hubPool(start)
  const hubs = await Promise.all(Array.from({ length: hubsPerServer + 1 }, () => pool.take(2)))
  assert.equal(new Set(hubs.map(({ endpoint, hub }) => `${endpoint}/${hub}`)).size, hubsPerServer + 1)
  assert.deepEqual(started, ['server-1: 10 hubs of 2', 'server-2: 10 hubs of 2'])
})

test('hubs of another number of partitions come from another server', async () => {
  const { start, started } = counting()
  const pool = hubPool(start)
  assert.equal((await pool.take(1)).endpoint, 'server-1')
  assert.equal((await pool.take(4)).endpoint, 'server-2')
  assert.equal((await pool.take(1)).endpoint, 'server-1')
  assert.deepEqual(started, ['server-1: 10 hubs of 1', 'server-2: 10 hubs of 4'])
})

test('some server is the first, and is started if there is none', async () => {
  const { start, started } = counting()
  const pool = hubPool(start)
  assert.equal(await pool.some(), 'server-1')
  await pool.take(3)
  assert.equal(await pool.some(), 'server-1')
  assert.equal((await pool.take(1)).endpoint, 'server-1')
  assert.deepEqual(started, ['server-1: 10 hubs of 1', 'server-2: 10 hubs of 3'])
})

test('a hub with a name of its own is on a server of its own', async () => {
  const { start, started, stopped } = counting()
  const pool = hubPool(start)
  assert.equal(await pool.named('late', 2), 'server-1')
  assert.equal((await pool.take(2)).endpoint, 'server-2')
  await pool.stop()
  assert.deepEqual(started, ['server-1: 1 hubs of 2', 'server-2: 10 hubs of 2'])
  assert.deepEqual(stopped, ['server-1', 'server-2'])
})

test('stopping stops every server that was started', async () => {
  const { start, stopped } = counting()
  const pool = hubPool(start)
  await pool.take(1)
  await pool.take(2)
  await pool.stop()
  assert.deepEqual(stopped, ['server-1', 'server-2'])
})

test('a server that cannot be started is tried once', async () => {
  let tries = 0
  const pool = hubPool(() => {
    tries++
    return Promise.reject(new Error('no such image'))
  })
  await assert.rejects(pool.take(1), /no such image/)
  await assert.rejects(pool.take(1), /no such image/)
  await pool.stop()
  assert.equal(tries, 1)
})
