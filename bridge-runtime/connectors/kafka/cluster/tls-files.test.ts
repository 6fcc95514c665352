import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createAuthority } from '../../../../test/support/certificates.ts'
import { BridgeError } from '../../../core/errors.ts'
import { checkTls } from './tls-files.ts'

const authority = await createAuthority(mkdtempSync(join(tmpdir(), 'tls-files-')))
const [one, other] = [await authority.issue('one'), await authority.issue('other')]

const check = (cert: string | Buffer, key: string | Buffer): void =>
  checkTls([
    { what: 'certificate', field: 'spec.sink.kafka.tls.caSecretRef', ref: undefined, pem: undefined },
    {
      what: 'certificate',
      field: 'spec.sink.kafka.tls.certSecretRef',
      ref: { name: 'tls', key: 'tls.crt' },
      pem: Buffer.from(cert),
    },
    {
      what: 'private key',
      field: 'spec.sink.kafka.tls.keySecretRef',
      ref: { name: 'tls', key: 'tls.key' },
      pem: Buffer.from(key),
    },
  ])

const half = (text: string | Buffer): string => String(text).slice(0, String(text).length / 2)

test('a certificate or key that is cut short is named by field, Secret and key, and nothing of it is quoted', () => {
  check(one.cert, one.key)
  const cases = [
    [
      half(one.cert),
      one.key,
      /^spec\.sink\.kafka\.tls\.certSecretRef: Secret "tls" key "tls\.crt" has \d+ bytes and is no whole PEM certificate/,
    ],
    [
      one.cert,
      half(one.key),
      /^spec\.sink\.kafka\.tls\.keySecretRef: Secret "tls" key "tls\.key" has \d+ bytes and is no whole PEM private key/,
    ],
    [one.cert, '', /has 0 bytes/],
    [one.cert, 'canary-4711', /has 11 bytes/],
    [one.cert, other.key, /keySecretRef: Secret "tls" key "tls\.key" is not the private key of the certificate/],
  ] as const
  for (const [cert, key, message] of cases)
    assert.throws(
      () => check(cert, key),
      (error) => {
        assert.ok(error instanceof BridgeError)
        assert.match(error.message, message)
        assert.deepEqual([error.kind, error.cause], ['fatal', undefined])
        const lines = `${cert}\n${key}`.split('\n').filter((line) => line.length > 8 && !line.startsWith('---'))
        for (const line of lines) assert.ok(!error.message.includes(line))
        return true
      },
    )
})
