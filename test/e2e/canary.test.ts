import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findCanaries } from './canary.ts'

const value = 'canary-password-0f3a/9'

const foundIn = (text: string): boolean => findCanaries(new Map([['log', text]]), { password: value }).length > 0

test('a value is found plain, in a URL, and in base64 wherever it begins', () => {
  assert.ok(foundIn(`connecting with ${value}`))
  assert.ok(foundIn(`https://host/?p=${encodeURIComponent(value)}`))
  for (const user of ['', 'a', 'ab', 'abc', 'abcd'])
    for (const rest of ['', '!', '!!', '!!!'])
      assert.ok(foundIn(Buffer.from(`${user}${value}${rest}`).toString('base64')))
})

test('a finding names the place and the value, and never holds it', () => {
  const findings = findCanaries(new Map([['Event a/b', value]]), { password: value })
  assert.deepEqual(findings, [{ place: 'Event a/b', canary: 'password' }])
})

test('other text is no finding', () => assert.ok(!foundIn('canary-password-0f3b/9 and dHJlZXM=')))
