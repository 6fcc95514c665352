import assert from 'node:assert/strict'
import { test } from 'node:test'
import { granted, sign, verify } from './sas.ts'

const now = Date.now()
const soon = Math.floor(now / 1000) + 60
const keys = new Map([['send', 'secret']])
const audience = 'sb://localhost:5672/Hub/Partitions/0'
const check = (token: string, at = audience) => verify(token, at, { keys, now })

test('a token grants its audience until it expires', () => {
  const grant = check(sign(audience, soon, { name: 'send', key: 'secret' }))
  assert.ok(typeof grant === 'object' && grant.path === 'hub/partitions/0' && grant.expires > now)
  assert.ok(granted([grant], 'hub/Partitions/0', now))
  assert.ok(!granted([grant], 'hub/Partitions/1', now))
  assert.ok(!granted([grant], 'hub/Partitions/0', grant.expires))
})

test('a token for a hub covers what lies under it, and no hub whose name only begins so', () => {
  const token = sign('sb://localhost/hub', soon, { name: 'send', key: 'secret' })
  assert.equal(typeof check(token), 'object')
  assert.match(String(check(token, 'sb://localhost/hubs')), /^InvalidAudience/)
})

test('a token with another key, an unknown name, or past its time grants nothing, and is not repeated', () => {
  const cases: [string, RegExp][] = [
    [sign(audience, soon, { name: 'send', key: 'old secret' }), /^InvalidSignature/],
    [sign(audience, soon, { name: 'listen', key: 'secret' }), /^InvalidSignature: there is no key "listen"/],
    [sign(audience, Math.floor(now / 1000) - 1, { name: 'send', key: 'secret' }), /^ExpiredToken/],
    ['eyJhbGciOi', /^MalformedToken/],
  ]
  for (const [token, reason] of cases) {
    const refused = String(check(token))
    assert.match(refused, reason)
    assert.ok(!refused.includes(token))
  }
})
