import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { fields, type Parse, parsed, refused } from '../../../test/support/parsed.ts'
import { transformOne } from '../../../test/support/transforms.ts'

suite('parse: regex', () => {
  test('named groups are fields, typed where that is said', async () => {
    const regex = '^(?P<level>[A-Z]+) (?P<code>-?\\d*) (?<took>[\\d.]+)s(?: (?P<ok>true|false))?$'
    const types = { code: 'Int', took: 'Double', ok: 'Bool' } as const
    assert.deepEqual(await fields({ regex, types }, 'WARN 007 1.50s true'), {
      level: 'WARN',
      code: 7,
      took: 1.5,
      ok: true,
    })
    assert.deepEqual(await fields({ regex, types }, 'WARN  .5s'), { level: 'WARN', code: null, took: 0.5, ok: null })
    const { value } = await parsed({ regex, types }, 'A 12345678901234567890 0.12345678901234567890s')
    assert.equal(value, '{"level":"A","code":12345678901234567890,"took":0.12345678901234567890,"ok":null}')
  })

  test('a text that does not match is refused, and a field of another type by its name', async () => {
    assert.equal(await refused({ regex: '^(?P<n>.+)$', types: { n: 'Int' } }, '1x'), 'the field n is no Int')
    assert.equal(await refused({ regex: '^(?P<n>a)$' }, 'b'), 'the expression matches nowhere')
  })

  test('types of what is no group are refused before a pod starts', async () => {
    await assert.rejects(parsed({ regex: '(?P<a>x)', types: { b: 'Int' } }, ''), /types names b, which is no group/)
  })
})

suite('parse: csv', () => {
  const csv = { columns: ['a', 'b', 'c'], types: { b: 'Int' } } as const

  test('cells may be quoted, hold quotes, delimiters and line breaks, or nothing', async () => {
    const all = { csv: { ...csv, columns: [...csv.columns] } }
    assert.deepEqual(await fields(all, 'x,5,y\r\n'), { a: 'x', b: 5, c: 'y' })
    assert.deepEqual(await fields(all, '"x, ""y""\nz",,""'), { a: 'x, "y"\nz', b: null, c: '' })
    assert.deepEqual(await fields(all, ',,'), { a: null, b: null, c: null })
  })

  for (const [text, message] of [
    ['a,1', 'the row has 2 cells, not 3'],
    ['a,1,2,3', 'the row has 4 cells, not 3'],
    ['a,1,2\nb,1,2', 'the row does not fit at character 6: expected one row, not the next one'],
    ['"a,1,2', 'a quoted cell does not fit at character 7: expected a closing quote'],
    ['"a"b,1,2', 'cell 1 does not fit at character 4: expected its end'],
    ['a"b,1,2', 'a cell without quotes does not fit at character 2: expected no quote and no line break'],
    ['a,x,2', 'the field b is no Int'],
  ] as const)
    test(`refuses ${JSON.stringify(text)}`, async () => {
      assert.equal(await refused({ csv: { ...csv, columns: [...csv.columns] } }, text), message)
    })
})

suite('parse: columns', () => {
  test('two columns of one name are refused before a pod starts', async () => {
    await assert.rejects(parsed({ csv: { columns: ['a', 'a'] } }, ''), /each column needs a name of its own/)
  })
})

suite('parse: syslog', () => {
  test('the example of RFC 5424', async () => {
    const text = `<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Appl\\"ication"][x@1 ip="1" ip="2"] \ufeffAn application event`
    assert.deepEqual(await fields({ syslog: 'RFC5424' }, text), {
      facility: 20,
      severity: 5,
      time: '2003-10-11T22:14:15.003Z',
      host: 'mymachine.example.com',
      app: 'evntslog',
      processId: null,
      messageId: 'ID47',
      data: { 'exampleSDID@32473': { iut: '3', eventSource: 'Appl"ication' }, 'x@1': { ip: ['1', '2'] } },
      message: 'An application event',
    })
  })

  test('all that may be absent', async () => {
    assert.deepEqual(await fields({ syslog: 'RFC5424' }, '<0>1 - - - - - -'), {
      facility: 0,
      severity: 0,
      time: null,
      host: null,
      app: null,
      processId: null,
      messageId: null,
      data: {},
      message: null,
    })
  })

  for (const [text, message] of [
    ['<34>Oct 11 22:14:15 mymachine su: failed', /^the header does not fit at character 1: expected <priority>1/],
    ['<192>1 - - - - - -', /^the priority does not fit at character 2/],
    ['<1>1 2003-02-29T22:14:15Z - - - - -', /^the time does not fit at character 6/],
    ['<1>1 - - - - - [a b]', /^the structured data does not fit at character 18/],
    ['<1>1 - - - - - [a][a]', /^the structured data does not fit at character 19/],
    ['<1>1 - - - - - -x', /^what follows the structured data/],
  ] as const)
    test(`refuses ${text}`, async () => {
      assert.match(await refused({ syslog: 'RFC5424' }, text), message)
    })
})

suite('parse: keyValue', () => {
  test('pairs with quotes, blanks and types', async () => {
    assert.deepEqual(
      await fields(
        { keyValue: {}, types: { n: 'Int' } },
        ' level=info  msg="it \\"works\\" = yes" n=5 url=/a?b=c empty= \n',
      ),
      { level: 'info', msg: 'it "works" = yes', n: 5, url: '/a?b=c', empty: '' },
    )
    assert.deepEqual(await fields({ keyValue: { delimiter: ', ', separator: ': ' } }, 'a: 1, b: "x, y"'), {
      a: '1',
      b: 'x, y',
    })
  })

  for (const [text, message] of [
    ['', /^a pair does not fit at character 1/],
    ['a b=1', /^a pair does not fit at character 1: expected a name and "="/],
    ['a=1 a=2', /^a pair does not fit at character 5: expected each name once/],
    ['a="x', /^a value in quotes does not fit at character 5: expected a closing quote/],
    ['a="x"y', /^a value in quotes does not fit at character 6/],
  ] as const)
    test(`refuses ${JSON.stringify(text)}`, async () => {
      assert.match(await refused({ keyValue: {} }, text), message)
    })
})

suite('parse', () => {
  test('JSON in a field becomes fields, exactly', async () => {
    const way = { transforms: [{ parse: { json: {}, from: 'value.text', into: 'value.inner.all' } }] }
    const { value } = await transformOne(way, { value: '{"text":"{\\"n\\":9007199254740993}"}' })
    assert.equal(value, '{"text":"{\\"n\\":9007199254740993}","inner":{"all":{"n":9007199254740993}}}')
    const { poison } = await transformOne(way, { value: '{"text":"{x"}' })
    assert.match(String(poison), /^ParseMismatch: .*: value\.text: it is not JSON/)
  })

  test('what is no text is refused by its type', async () => {
    const way = { transforms: [{ parse: { json: {}, from: 'value.text', into: 'value.text' } }] }
    for (const [value, type] of [
      ['{"text":5}', 'a number'],
      ['{}', 'nothing'],
    ] as const)
      assert.match(String((await transformOne(way, { value })).poison), new RegExp(`value.text is ${type}, not a text`))
  })

  test('a field named __proto__ is a field', async () => {
    const { value } = await parsed({ keyValue: {} }, '__proto__=1 a=2')
    assert.equal(value, '{"__proto__":"1","a":"2"}')
  })

  test('no error quotes a text', async () => {
    const secret = 'bGVhawofFortyRandomLettersQwertzuiopasdf'
    const forms: readonly Parse[] = [
      { accessLog: 'Combined' },
      { regex: '^(?P<n>[A-Za-z]+)$', types: { n: 'Int' } },
      { csv: { columns: ['a'], types: { a: 'Double' } } },
      { json: {} },
      { syslog: 'RFC5424' },
      { keyValue: {} },
    ]
    for (const form of forms)
      for (const text of [
        secret,
        `"${secret}`,
        `${secret}="${secret}`,
        `1.2.3.4 - - [${secret}] "`,
        `1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "${secret}`,
      ]) {
        const said = await refused(form, text)
        assert.ok(!said.includes(secret), said)
      }
  })
})
