import assert from 'node:assert/strict'
import { test } from 'node:test'
import { help, parseCommandLine } from './command-line.ts'
import { parseAddress } from './address.ts'

test('a command line says which hubs, groups and ports', () => {
  const options = parseCommandLine(['--hub', 'orders:4', '--hub', 'one', '--consumer-group', 'g', '--admin-port', '0'])
  assert.deepEqual(options?.hubs, [
    { name: 'orders', partitions: 4, consumerGroups: ['g'] },
    { name: 'one', partitions: 1, consumerGroups: ['g'] },
  ])
  assert.deepEqual([options?.port, options?.adminPort, options?.data], [5672, 0, undefined])
})

test('a wrong command line is told what is wrong', () => {
  assert.throws(() => parseCommandLine([]), /at least one hub/)
  assert.throws(() => parseCommandLine(['--hub', 'a:b']), /NAME:PARTITIONS/)
  assert.throws(() => parseCommandLine(['--hub', 'a', '--port', 'x']), /--port must be a whole number/)
  assert.throws(() => parseCommandLine(['--nope']), /--nope/)
})

test('help tells every option', () => {
  assert.equal(parseCommandLine(['--help']), undefined)
  for (const option of ['--hub', '--port', '--admin-port', '--data', '--consumer-group', '--key'])
    assert.ok(help.includes(option))
})

test('addresses are read with and without a host, without regard to case', () => {
  const partition = { kind: 'partition', hub: 'orders', group: '$default', partition: '3' }
  assert.deepEqual(parseAddress('Orders/ConsumerGroups/$Default/Partitions/3'), partition)
  assert.deepEqual(parseAddress('sb://localhost:5672/orders/consumergroups/$default/partitions/3/'), partition)
  assert.deepEqual(parseAddress('orders/Partitions/3'), { kind: 'hub', hub: 'orders', partition: '3' })
  assert.deepEqual(parseAddress('orders'), { kind: 'hub', hub: 'orders', partition: undefined })
  assert.equal(parseAddress('orders/$management').kind, 'management')
  assert.equal(parseAddress('$cbs').kind, 'cbs')
  assert.equal(parseAddress('orders/publishers/x').kind, 'unknown')
  assert.equal(parseAddress(undefined).kind, 'unknown')
})
