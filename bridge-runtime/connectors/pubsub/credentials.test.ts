import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { BridgeError } from '../../core/errors.ts'
import { readCredentials } from './credentials.ts'

const auth = { credentialsSecretRef: { name: 'gcp', key: 'key.json' } }
const read = (content: string) => readCredentials({ auth }, () => Promise.resolve(Buffer.from(content)))
const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})

test('the key file of a service account is taken as it is', async () => {
  const key = { type: 'service_account', client_email: 'a@p.iam.gserviceaccount.com', private_key: privateKey }
  assert.deepEqual(await read(JSON.stringify(key)), key)
  assert.equal(await readCredentials({ auth: {} }, () => assert.fail('no Secret is read')), undefined)
})

test('what cannot be credentials is refused with the Secret and the key, and nothing of its content', async () => {
  const canary = 'canary-5f1e'
  const wrong = [
    canary,
    `"${canary}"`,
    JSON.stringify({ type: 'authorized_user', refresh_token: canary }),
    JSON.stringify({ type: 'service_account', private_key: canary }),
    JSON.stringify({ type: 'service_account', client_email: 'a@b', private_key: canary }),
  ]
  for (const content of wrong)
    await assert.rejects(read(content), (error) => {
      assert.ok(error instanceof BridgeError)
      assert.deepEqual([error.kind, error.reason], ['fatal', 'AuthenticationFailed'])
      assert.match(error.message, /^Secret "gcp" key "key\.json" /)
      return !`${error.message}${error.stack}${String(error.cause)}`.includes(canary)
    })
})
