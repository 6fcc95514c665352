import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { jsonSchemaOf } from './crd.ts'
import type { JsonSchema } from './json-schema.ts'
import { assertStructural } from './structural.ts'

const around = (field: JsonSchema): JsonSchema => ({ properties: { spec: { type: 'object', properties: { field } } } })

const refused: readonly [string, JsonSchema, RegExp][] = [
  ['a union', jsonSchemaOf(z.union([z.object({}), z.string()])), /^TypeError: spec\.field: .*anyOf/],
  ['a literal of several types', { type: 'string', maxLength: 1, oneOf: [] } as JsonSchema, /spec\.field: .*oneOf/],
  ['a field of any type', {}, /spec\.field: type is missing/],
  ['a string without a bound', { type: 'string' }, /spec\.field: needs maxLength/],
  ['a list without a bound', { type: 'array', items: { type: 'integer' } }, /spec\.field: needs maxItems/],
  [
    'a list item without a bound',
    { type: 'array', maxItems: 1, items: { type: 'string' } },
    /spec\.field\[\]: needs maxLength/,
  ],
  [
    'a map without a bound',
    { type: 'object', additionalProperties: { type: 'integer' } },
    /spec\.field: needs maxProperties/,
  ],
  [
    'a map of unbounded strings',
    { type: 'object', maxProperties: 1, additionalProperties: { type: 'string' } },
    /spec\.field\.\*: needs/,
  ],
  ['a closed object', { type: 'object', additionalProperties: false }, /spec\.field: .*must be a schema/],
  [
    'fields beside a map',
    { type: 'object', maxProperties: 1, properties: {}, additionalProperties: { type: 'integer' } },
    /exclude each other/,
  ],
  [
    'a default that lacks a required field',
    { type: 'object', default: {}, required: ['a'], properties: { a: { type: 'integer' } } },
    /lacks the required a/,
  ],
]

for (const [what, schema, message] of refused)
  test(`${what} is refused with its path`, () => {
    assert.throws(() => assertStructural(around(schema)), message)
  })

test('a bounded field is taken', () => {
  assert.doesNotThrow(() => assertStructural(around({ type: 'string', maxLength: 10 })))
})
