import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { type Answer, type StreamBridges, startWithCrd } from './api-server.ts'
import { manifests } from './manifests.ts'

/** What the API server says, as `path: message`, without its remarks about what it did not check. */
function refusals({ body }: Answer): readonly string[] {
  const causes: readonly { readonly field?: string; readonly message: string }[] = body.details?.causes ?? []
  const strays = [...String(body.message).matchAll(/unknown field "([^"]*)"/g)].map(
    ([, path]) => `${path}: unknown field`,
  )
  return [...causes.filter(({ field }) => /^(spec|metadata)\b/.test(field ?? '')).map(textOf), ...strays]
}

function textOf({ field, message }: { readonly field?: string; readonly message: string }): string {
  return `${field}: ${message}`
}

/** Where a rule cannot even be evaluated, the API server says why instead of which value. */
const sameRefusal = (said: string | undefined, expected: string | undefined): boolean => {
  const [path, rule] = /^(.*?): .* evaluating rule: (.*)$/.exec(said ?? '')?.slice(1) ?? []
  if (path === undefined || rule === undefined) return said === expected
  return expected?.startsWith(`${path}: `) === true && expected.endsWith(`: ${rule}`)
}

suite('manifests before a real API server', () => {
  let bridges: StreamBridges
  before(async () => {
    bridges = await startWithCrd()
  })
  after(() => bridges[Symbol.asyncDispose]())

  const create = (body: unknown): Promise<Answer> =>
    bridges.ask({ method: 'POST', path: '?fieldValidation=Strict&dryRun=All', body })

  for (const { name, object } of manifests('valid')) {
    test(`${name} is accepted`, async () => {
      const answer = await create(object)
      assert.equal(answer.status, 201, answer.body.message)
    })
  }

  for (const { name, object, expected } of manifests('invalid')) {
    test(`${name} is refused with the words the file expects`, async () => {
      const said = refusals(await create(object))
      assert.ok(
        said.length === expected.length && said.every((each, index) => sameRefusal(each, expected[index])),
        `said ${JSON.stringify(said, null, 2)}, expected ${JSON.stringify(expected, null, 2)}`,
      )
    })
  }

  for (const { name, file } of manifests('valid')) {
    test(`kubectl apply --validate=strict takes ${name}, twice`, async () => {
      const apply = ['apply', '--validate=strict', '-f', file]
      assert.match(await bridges.server.kubectl(apply), / created$/m)
      // A null is a request to remove, so kubectl sends a patch each time, which changes nothing.
      assert.match(await bridges.server.kubectl(apply), / (unchanged|configured)$/m)
    })
  }
})
