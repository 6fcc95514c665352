import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { realClock } from '../bridge-runtime/core/clock.ts'
import { createEmbeddedKube } from '../operator/embedded/api-server/api.ts'
import { startCli } from '../test/support/cli-process.ts'
import { everythingOf, leakOf } from '../test/support/secrets/leaks.ts'
import { mutated } from '../test/support/secrets/mutations.ts'
import { temporaryDirectory } from '../test/support/server-process.ts'
import { applyManifests } from './apply.ts'
import { mountSecrets } from './local-secrets.ts'
import { readManifests } from './manifests.ts'

const plain = 'C4n4ryS1ngsInTh3M1ne'
const encoded = Buffer.from('Qz7WvXb2LmTfKd9RpYhJ').toString('base64')
const secret = `apiVersion: v1
kind: Secret
metadata:
  name: kafka
stringData:
  password: ${plain}
data:
  user: ${encoded}
`
const bridge = `---
apiVersion: streambridge.dev/v1alpha1
kind: StreamBridge
metadata:
  name: orders
spec:
  source: {generator: {}}
  sink: {console: {}}
`

/** Manifests that people write, and what the parser's own message would have quoted. */
const broken: readonly string[] = [
  secret.replace(plain, `"${plain}`),
  secret.replace(plain, `${plain}: x`),
  secret.replace(plain, `*${plain}`),
  secret.replace(plain, `!${plain} x`),
  secret.replace(plain, `%${plain}\n  - x`),
  secret.replace(plain, `@${plain}`),
  secret.replace(plain, `{{${plain}}}`),
  secret.replace(plain, `{${plain}`),
  secret.replace(plain, `[${plain}]`),
  secret.replace(plain, `"\\q${plain}"`),
  secret.replace(`password: ${plain}`, plain),
  secret.replace(`password: ${plain}`, `? ${plain}`),
  secret.replace(`password: ${plain}`, `${plain}!: x`),
  secret.replace(`password: ${plain}`, `password: x\n  ${plain}: 1\n  ${plain}: 2`),
  secret.replace('  password', '\tpassword'),
  secret.replace(encoded, plain + '!'),
  secret.replace('kind: Secret', `kind: ${plain}`),
  secret.replace('name: kafka', 'name: ../../kafka'),
]

/** All that reading, mounting, applying and validating a file say. */
async function said(folder: string, text: string): Promise<string> {
  const file = join(folder, 'file.yaml')
  writeFileSync(file, text)
  const lines: string[] = []
  const print = (line: string): void => void lines.push(line)
  const attempt = async (what: () => Promise<unknown>): Promise<void> => {
    await what().catch((thrown: unknown) => print(everythingOf(thrown)))
  }
  const mounts = join(folder, 'secrets')
  mkdirSync(mounts, { recursive: true })
  await attempt(async () => await mountSecrets(await readManifests(file), mounts))
  const kube = createEmbeddedKube({ clock: realClock }).as('kubectl')
  await attempt(async () => await applyManifests(kube, await readManifests(file), print))
  return lines.join('\n')
}

test('no command quotes a Secret of a manifest that it cannot read', async (t) => {
  const folder = temporaryDirectory('manifests')
  const warnings: string[] = []
  const warned = (warning: Error): void => void warnings.push(String(warning))
  process.on('warning', warned)
  t.after(() => process.off('warning', warned))
  const quiet = async (text: string): Promise<void> => {
    const leaked = leakOf([plain, encoded], (await said(folder, text)) + warnings.join('\n'))
    if (leaked !== undefined) assert.fail(`"${leaked}" of\n${text}\nis in what was said`)
  }
  for (const text of broken) await quiet(text)
  await fc.assert(
    fc.asyncProperty(mutated, fc.boolean(), (change, alone) => quiet(alone ? change(secret) : change(secret + bridge))),
    { seed: 17, numRuns: 300 },
  )
})

test('run, dev and validate tell a broken Secret by its place', async (t) => {
  const folder = temporaryDirectory('manifests')
  const file = join(folder, 'file.yaml')
  writeFileSync(file, secret.replace(plain, `"${plain}`) + bridge)
  for (const command of ['run', 'dev', 'validate']) {
    const cli = startCli(t, [command, '-f', file], folder)
    assert.notEqual(await cli.exited, 0)
    assert.match(cli.printed(), /file\.yaml: line [0-9]+, column [0-9]+: no YAML: a missing character/)
    assert.equal(leakOf([plain, encoded], cli.printed()), undefined)
  }
})

test('what a cluster would refuse is refused by name and place', async () => {
  const folder = temporaryDirectory('manifests')
  const refusal = (text: string): Promise<string> => said(folder, text)
  assert.match(
    await refusal(secret.replace(plain, '12345')),
    /Secret "kafka": entry 1 of stringData is no text: put it in/,
  )
  assert.match(
    await refusal(secret.replace(encoded, 'pl@in')),
    /Secret "kafka": entry 1 of data is no base64; write plain/,
  )
  assert.match(
    await refusal(secret.replace('name: kafka', 'name: ../kafka')),
    /a Secret needs a metadata\.name of lower/,
  )
  assert.match(
    await refusal(secret.replace('password:', '../password:')),
    /entry 1 of stringData has a key of more than/,
  )
  assert.match(await refusal(secret.replace('stringData:', 'stringData: x\nrest:')), /stringData is no map of texts/)
})

test('a Secret is mounted as the cluster reads it', async () => {
  const folder = temporaryDirectory('manifests')
  await said(folder, secret.replace(encoded, `|\n    ${encoded.slice(0, 8)}\n    ${encoded.slice(8)}`))
  assert.equal(readFileSync(join(folder, 'secrets/kafka/password'), 'utf8'), plain)
  assert.equal(readFileSync(join(folder, 'secrets/kafka/user'), 'utf8'), 'Qz7WvXb2LmTfKd9RpYhJ')
})
