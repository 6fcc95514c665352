import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aBridge, aSpec } from '../../../test/support/operator-world.ts'
import { parseBridge } from './parse-bridge.ts'

const expression = (filter: string) =>
  parseBridge(aBridge('orders', aSpec({ transforms: [{ filter: 'true' }, { filter }] })))

test('an expression that an API server took is checked again: the message names the field, the line and the column', () => {
  assert.equal(expression('value.n > 1').kind, 'valid')
  assert.deepEqual(expression('value.n > 1\n  && valu.n < 5'), {
    kind: 'invalid',
    message: 'spec.transforms[1].filter: Unknown variable: valu (line 2, column 6)',
  })
})
