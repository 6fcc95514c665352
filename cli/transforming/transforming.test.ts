import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { temporaryDirectory } from '../../test/support/server-process.ts'

const main = join(import.meta.dirname, '../main.ts')
const examples = join(import.meta.dirname, '../../examples')

function streambridge(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    input,
    encoding: 'utf8',
    cwd: join(import.meta.dirname, '../..'),
  })
  return { status, stdout, stderr }
}

function manifest(transforms: string): string {
  const file = join(temporaryDirectory('transform'), 'bridge.yaml')
  writeFileSync(
    file,
    `apiVersion: streambridge.dev/v1alpha1
kind: StreamBridge
metadata: {name: t}
spec:
  source: {generator: {recordsPerSecond: 5}}
  ${transforms}
  sink: {console: {}}
`,
  )
  return file
}

const steps = `transforms:
    - filter: value.status >= 500
    - set: {value.total: value.n * 2}`

suite('streambridge transform', () => {
  test('shows what each step makes of a sample, and why one fails', () => {
    const input = '{"status":500,"n":21}\n{"status":200}\n{"n":1}\n'
    const { status, stdout } = streambridge(['transform', '-f', manifest(steps)], input)
    assert.equal(
      stdout,
      `record 1
  transforms[0].filter  kept
  transforms[1].set
    + value.total: 42
  → {"status":500,"n":21,"total":42}
record 2
  transforms[0].filter  filtered out
record 3
  transforms[0].filter  fails
  ✗ cannot go on (ExpressionFailed): spec.transforms[0].filter: "value.status" (line 1, column 7): there is no such field; write has(…) before it, or .?field.orValue(…)
`,
    )
    assert.equal(status, 1)
  })

  test('the guide shows what a person sees', () => {
    const guide = readFileSync(join(import.meta.dirname, '../../docs/guides/transforms.md'), 'utf8')
    const samples = /```json\n([\s\S]*?)```/.exec(guide)?.[1]
    const [, args = '', shown] = /```\nnpx streambridge (transform .*?)\n\n([\s\S]*?)```/.exec(guide) ?? []
    const { stdout } = streambridge(args.replace(/ --input .*/, '').split(' '), samples)
    assert.equal(stdout, shown)
  })

  test('tells programs the same as JSON, numbers exact', () => {
    const { stdout, status } = streambridge(
      ['transform', '-f', manifest(steps), '--json', '--records'],
      '{"key":"k","value":{"status":501,"n":1,"id":12345678901234567890},"headers":{"h":"x"}}\n',
    )
    const { outputs, steps: traced } = JSON.parse(stdout) as {
      readonly outputs: readonly object[]
      readonly steps: readonly object[]
    }
    assert.equal(status, 0)
    assert.deepEqual(outputs, [
      {
        key: 'k',
        value: '{"status":501,"n":1,"id":12345678901234567890,"total":2}',
        headers: [{ name: 'h', value: 'x' }],
        timestamp: 0,
      },
    ])
    assert.deepEqual(traced[1], { step: 'spec.transforms[1].set', outputs: [[{ path: 'value.total', after: '2' }]] })
  })

  test('shows bytes that no terminal shows as base64', () => {
    const way = `encode: {value: {avro: {schema: {inline: '{"type":"record","name":"O","fields":[{"name":"id","type":"long"}]}'}}}}`
    assert.equal(streambridge(['transform', '-f', manifest(way)], '{"id":1}\n').stdout, 'record 1\n  → base64:Ag==\n')
  })

  test('a wrong expression is told with its place, and exit code 2', () => {
    const { status, stderr } = streambridge(
      ['transform', '-f', manifest('transforms: [{filter: valu.n == 1}]')],
      '{}\n',
    )
    assert.equal(status, 2)
    assert.match(stderr, /spec\.transforms\[0\]\.filter: .*Unknown variable: valu \(line 1, column 1\)/)
  })

  for (const [what, way, input, message] of [
    ['a bridge that changes nothing', 'transforms: []', '{}\n', /the bridge changes nothing/],
    ['no samples', steps, '', /no record in it/],
  ] as const)
    test(`${what} is said, with exit code 2`, () => {
      const { status, stderr } = streambridge(['transform', '-f', manifest(way)], input)
      assert.equal(status, 2)
      assert.match(stderr, message)
    })
})

suite('streambridge test', () => {
  test('runs the tests of every example', () => {
    const { status, stdout } = streambridge(['test', '-f', examples])
    assert.equal(status, 0, stdout)
    assert.match(stdout, /\n\d+ passed, 0 failed\n$/)
  })

  test('says what differs, field by field, with exit code 1', () => {
    const file = manifest(steps)
    const tests = file.replace('.yaml', '.test.yaml')
    writeFileSync(
      tests,
      `tests:
  - name: wrong
    input: [{key: a, value: {status: 500, n: 1}}, {value: {status: 1}}, {value: 5}]
    output: [{key: b, value: {status: 500, n: 1, total: 3}}]
    poison: [{reason: NotJson}]
`,
    )
    const { status, stdout } = streambridge(['test', '-f', tests])
    assert.equal(status, 1)
    assert.equal(
      stdout,
      `FAIL ${tests}: wrong
       filtered: 1 records, expected 0
       output[0].key: "a", expected "b"
       output[0].value: {"status":500,"n":1,"total":2}, expected {"status":500,"n":1,"total":3}
       poison[0].reason: ExpressionFailed, expected NotJson (spec.transforms[0].filter: "value.status" (line 1, column 7): there is no such field; write has(…) before it, or .?field.orValue(…))
0 passed, 1 failed
`,
    )
  })

  test('a field that is misspelt in a test file is told, with exit code 2', () => {
    const tests = manifest(steps).replace('.yaml', '.test.yaml')
    writeFileSync(tests, 'tests: [{name: a, input: [{valeu: 1}]}]\n')
    const { status, stderr } = streambridge(['test', '-f', tests])
    assert.equal(status, 2)
    assert.match(stderr, /unknown field "valeu"/)
  })
})
