import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { RE2JS } from 're2js'
import { linearFlag } from './linear.ts'
import { compilePattern, PatternError } from './pattern.ts'

const meaning = (pattern: string, text: string) =>
  RE2JS.compile(pattern)
    .exec(text)
    ?.map((group) => group ?? undefined) ?? null

const plain = (match: readonly (string | undefined)[] | null) => (match === null ? null : [...match])

function same(pattern: string, text: string): void {
  assert.deepEqual(plain(compilePattern(pattern).exec(text)), meaning(pattern, text), JSON.stringify([pattern, text]))
}

/** Pieces of RE2 syntax, among them all that JavaScript reads otherwise. */
const written = String.raw`
  a b ab . ^ $ \s \S \d \w \W \b \B \A \z \n \. [ab] [^a] [a-c] []a] [^]a] [\s\d] [\S] [\W-] [a-] [[:alpha:]] \pL \x61
  \x{e9} \x{1F600} \Qa.b\E (?i)a (?s). (?m)^ é { {,2} } \v \_ / - [/] [.] [^\n] \a \077 (?:) [é-ü]`
const atoms = fc.constantFrom('', ' ', '\u2028', ...written.trim().split(/\s+/))
const quantifiers = fc.constantFrom(
  '',
  '',
  '',
  '*',
  '+',
  '?',
  '*?',
  '+?',
  '??',
  '{2}',
  '{1,2}',
  '{0,3}',
  '{2,}?',
  '{0}',
)
const { pattern: patterns } = fc.letrec<{ pattern: string; sequence: string; part: string }>((tie) => ({
  pattern: fc.array(tie('sequence'), { minLength: 1, maxLength: 3 }).map((branches) => branches.join('|')),
  sequence: fc.array(tie('part'), { maxLength: 4 }).map((parts) => parts.join('')),
  part: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.tuple(atoms, quantifiers).map((parts) => parts.join('')),
    fc
      .tuple(fc.constantFrom('(', '(?:', '('), tie('pattern'), quantifiers)
      .map(([open, inner, how]) => `${open}${inner})${how}`),
  ),
}))
const units = fc.constantFrom('😀', '\ud800', ...'aaabbbcA .\n\r\t\v1_{]-/é\u00a0\u2028'.split(''))
const texts = fc.array(units, { maxLength: 10 }).map((parts) => parts.join(''))

function isRe2(pattern: string): boolean {
  try {
    return RE2JS.compile(pattern).pattern() === pattern
  } catch {
    return false
  }
}

suite('regular expressions', () => {
  test('mean what RE2 means, whichever engine matches them', () => {
    let native = 0
    fc.assert(
      fc.property(patterns.filter(isRe2), fc.array(texts, { minLength: 1, maxLength: 6 }), (pattern, subjects) => {
        if (compilePattern(pattern).native) native += 1
        for (const subject of subjects) same(pattern, subject)
      }),
      { numRuns: 1_500 },
    )
    assert.ok(native > 200, `only ${native} of 1,500 were native`)
  })

  for (const [pattern, text] of [
    ['\\s+', 'a\u00a0b'],
    ['\\s', '\v'],
    ['.+', 'a\r\u2028b\nc'],
    ['a.c', 'a😀c'],
    ['[^a]', '😀'],
    ['(?:(a)|b)*', 'ab'],
    ['(|a)+', 'aa'],
    ['(a*)?', 'b'],
    ['[[:alpha:]]+', '1ab'],
    ['\\A\\pL\\z', 'é'],
    ['\\Q..\\E', 'a..'],
    ['(?i)straSSe', 'STRAſSE'],
    ['(?s)a.b', 'a\nb'],
    ['(?m)^b$', 'a\nb\nc'],
    ['a$', 'a\n'],
    ['[]a]+', ']a'],
    ['a{,2}', 'a{,2}'],
    ['x*', ''],
  ] as const)
    test(`${JSON.stringify(pattern)} means in ${JSON.stringify(text)} what it means to RE2`, () => {
      same(pattern, text)
    })

  test('those of every day are native', () => {
    for (const pattern of [
      '^(?P<ip>\\S+) (?P<user>[^ ]*) \\[(?P<time>[^\\]]+)\\] "(?P<method>[A-Z]+) (?P<path>[^" ]*)',
      'id=(?<id>\\d{1,12})',
      '^(a+)+$',
      '^(?:GET|POST) /api/v(\\d+)(?:/|$)',
    ])
      assert.ok(compilePattern(pattern).native, pattern)
  })

  test('no text holds one up: neither what JavaScript never ends with, nor what its linear engine cannot take', () => {
    const long = 'a'.repeat(100_000)
    assert.equal(compilePattern('^(a+)+$').exec(long)?.[1], long)
    assert.equal(compilePattern('^(a+)+$').exec(`${long}b`), null)
    assert.equal(compilePattern('^(?:a|aa)+$').exec(`${long}b`), null)
    assert.equal(compilePattern('^(a{1,40})+$').exec(`${long}b`), null)
    assert.equal(compilePattern('(?i)^(a+)+$').exec(`${long}b`), null)
    assert.equal(compilePattern('^(a{1,40})+$').native, false)
  })

  test('this Node has the engine of linear time, and takes its flag', () => {
    const { status, stderr } = spawnSync(process.execPath, [linearFlag, '--eval', '0'])
    assert.equal(status, 0, stderr.toString())
    assert.equal(compilePattern('^(b+)+$').native, true)
  })

  test('groups are found by name, in both spellings', () => {
    const pattern = compilePattern('(?P<a>x)(?<b>y)?')
    assert.deepEqual({ ...pattern.names }, { a: 1, b: 2 })
    assert.deepEqual(plain(pattern.exec('x')), ['x', 'x', undefined])
  })

  for (const pattern of ['(', '(?=a)', '(?<=a)b', '(a)\\1', 'a**', '[z-a]', 'a{1001}', '\\q'])
    test(`${pattern} is no expression of RE2`, () => {
      assert.throws(() => compilePattern(pattern), PatternError)
    })
})
