import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BridgeError } from '../../core/errors.ts'
import { readToken } from './secret-text.ts'
import { withholding } from './withholding.ts'

const ref = { name: 'aws', key: 'id' }

const afterReading = async (value: string) => {
  const { secret, withhold } = withholding(() => Promise.resolve(Buffer.from(value)))
  await secret(ref)
  return withhold
}

test('what a Secret held is taken out of a text, as a whole and in parts', async () => {
  const whole = await afterReading('pass\n')
  assert.equal(whole('refused: "pass"'), 'refused: "[withheld]"')
  const parts = await afterReading('Endpoint=sb://host.example/;SharedAccessKey=c4n4ry+/xyz=;EntityPath=orders')
  assert.equal(
    parts('no c4n4ry+/xyz= for SharedAccessKey at sb://host.example/ in orders'),
    'no [withheld] for SharedAccessKey at sb://host.example/ in orders',
  )
  const json = await afterReading(JSON.stringify({ type: 'service_account', private_key_id: '0123456789' }))
  assert.equal(json('key 0123456789 of a service_account'), 'key [withheld] of a service_account')
})

test('a token is read without the blanks around it', async () => {
  assert.equal(await readToken(() => Promise.resolve(Buffer.from(' AKIA\n')), ref, 'an access key id'), 'AKIA')
})

test('a token that no header takes is told by Secret, key and position, and needs a person', async () => {
  const refusals = { 'AK\nIA': 'a line break at position 3 of 5', 'AK IA': 'a blank at position 3 of 5', '\n': 'empty' }
  for (const [value, what] of Object.entries({
    ...refusals,
    AKé: 'a character that is not printable at position 3 of 3',
  }))
    await assert.rejects(
      readToken(() => Promise.resolve(Buffer.from(value)), ref, 'an access key id'),
      (error) => {
        assert.ok(error instanceof BridgeError)
        assert.match(error.message, /^Secret "aws" key "id" is not an access key id: it (has|is) /)
        assert.ok(error.message.includes(what), error.message)
        return error.kind === 'fatal' && error.reason === 'AuthenticationFailed'
      },
    )
})
