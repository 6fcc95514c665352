import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { fields, parsed, refused } from '../../../test/support/parsed.ts'
import { transform } from '../../../test/support/transforms.ts'

const combined = { accessLog: 'Combined' } as const

interface Line {
  readonly ip?: string
  readonly user?: string
  readonly time?: string
  readonly request?: string
  readonly bytes?: string
  readonly referer?: string
  readonly agent?: string
  readonly end?: string
}

const line = (own: Line = {}): string => {
  const {
    ip = '203.0.113.7',
    user = 'frank',
    time = '10/Oct/2000:13:55:36 -0700',
    request = 'GET /a?b=1 HTTP/1.1',
  } = own
  const { bytes = '2326', referer = 'http://x.example/', agent = 'Mozilla/5.0', end = '' } = own
  return `${ip} - ${user} [${time}] "${request}" 200 ${bytes} "${referer}" "${agent}"${end}`
}

const usual = {
  ip: '203.0.113.7',
  user: 'frank',
  time: '2000-10-10T13:55:36-07:00',
  method: 'GET',
  path: '/a?b=1',
  protocol: 'HTTP/1.1',
  status: 200,
  bytes: 2326,
  referer: 'http://x.example/',
  userAgent: 'Mozilla/5.0',
}

suite('parse: accessLog', () => {
  const long = `/${'p'.repeat(8_192)}`
  const cases: readonly (readonly [string, Line, Partial<Record<keyof typeof usual, unknown>>])[] = [
    ['every field', {}, {}],
    [
      'an escaped quote in the user agent',
      { agent: String.raw`a \"b\" \\` },
      { userAgent: String.raw`a "b" \ `.trim() },
    ],
    [
      'bytes of UTF-8 that a server escaped',
      { agent: String.raw`\xc3\xa9\x22\xff` },
      { userAgent: String.raw`\xc3\xa9\x22\xff` },
    ],
    ['an escaped letter', { agent: String.raw`caf\xc3\xa9 \x22` }, { userAgent: 'café "' }],
    ['no bytes', { bytes: '-' }, { bytes: null }],
    ['a number of bytes beyond 2^53', { bytes: '9007199254740993' }, { bytes: 9007199254740992 }],
    ['IPv6', { ip: '2001:db8::1' }, { ip: '2001:db8::1' }],
    ['an empty request', { request: '-' }, { method: null, path: null, protocol: null }],
    ['a request without a protocol', { request: 'GET /' }, { method: 'GET', path: '/', protocol: null }],
    [
      'what is no request',
      { request: String.raw`\x16\x03\x01` },
      { method: null, path: '\u0016\u0003\u0001', protocol: null },
    ],
    ['blanks in a path', { request: 'GET /a b HTTP/1.1' }, { path: '/a b' }],
    ['no referer, no user', { referer: '-', user: '-' }, { referer: null, user: null }],
    ['a user with a blank', { user: 'frank o' }, { user: 'frank o' }],
    ['a path of 8 KB', { request: `GET ${long} HTTP/1.1` }, { path: long }],
    ['an end of line', { end: '\r\n' }, {}],
    ['a zone of half an hour', { time: '31/Dec/1999:23:59:59 -0730' }, { time: '1999-12-31T23:59:59-07:30' }],
    ['UTC', { time: '01/Jan/2026:00:00:00 +0000' }, { time: '2026-01-01T00:00:00Z' }],
    ['29 February of a leap year', { time: '29/Feb/2024:12:00:00 +0100' }, { time: '2024-02-29T12:00:00+01:00' }],
    ['a leap second', { time: '31/Dec/2016:16:29:60 -0730' }, { time: '2016-12-31T16:30:00-07:30' }],
    ['a leap second of UTC', { time: '31/Dec/2016:23:59:60 +0000' }, { time: '2017-01-01T00:00:00Z' }],
  ]
  for (const [what, own, expected] of cases)
    test(`reads ${what}`, async () => {
      assert.deepEqual(await fields(combined, line(own)), { ...usual, ...expected })
    })

  test('numbers are exact', async () => {
    const { value } = await parsed(combined, line({ bytes: '9007199254740993' }))
    assert.match(String(value), /"bytes":9007199254740993,/)
  })

  test('Common has neither referer nor user agent', async () => {
    const { referer, userAgent, ...common } = usual
    const text = line().split(' "http')[0] as string
    assert.deepEqual(await fields({ accessLog: 'Common' }, text), common)
    assert.ok(referer !== userAgent)
  })

  for (const [what, text, message] of [
    ['nothing', '', 'the address does not fit at character 1: expected a word and a blank'],
    ['JSON', '{"a": 1}', 'the identity does not fit at character 7: expected a word and a blank'],
    [
      '29 February of another year',
      line({ time: '29/Feb/2023:12:00:00 +0100' }),
      /^the time does not fit at character 22: /,
    ],
    ['31 June', line({ time: '31/Jun/2023:12:00:00 +0100' }), /^the time/],
    ['second 60 at noon', line({ time: '31/Dec/2016:12:00:60 +0000' }), /^the time/],
    ['hour 24', line({ time: '31/Dec/2016:24:00:00 +0000' }), /^the time/],
    ['a zone of 99 minutes', line({ time: '31/Dec/2016:12:00:00 +0099' }), /^the time/],
    [
      'bytes that are none',
      line({ bytes: '12k' }),
      'the number of bytes does not fit at character 76: expected digits or a hyphen',
    ],
    [
      'a bare quote in the user agent',
      line({ agent: 'a "b" c' }),
      /^what follows the user agent does not fit at character 105: expected the end/,
    ],
    ['a user agent without an end', line().slice(0, -1), /^the user agent .*expected a closing quote$/],
    ['a field more', line({ end: ' "10.0.0.1"' }), /^what follows the user agent/],
    ['a line of Common', line().split(' "http')[0] as string, /^the referer/],
    ['two lines', `${line()}\n${line()}`, /^what follows the user agent/],
  ] as const)
    test(`refuses ${what}, and says where`, async () => {
      const said = await refused(combined, text)
      if (typeof message === 'string') assert.equal(said, message)
      else assert.match(said, message)
    })

  test('a time is read alike, whatever the line before it said', async () => {
    const part = <T>(...values: readonly T[]) => fc.constantFrom(...values)
    const time = fc
      .tuple(
        part('31/Dec/2016', '01/Jan/2017', '29/Feb/2023', '30/Jun/2015'),
        part('23:59:59', '23:59:60', '24:00:00', '16:29:60', '08:00:00', '08:00:0x'),
        part('+0000', '-0730', '+0100', '+00000'),
      )
      .map(([day, clock, zone]) => line({ time: `${day}:${clock} ${zone}` }))
    const way = { decode: { value: { text: {} } }, transforms: [{ parse: combined }] }
    await fc.assert(
      fc.asyncProperty(fc.array(time, { minLength: 2, maxLength: 8 }), async (lines) => {
        const together = await transform(
          way,
          lines.map((value) => ({ value })),
        )
        for (const [index, { value, poison }] of together.entries()) {
          const alone = await parsed(combined, lines[index] as string)
          assert.deepEqual([value, poison], [alone.value, alone.poison])
        }
      }),
      { numRuns: 200 },
    )
  })

  test('no field is ever shifted: what was written into a line is read from it, or the line is refused', async () => {
    const escape = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')
    const part = fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom(...'ab-"\\ []é'.split('')) })
    await fc.assert(
      fc.asyncProperty(part, part, part, async (user, referer, agent) => {
        const { value } = await parsed(combined, line({ user, referer: escape(referer), agent: escape(agent) }))
        if (value === undefined) return
        const read = JSON.parse(String(value)) as Record<string, unknown>
        const given = (text: string) => (text === '-' ? null : text)
        assert.deepEqual(
          [read['user'], read['referer'], read['userAgent'], read['status']],
          [given(user), given(referer), given(agent), 200],
        )
      }),
      { numRuns: 500 },
    )
  })
})
