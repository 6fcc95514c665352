import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { suite, test } from 'node:test'
import { transformOne } from '../../../test/support/transforms.ts'

const key = 'sixteen bytes or more'
const secrets = { 'redaction/key': key }
const keySecretRef = { name: 'redaction', key: 'key' }
const hmac = (text: string): string => createHmac('sha256', key).update(text).digest('hex')

suite('redact', () => {
  test('Hash makes the same of the same text, with the key of a Secret', async () => {
    const way = {
      transforms: [{ redact: { paths: ['value.user.email', 'headers.h'], method: 'Hash' as const, keySecretRef } }],
    }
    const { value, record } = await transformOne(
      way,
      { value: '{"user":{"email":"a@x.example","n":1}}', headers: { h: 'a@x.example', other: 'b' } },
      secrets,
    )
    assert.deepEqual(JSON.parse(String(value)), { user: { email: hmac('a@x.example'), n: 1 } })
    assert.deepEqual(
      record.headers.map((header) => String(header.value)),
      [hmac('a@x.example'), 'b'],
    )
  })

  test('numbers are hashed as they are written, and lists element by element', async () => {
    const way = { transforms: [{ redact: { paths: ['value.a', 'value.l.e'], method: 'Hash' as const, keySecretRef } }] }
    const given = '{"a":[9007199254740993,"9007199254740993",null,{"x":1}],"l":[{"e":"1"},{"f":2},[{"e":true}],5]}'
    const { value } = await transformOne(way, { value: given }, secrets)
    assert.deepEqual(JSON.parse(String(value)), {
      a: [hmac('9007199254740993'), hmac('9007199254740993'), null, hmac('{"x":1}')],
      l: [{ e: hmac('1') }, { f: 2 }, [{ e: hmac('true') }], 5],
    })
  })

  test('Mask tells nothing, not even the length or the type; null and what is not there stay', async () => {
    const way = {
      transforms: [{ redact: { paths: ['value.a', 'value.b', 'value.c', 'value.x.y'], method: 'Mask' as const } }],
    }
    assert.equal(
      (await transformOne(way, { value: '{"a":"secret","b":{"c":12},"c":null}' })).value,
      '{"a":"***","b":"***","c":null}',
    )
    assert.equal((await transformOne(way, { value: '{ "z":1 }' })).value, '{ "z":1 }')
  })

  test('Remove takes the field out of every element of a list', async () => {
    const way = {
      transforms: [{ redact: { paths: ['value.l.e', 'value.m', 'headers.h'], method: 'Remove' as const } }],
    }
    const { value, record } = await transformOne(way, {
      value: '{"l":[{"e":1,"f":2}],"m":[1,null]}',
      headers: { h: 'x' },
    })
    assert.equal(value, '{"l":[{"f":2}]}')
    assert.deepEqual(record.headers, [])
  })

  test('no record passes without its key: an absent Secret and a short key hold the partition', async () => {
    const way = { transforms: [{ redact: { paths: ['value.a'], method: 'Hash' as const, keySecretRef } }] }
    await assert.rejects(transformOne(way, { value: '{"a":1}' }), /no Secret redaction\/key here/)
    await assert.rejects(transformOne(way, { value: '{"a":1}' }, { 'redaction/key': 'short' }), (error: Error) => {
      assert.match(
        error.message,
        /^spec\.transforms\[0\]\.redact: Secret "redaction" key "key" has fewer than 16 bytes/,
      )
      assert.ok(!error.message.includes('short'))
      return true
    })
  })
})
