import assert from 'node:assert/strict'
import test from 'node:test'
import { secretChecksum } from './secret-checksum.ts'

test('the checksum of a Secret depends on the named keys, the operator and the bridge, and on nothing else', () => {
  const options = { key: Buffer.alloc(32, 1), uid: 'u' }
  const sum = secretChecksum(options, 's', ['a', 'b'], { a: 'MQ==', b: 'Mg==' })
  assert.equal(secretChecksum(options, 's', ['a', 'b'], { a: 'MQ==', b: 'Mg==', c: 'Mw==' }), sum)
  const others = [
    secretChecksum({ ...options, key: Buffer.alloc(32, 2) }, 's', ['a', 'b'], { a: 'MQ==', b: 'Mg==' }),
    secretChecksum({ ...options, uid: 'v' }, 's', ['a', 'b'], { a: 'MQ==', b: 'Mg==' }),
    secretChecksum(options, 's', ['a', 'b'], { a: 'Mg==', b: 'MQ==' }),
    secretChecksum(options, 's', ['a', 'b'], { a: 'MQ==' }),
    secretChecksum(options, 's', ['a', 'b'], { a: 'MQ==', b: '' }),
  ]
  assert.equal(new Set([sum, ...others]).size, 6)
})
