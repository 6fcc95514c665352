/** An example without keys, in what EKS gives a pod of its ServiceAccount: a role, a token, and a service that knows both. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { temporaryDirectory } from '../support/server-process.ts'
import { endsOf } from './copies.ts'
import { pointedAt } from './example.ts'
import { allArrived, assertCopied, bridgeOf, stopped, type Trial } from './stage.ts'

const answer = `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`

/** Amazon's token service: hands out credentials, and remembers who asked for which role. */
async function tokenService(t: TestContext) {
  const asked: URLSearchParams[] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      asked.push(new URLSearchParams(body))
      response.setHeader('content-type', 'text/xml').end(answer)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

/** The role is that of the ServiceAccount's annotation; the credentials come from it alone. */
export const byRole: Trial = async (t, example) => {
  const { source, sink, run, servers } = await endsOf(t, example)
  const { metadata } = (example.manifests.find(({ kind }) => kind === 'ServiceAccount') ?? {}) as {
    readonly metadata?: { readonly name: string; readonly annotations: Readonly<Record<string, string>> }
  }
  assert.equal(metadata?.name, example.spec.serviceAccountName)
  const role = metadata?.annotations['eks.amazonaws.com/role-arn']
  const token = join(temporaryDirectory('example'), 'token')
  writeFileSync(token, 'the token of clicks-reader')
  const service = await tokenService(t)
  const bridge = await bridgeOf(t, pointedAt(example, servers), {
    AWS_ROLE_ARN: role,
    AWS_WEB_IDENTITY_TOKEN_FILE: token,
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_STS: service.url,
  })()
  await source.send(run.take(500))
  await allArrived(run, sink)
  await stopped(bridge)
  assertCopied(t, run)
  assert.deepEqual(
    [service.asked[0]?.get('RoleArn'), service.asked[0]?.get('WebIdentityToken')],
    [role, 'the token of clicks-reader'],
  )
}
