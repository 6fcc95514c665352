import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { silentLogger } from '../../observability/logger.ts'
import { transformOne } from '../../../test/support/transforms.ts'
import { geoDatabase } from './geo-database.ts'
import { Lru } from './lru.ts'

const fileOf = (name: string): string =>
  fileURLToPath(import.meta.resolve(`@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country${name}.mmdb`))

const enriched = async (value: unknown, volumePath = fileOf('')): Promise<unknown> => {
  const geo = { database: { volumePath }, ip: 'value.ip', into: 'value.geo' }
  const output = await transformOne({ transforms: [{ enrich: { geo } }] }, { value: JSON.stringify(value) })
  return JSON.parse(String(output.value))
}

const folder = mkdtempSync(join(tmpdir(), 'geo-'))
after(() => rmSync(folder, { recursive: true }))

suite('enrich: geo', () => {
  for (const ip of ['8.8.8.8', '2001:4860:4860::8888', '::ffff:8.8.8.8'])
    test(`${ip} is in the US`, async () => {
      assert.deepEqual(await enriched({ ip }), { ip, geo: { country_code: 'US' } })
    })

  for (const ip of ['127.0.0.1', '1.2.3', '01.2.3.4', 'fe80::1%eth0', 'a name', '', 5, null, ['8.8.8.8']])
    test(`${JSON.stringify(ip)} sets nothing`, async () => {
      assert.deepEqual(await enriched({ ip }), { ip })
    })

  test('what is not there sets nothing, and the record keeps its bytes', async () => {
    const geo = { database: { volumePath: fileOf('') }, ip: 'headers.ip', into: 'value.geo' }
    const way = { transforms: [{ enrich: { geo } }] }
    assert.equal((await transformOne(way, { value: '{ "a":1 }' })).value, '{ "a":1 }')
    const { value } = await transformOne(way, { value: '{}', headers: { ip: '8.8.8.8' } })
    assert.equal(value, '{"geo":{"country_code":"US"}}')
  })

  test('an address of IPv6 is not looked up among those of IPv4', async () => {
    assert.deepEqual(await enriched({ ip: '2001:4860:4860::8888' }, fileOf('-ipv4')), { ip: '2001:4860:4860::8888' })
    assert.deepEqual(await enriched({ ip: '8.8.8.8' }, fileOf('-ipv4')), { ip: '8.8.8.8', geo: { country_code: 'US' } })
  })

  test('what was looked up is a copy: a later step changes one record', async () => {
    const geo = { database: { volumePath: fileOf('') }, ip: 'value.ip', into: 'value.geo' }
    const way = { transforms: [{ enrich: { geo } }, { set: { 'value.geo.country_code': "'changed'" } }] }
    await transformOne(way, { value: '{"ip":"8.8.8.8"}' })
    assert.deepEqual(await enriched({ ip: '8.8.8.8' }), { ip: '8.8.8.8', geo: { country_code: 'US' } })
  })

  test('a file that is missing, or is no database, makes records wait', async () => {
    const missing = { kind: 'retryable', reason: 'DatabaseMissing' }
    const absent = join(folder, 'absent.mmdb')
    await assert.rejects(enriched({ ip: '8.8.8.8' }, absent), {
      ...missing,
      message: `spec.transforms[0].enrich.geo: the database ${absent} cannot be read: ENOENT`,
    })
    writeFileSync(absent, 'nonsense')
    await assert.rejects(enriched({ ip: '8.8.8.8' }, absent), { ...missing, message: /it is no MMDB$/ })
    copyFileSync(fileOf('-ipv4'), absent)
    assert.deepEqual(await enriched({ ip: '8.8.8.8' }, absent), { ip: '8.8.8.8', geo: { country_code: 'US' } })
  })

  test('a new file is read after a minute, not before; one that is broken leaves what was read', async () => {
    const path = join(folder, 'changing.mmdb')
    let now = 0
    const asking = {
      field: 'spec',
      log: silentLogger,
      clock: { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() },
    }
    copyFileSync(fileOf('-ipv6'), path)
    const database = geoDatabase(path)
    await database.prepare(asking)
    assert.equal(database.find('8.8.8.8'), undefined)
    copyFileSync(fileOf('-ipv4'), `${path}.new`)
    renameSync(`${path}.new`, path)
    now = 59_999
    assert.equal(database.prepare(asking), undefined)
    now = 60_000
    await database.prepare(asking)
    assert.deepEqual(database.find('8.8.8.8'), { country_code: 'US' })
    writeFileSync(path, 'nonsense')
    utimesSync(path, 1, 1)
    now = 120_000
    await database.prepare(asking)
    assert.deepEqual(database.find('8.8.8.8'), { country_code: 'US' })
  })
})

suite('enrich: table', () => {
  const way = (key: string) => ({
    transforms: [{ enrich: { table: { inline: { a: 'x', '404': 'Not Found', true: 'yes' }, key, into: 'value.to' } } }],
  })

  for (const [value, key, expected] of [
    ['{"k":"a"}', 'value.k', '{"k":"a","to":"x"}'],
    ['{"k":404}', 'value.k', '{"k":404,"to":"Not Found"}'],
    ['{"k":true}', 'value.k', '{"k":true,"to":"yes"}'],
    ['{ "k":"b" }', 'value.k', '{ "k":"b" }'],
    ['{"k":null}', 'value.k', '{"k":null}'],
    ['{"k":"toString"}', 'value.k', '{"k":"toString"}'],
    ['{ }', 'value.?k', '{ }'],
  ] as const)
    test(`${value} by ${key} becomes ${expected}`, async () => {
      assert.equal((await transformOne(way(key), { value })).value, expected)
    })

  test('a list is no key', async () => {
    const { poison } = await transformOne(way('value.k'), { value: '{"k":[1]}' })
    assert.match(String(poison), /^ExpressionFailed: .*: a key of a table is text, not a list/)
  })
})

test('what was asked for longest ago is forgotten first', () => {
  const lru = new Lru<string, string>(2)
  const asked: string[] = []
  const get = (key: string) => lru.get(key, (one) => (asked.push(one), one))
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) assert.equal(get(key), key)
  assert.deepEqual(asked, ['a', 'b', 'c', 'b'])
})
