import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { startFakeRegistry } from '../../../test/support/fake-registry.ts'
import { transform, transformOne } from '../../../test/support/transforms.ts'

const schema = JSON.stringify({ type: 'record', name: 'O', fields: [{ name: 'id', type: 'long' }] })
const wider = JSON.stringify({
  type: 'record',
  name: 'O',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'note', type: 'string', default: '-' },
  ],
})

/** Confluent's wire format. */
const framed = (id: number, hex: string): Buffer => {
  const head = Buffer.alloc(5)
  head.writeInt32BE(id, 1)
  return Buffer.concat([head, Buffer.from(hex, 'hex')])
}

const decode = (url: string, more: object = {}) => ({ decode: { value: { avro: { registry: { url, ...more } } } } })
const encode = (url: string, more: object = {}) => ({ encode: { value: { avro: { registry: { url }, ...more } } } })

suite('reading with a registry', () => {
  test('each value is read with the schema whose id it names; an id is asked for once', async (t) => {
    const registry = await startFakeRegistry(t)
    const [first, second] = [registry.add('a', schema), registry.add('a', wider, 70_000)]
    const given = [framed(first, '0e'), framed(second, '100261'), framed(first, '12')].map((value) => ({ value }))
    const outputs = await transform(decode(registry.url), given)
    assert.deepEqual(
      outputs.map(({ value }) => value),
      ['{"id":7}', '{"id":8,"note":"a"}', '{"id":9}'],
    )
    assert.deepEqual(registry.asked.toSorted(), ['GET /schemas/ids/1', 'GET /schemas/ids/70000'])
  })

  test('a schema that is not there yet is waited for, and nothing is set aside', async (t) => {
    const registry = await startFakeRegistry(t)
    const way = decode(registry.url)
    await assert.rejects(transformOne(way, { value: framed(5, '0e') }), {
      reason: 'SchemaNotFound',
      kind: 'retryable',
      message: `spec.decode.value.avro.registry: asking ${registry.url} for schema 5: it is not there: Schema not found`,
    })
    registry.add('a', schema, 5)
    assert.equal((await transformOne(way, { value: framed(5, '0e') })).value, '{"id":7}')
  })

  test('a registry that fails or is not there is asked again', async (t) => {
    const registry = await startFakeRegistry(t)
    registry.fault = { status: 500 }
    await assert.rejects(transformOne(decode(registry.url), { value: framed(1, '0e') }), {
      reason: 'RegistryUnavailable',
      kind: 'retryable',
    })
    await assert.rejects(transformOne(decode('http://127.0.0.1:1'), { value: framed(1, '0e') }), {
      reason: 'RegistryUnavailable',
      message: /no answer \(ECONNREFUSED\)/,
    })
  })

  test('wrong credentials wait for a person, and are not quoted', async (t) => {
    const registry = await startFakeRegistry(t, 'Bearer right')
    registry.add('a', schema)
    const way = decode(registry.url, { bearerSecretRef: { name: 'registry', key: 'token' } })
    const given = [{ value: framed(1, '0e') }]
    await assert.rejects(transform(way, given, { 'registry/token': 'wrong-token' }), (error: Error) => {
      assert.match(error.message, /does not accept the credentials \(401\)/)
      assert.doesNotMatch(error.message, /wrong-token/)
      return true
    })
    const [output] = await transform(way, given, { 'registry/token': 'right\n' })
    assert.equal(output?.value, '{"id":7}')
  })

  test('what does not begin with an id is set aside', async (t) => {
    const registry = await startFakeRegistry(t)
    for (const value of [Buffer.from('{"id":7}'), Buffer.from([0, 0, 0])])
      assert.match(String((await transformOne(decode(registry.url), { value })).poison), /^NotFramed/)
  })

  test('a schema of another kind, or with references, is told', async (t) => {
    const registry = await startFakeRegistry(t)
    for (const body of [
      { schema: '', schemaType: 'PROTOBUF' },
      { schema, references: [{ name: 'x', subject: 'y', version: 1 }] },
    ]) {
      registry.fault = { status: 200, body }
      await assert.rejects(transformOne(decode(registry.url), { value: framed(1, '0e') }), {
        reason: 'SchemaUnsupported',
        kind: 'fatal',
      })
    }
  })
})

suite('writing with a registry', () => {
  test('the latest schema of the subject that the target has is used, and its id', async (t) => {
    const registry = await startFakeRegistry(t)
    registry.add('out-value', wider, 9)
    const { record } = await transformOne(encode(registry.url), { value: '{"id":7}' })
    assert.equal(record.value?.toString('hex'), framed(9, '0e022d').toString('hex'))
  })

  test('a schema of the manifest must be in the subject, or is registered where that is asked for', async (t) => {
    const registry = await startFakeRegistry(t)
    const more = { schema: { inline: schema }, subject: 'orders' }
    await assert.rejects(transformOne(encode(registry.url, more), { value: '{"id":7}' }), { reason: 'SchemaNotFound' })
    const { record } = await transformOne(encode(registry.url, { ...more, register: true }), { value: '{"id":7}' })
    assert.equal(record.value?.toString('hex'), framed(1, '0e').toString('hex'))
    assert.deepEqual(registry.asked, ['POST /subjects/orders', 'POST /subjects/orders/versions'])
  })

  test('Avro of one registry becomes Avro of another: its id there, its bytes behind it', async (t) => {
    const [from, to] = [await startFakeRegistry(t), await startFakeRegistry(t)]
    from.add('orders-value', schema, 3)
    to.add('out-value', schema, 300)
    const { record } = await transformOne({ ...decode(from.url), ...encode(to.url) }, { value: framed(3, '0e') })
    assert.equal(record.value?.toString('hex'), framed(300, '0e').toString('hex'))
  })

  test('a schema that the registry does not take waits for a person', async (t) => {
    const registry = await startFakeRegistry(t)
    registry.fault = { status: 409, body: { message: 'incompatible' } }
    const more = { schema: { inline: schema }, register: true }
    await assert.rejects(transformOne(encode(registry.url, more), { value: '{"id":7}' }), {
      reason: 'SchemaUnsupported',
      message: /409.*incompatible/,
    })
  })
})
