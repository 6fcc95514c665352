import assert from 'node:assert/strict'
import test from 'node:test'
import { eventually } from '../../support/eventually.ts'
import { MemorySink } from '../../support/memory/sink.ts'
import { createTopic, publish, pubsubProject, subscriberClient } from '../../support/pubsub.ts'
import { sharedPubsub, uniqueName } from '../../support/shared-servers.ts'
import { running, sink, source } from './engines.ts'

test('a message of 100 attributes goes through topic after topic, and the end has all of them', async (t) => {
  const address = await sharedPubsub()
  const first = uniqueName('attributes')
  const second = uniqueName('attributes')
  await createTopic(address, first, [first])
  await createTopic(address, second, [second, `${second}-look`])
  const attributes = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`name-${at}`, `value ${at}`]))
  await publish(address, first, [{ key: 'k', data: Buffer.from('v'), attributes }])
  const between = running(
    t,
    () => source(address, first),
    () => sink(address, second),
  )
  const end = new MemorySink()
  const last = running(
    t,
    () => source(address, second),
    () => Promise.resolve(end),
  )
  const [record] = await eventually(
    'it is through',
    () => end.stored,
    ({ length }) => length > 0,
  )
  await between.stop()
  await last.stop()
  const headers = Object.fromEntries((record?.headers ?? []).map(({ name, value }) => [name, `${value}`]))
  const { 'streambridge-source-id': _, ...own } = headers
  assert.deepEqual(own, attributes)
  const client = subscriberClient(address)
  try {
    const subscription = `projects/${pubsubProject}/subscriptions/${second}-look`
    const [{ receivedMessages }] = await client.pull({ subscription, maxMessages: 1 })
    const names = Object.keys(receivedMessages?.[0]?.message?.attributes ?? {})
    assert.ok(names.length <= 100 && names.includes('streambridge-packed'), `${names.length} attributes`)
  } finally {
    await client.close()
  }
})
