import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type Given, transform, transformOne } from '../../test/support/transforms.ts'

suite('expressions', () => {
  test('JSON numbers and whole numbers mix', async () => {
    const given: Given = { value: '{"n":5}' }
    const kept = await transform(
      { transforms: [{ filter: 'value.n + 1 > 2 && value.n / 2 == 2.5 && value.n % 2 == 1' }] },
      [given],
    )
    assert.equal(kept[0]?.value, '{"n":5}')
  })

  test('find gives the first match, or one group of it, or null', async () => {
    const { value } = await transformOne(
      {
        transforms: [
          {
            set: {
              'value.all': String.raw`value.s.find(r'id=(\d+)')`,
              'value.id': String.raw`value.s.find('id=(\\d+)', 1)`,
              'value.no': "value.s.find('x')",
              'value.absent': "value.s.find('id|(x)', 1)",
            },
          },
        ],
      },
      { value: '{"s":"a id=12 id=3"}' },
    )
    assert.equal(value, '{"s":"a id=12 id=3","all":"id=12","id":"12","no":null,"absent":null}')
  })

  test('find in what is no text is an error of the record', async () => {
    const { poison } = await transformOne(
      { transforms: [{ filter: "value.n.find('a') != null" }] },
      { value: '{"n":5}' },
    )
    assert.match(String(poison), /^ExpressionFailed.*the function does not take these types/)
  })

  test('a filter that gives a number names its type', async () => {
    const { poison } = await transformOne({ transforms: [{ filter: 'value.n' }] }, { value: '{"n":5}' })
    assert.equal(
      poison,
      'ExpressionFailed: spec.transforms[0].filter: the expression gives a number, not true or false',
    )
  })

  for (const [expression, message] of [
    ['valu.n == 1', /Unknown variable: valu \(line 1, column 1\)/],
    ['value.n ==', /line 1, column/],
    ['value.n\n  == foo(1)', /foo.*\(line 2, column 6\)/],
    ["'a'", /the expression gives string, not bool/],
    ["value.s.matches('^(a+)+$')", /matches.*is not there \(line 1, column 1\): write value\.text\.find/],
    ['value.s.find(value.re) != null', /find.* takes an expression that is written out \(line 1, column 1\)/],
    ["value.s.find('(?=a)') != null", /`\(\?=` \(line 1, column 14\)/],
    ["value.s.find('(a)', 2) != null", /find.* takes a group from 0 to 1, written out \(line 1, column 21\)/],
    ['value.a.exists(x, x.exists(y, y == 1))', /"?exists\\"? stands in another loop over a list \(line 1, column 19\)/],
    [Array.from({ length: 150 }, () => 'value.n == 1').join(' || '), /./],
  ] as const)
    test(`before a pod starts it is refused: ${expression.slice(0, 60)}`, async () => {
      await assert.rejects(transform({ transforms: [{ filter: expression }] }, []), message)
    })

  for (const expression of [
    'value.a.filter(x, x > 1).map(x, x + 1).exists(x, x == 3)',
    '[1, 2].exists(n, value.a.exists(x, x == n))',
  ])
    test(`loops one behind the other, and over what is written out, are taken: ${expression}`, async () => {
      assert.equal((await transform({ transforms: [{ filter: expression }] }, [{ value: '{"a":[1,2]}' }])).length, 1)
    })

  test('a result that multiplies a record beyond all bounds is refused, before it is made', async () => {
    const way = { transforms: [{ set: { 'value.copies': 'value.items.map(x, value)' } }] }
    const value = JSON.stringify({ items: Array.from({ length: 3_000 }, (_, n) => n), text: 'x'.repeat(100_000) })
    assert.match(
      String((await transformOne(way, { value })).poison),
      /^ValueTooLarge: spec\.transforms\[0\]\.set: the result/,
    )
  })

  test('an error quotes the expression and nothing of the record', async () => {
    const secret = 'bGVhaw-of-forty-random-letters-qwertzuiop'
    for (const expression of [
      'value[key] == 1',
      'value.s + 1 == 2',
      'int(value.s) == 1',
      'timestamp(value.s) == timestamp',
      'json(value.s) == 1',
    ])
      for (const { poison } of await transform({ transforms: [{ filter: expression }] }, [
        { key: secret, value: JSON.stringify({ s: secret }) },
      ])) {
        assert.ok(poison !== undefined, expression)
        assert.ok(!poison.includes(secret), poison)
      }
  })
})
