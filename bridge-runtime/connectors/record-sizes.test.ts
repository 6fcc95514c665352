import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sinkOf, sourceOf } from './catalog.ts'
import type { ConnectorDefinition } from './define-connector.ts'
import { eventHubs } from './event-hubs/index.ts'
import { kafka } from './kafka/index.ts'
import { kinesis } from './kinesis/index.ts'
import { pubsub } from './pubsub/index.ts'
import { deadLetterWarning, fits } from './record-sizes.ts'

const auth = { connectionStringSecretRef: { name: 'hub', key: 'cs' } }
const hub = { fullyQualifiedNamespace: 'ns.servicebus.windows.net', eventHubName: 'orders', auth }
const ends = {
  kafka: { bootstrapServers: ['kafka:9092'], topics: ['orders'] },
  kinesis: { streamName: 'orders', region: 'eu-west-1' },
  pubsub: { projectID: 'project', subscription: 'orders' },
  eventHubs: hub,
} as const
const targets = {
  ...ends,
  kafka: { bootstrapServers: ['kafka:9092'], topic: 'dead' },
  pubsub: { projectID: 'project', topic: 'dead' },
}
const connectors: Readonly<Record<string, ConnectorDefinition>> = { kafka, kinesis, pubsub, eventHubs }
type Name = keyof typeof ends

const source = (name: Name) => sourceOf({ [name]: connectors[name]?.source?.schema.parse(ends[name]) })
const sink = (name: Name | 'console', more: object = {}) =>
  sinkOf({ [name]: name === 'console' ? {} : connectors[name]?.sink?.schema.parse({ ...targets[name], ...more }) })

test('which sink takes, with defaults, the largest record that a source holds with the defaults of its service', () => {
  const names = Object.keys(ends) as Name[]
  const table = names.map((from) => [from, ...names.filter((to) => fits(source(from), sink(to)))])
  assert.deepEqual(table, [
    ['kafka', 'kinesis', 'pubsub'],
    ['kinesis', 'kinesis', 'pubsub'],
    ['pubsub'],
    ['eventHubs', 'kinesis', 'pubsub'],
  ])
})

test('a dead-letter sink that takes less than its source may hold is told, with both sizes and the field to raise', () => {
  const warning = deadLetterWarning(source('pubsub'), sink('kafka', { maxRequestBytes: '2Mi' }))
  assert.equal(warning?.path, 'spec.delivery.deadLetter.kafka')
  assert.match(
    warning.message,
    /takes records of up to 2\d{6} bytes, and the source may hold 10000000, .* raise spec\.delivery\.deadLetter\.kafka\.maxRequestBytes to 1000\d{4} or more, and max\.message\.bytes of the topic/,
  )
})

test('a dead-letter sink that takes all its source may hold, and what a dead letter adds, is not told of', () => {
  assert.equal(deadLetterWarning(source('pubsub'), sink('kafka', { maxRequestBytes: '12Mi' })), undefined)
  assert.equal(deadLetterWarning(source('kinesis'), sink('pubsub')), undefined)
  assert.equal(deadLetterWarning(source('pubsub'), sink('console')), undefined)
})

test('what no setting can raise is told with another way', () => {
  assert.match(deadLetterWarning(source('pubsub'), sink('pubsub'))?.message ?? '', /dead-letter sink that takes more/)
  assert.match(deadLetterWarning(source('pubsub'), sink('kinesis'))?.message ?? '', /limits\.maxRecordBytes/)
})
