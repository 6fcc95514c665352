/** The example whose records are changed on their way. */
import assert from 'node:assert/strict'
import { consumeAll } from '../integration/kafka/verify.ts'
import { createTopic, kafkaClient } from '../support/kafka.ts'
import { sharedKafka, uniqueName } from '../support/shared-servers.ts'
import { pointedAt } from './example.ts'
import { bridgeOf, stopped, type Trial } from './stage.ts'

/** Lines of paid orders are records of their own; what is no order is set aside with its bytes, the step and the field. */
export const onTheWay: Trial = async (t, example) => {
  const bootstrapServers = await sharedKafka()
  const [orders, lines, aside] = [uniqueName('orders'), uniqueName('lines'), uniqueName('aside')]
  for (const topic of [orders, lines, aside]) await createTopic(bootstrapServers, topic, { partitions: 1 })
  const manifests = pointedAt(example, {
    source: { bootstrapServers: [bootstrapServers], topics: [orders] },
    sink: { bootstrapServers: [bootstrapServers], topic: lines },
    deadLetter: { bootstrapServers: [bootstrapServers], topic: aside },
  })
  const producer = kafkaClient(bootstrapServers).producer()
  await producer.connect()
  t.after(() => producer.disconnect())
  const order = (status: string, items: readonly unknown[]) => JSON.stringify({ status, lines: items })
  await producer.send({
    topic: orders,
    messages: [
      { key: '1', value: order('paid', ['a', { sku: 12345678901234567890n.toString() }]), headers: { session: 's' } },
      { key: '2', value: order('open', ['b']) },
      { key: '3', value: 'hello' },
      { key: '4', value: order('paid', []) },
      { key: '5', value: '{"status":"paid","lines":[12345678901234567890]}' },
    ],
  })
  const bridge = await bridgeOf(t, manifests)()
  assert.deepEqual(
    (await consumeAll(bootstrapServers, lines, 3)).map(({ key, value, headers = {} }) => [
      String(key),
      String(value),
      String(headers['checked']),
      'session' in headers,
    ]),
    [
      ['1', '"a"', 'yes', false],
      ['1', '{"sku":"12345678901234567890"}', 'yes', false],
      ['5', '12345678901234567890', 'yes', false],
    ],
  )
  const [letter] = await consumeAll(bootstrapServers, aside, 1)
  assert.deepEqual([String(letter?.key), String(letter?.value)], ['3', 'hello'])
  assert.equal(String(letter?.headers?.['streambridge-dead-letter-step']), 'spec.transforms[0].filter')
  assert.equal((await bridge.report()).totals.filtered, 2)
  await stopped(bridge)
}
