import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BridgeError } from '../../../core/errors.ts'
import type { Connection, SubscriptionSettings } from '../connection.ts'
import { translate } from '../errors.ts'
import { pubsubSource } from '../schema.ts'
import { lookAt, readable, subscriptionName, warningsOf } from './subscription.ts'

const name = 'projects/my-project/subscriptions/orders'
const never = new AbortController().signal

/** A service that answers each call as told; a number is a gRPC status. */
function service(answers: Readonly<Record<string, SubscriptionSettings | number>>) {
  const calls: { readonly method: string; readonly request: object }[] = []
  const call: Connection['call'] = async <Answer>(
    method: string,
    request: object,
    doing: Parameters<typeof translate>[1],
  ) => {
    calls.push({ method, request })
    const answer = answers[method]
    if (typeof answer === 'number') throw translate({ code: answer, details: 'no' }, doing)
    return answer as Answer
  }
  return { call, calls }
}

/** Looks and makes ready, as the watch does. */
const find = async (connection: Pick<Connection, 'call'>, config: ReturnType<typeof configOf>, what: string) =>
  readable(connection, config, { name: what, look: await lookAt(connection, what, never) }, never)

const configOf = (more: object) => pubsubSource.parse({ projectID: 'my-project', ...more })
const existing = configOf({ subscription: 'orders' })

test('a dead-letter policy of the subscription is warned about, and so is missing message ordering', () => {
  assert.deepEqual(warningsOf({ enableMessageOrdering: true }, name), [])
  const policy = { deadLetterPolicy: { deadLetterTopic: 'projects/p/topics/dead', maxDeliveryAttempts: 7 } }
  const [warning = '', ...rest] = warningsOf({ enableMessageOrdering: true, ...policy }, name)
  assert.deepEqual(rest, [])
  assert.match(warning, /dead-letter policy \(after 7 deliveries\).*out of their order; .*delivery\.deadLetter/)
  assert.match(warningsOf({}, name)[0] ?? '', /no message ordering/)
})

for (const [what, settings, reason] of [
  ['pushes', { pushConfig: { pushEndpoint: 'https://example.com' } }, 'NotAPullSubscription'],
  ['exports', { bigqueryConfig: { table: 't' } }, 'NotAPullSubscription'],
  ['is detached', { detached: true }, 'SubscriptionDetached'],
] as const)
  test(`a subscription that ${what} is refused, with the reason`, async () => {
    await assert.rejects(find(service({ getSubscription: settings }), existing, name), (error) => {
      assert.ok(error instanceof BridgeError)
      assert.deepEqual([error.kind, error.reason], ['fatal', reason])
      return true
    })
  })

test('a subscription that may be read but not looked at is read all the same', async () => {
  assert.equal(await find(service({ getSubscription: 7 }), existing, name), 'hidden')
})

test('a missing subscription is made only where that is wanted, with message ordering, never expiring', async () => {
  const refusing = service({ getSubscription: 5 })
  await assert.rejects(find(refusing, existing, name), { reason: 'SubscriptionNotFound' })
  assert.deepEqual(
    refusing.calls.map(({ method }) => method),
    ['getSubscription'],
  )
  const making = service({ getSubscription: 5, createSubscription: { name } })
  const config = configOf({ topic: 'orders', createSubscription: {} })
  const made = subscriptionName(config, { namespace: 'shop', name: 'copy' })
  assert.equal(made, 'projects/my-project/subscriptions/streambridge.shop.copy')
  await find(making, config, made)
  const { labels, ...request } = (making.calls[1]?.request ?? {}) as { readonly labels?: object }
  assert.match(JSON.stringify(labels), /^\{"streambridge-birth":"[0-9a-f-]{36}"\}$/)
  assert.deepEqual(request, {
    name: made,
    topic: 'projects/my-project/topics/orders',
    ackDeadlineSeconds: 60,
    enableMessageOrdering: true,
    enableExactlyOnceDelivery: false,
    messageRetentionDuration: { seconds: 604_800 },
    expirationPolicy: {},
  })
})
