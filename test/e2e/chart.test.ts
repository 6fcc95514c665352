/** What the chart renders: the rights it asks for, word by word, and nothing that a restricted cluster refuses. Needs helm. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseAllDocuments, stringify } from 'yaml'
import { runCommand } from '../support/run-command.ts'
import { root } from './install.ts'

interface Rendered {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly annotations?: Record<string, string> }
  readonly rules?: readonly { readonly verbs: string[]; readonly resources: string[]; readonly apiGroups: string[] }[]
  readonly spec?: unknown
}

const chart = join(root, 'charts/streambridge')

async function render(...values: string[]): Promise<Rendered[]> {
  const set = values.flatMap((value) => ['--set', value])
  const common = ['--namespace', 'streambridge-system', '--kube-version', '1.36']
  const text = await runCommand('helm', ['template', 'streambridge', chart, ...common, ...set], {
    install: 'put helm on PATH',
  })
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null)
}

/** The CustomResourceDefinition is generated and has its own tests. */
const withoutCrd = (objects: readonly Rendered[]): Rendered[] =>
  objects.filter(({ kind }) => kind !== 'CustomResourceDefinition')

const variants: Readonly<Record<string, readonly string[]>> = {
  default: [],
  namespaced: ['rbac.scope=namespaced', 'watchNamespaces={team-a,team-b}', 'replicas=2'],
  restricted: [
    'allowedImages={ghcr.io/acme/*,mirror.local/streambridge:1.0}',
    'allowedServiceAccounts={bridge-*}',
    'admissionPolicy.enabled=true',
    'rbac.scope=namespaced',
    'watchNamespaces={default}',
  ],
  monitored: ['podMonitor.enabled=true', 'podMonitor.labels.release=prometheus', 'networkPolicy.enabled=true'],
}

for (const [name, values] of Object.entries(variants))
  test(`the chart renders ${name}.yaml; with UPDATE_GOLDEN=1 it is written anew`, async () => {
    const file = join(import.meta.dirname, 'golden', `${name}.yaml`)
    const rendered = withoutCrd(await render(...values))
      .map((object) => stringify(object, { aliasDuplicateObjects: false }))
      .join('---\n')
    if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(file, rendered)
    assert.equal(rendered, readFileSync(file, 'utf8'))
  })

test('no right is a wildcard, and Secrets are never listed or watched', async () => {
  for (const values of Object.values(variants)) {
    const rules = (await render(...values)).flatMap((object) => object.rules ?? [])
    assert.ok(rules.length > 0)
    for (const rule of rules) {
      assert.ok(!JSON.stringify(rule).includes('*'), JSON.stringify(rule))
      if (rule.resources.includes('secrets'))
        assert.ok(!rule.verbs.some((verb) => /list|watch|update|patch|delete/.test(verb)))
    }
  }
})

test('in namespaced mode the only cluster-wide right is to read two definitions by name', async () => {
  const clusterRoles = (await render(...(variants['namespaced'] ?? []))).filter(({ kind }) => kind === 'ClusterRole')
  assert.deepEqual(
    clusterRoles.map(({ rules }) => rules?.map(({ verbs, resources }) => ({ verbs, resources }))),
    [[{ verbs: ['get'], resources: ['customresourcedefinitions'] }]],
  )
})

test('the definition is kept on uninstall unless crds.keep is off', async () => {
  const policy = async (...values: string[]): Promise<string | undefined> =>
    (await render(...values)).find(({ kind }) => kind === 'CustomResourceDefinition')?.metadata.annotations?.[
      'helm.sh/resource-policy'
    ]
  assert.equal(await policy(), 'keep')
  assert.equal(await policy('crds.keep=false'), undefined)
})

test('values that make no sense are refused with their name', async () => {
  await assert.rejects(render('watchNamespaces={team-a}'), /watchNamespaces/)
  await assert.rejects(render('replica=2'), /replica/)
  await assert.rejects(render('rbac.scope=all'), /scope/)
  await assert.rejects(render('admissionPolicy.enabled=true'), /allowedImages or allowedServiceAccounts/)
  await assert.rejects(render("allowedImages={a'b}"), /allowedImages/)
})

test('every value is in the README', () => {
  const readme = readFileSync(join(chart, 'README.md'), 'utf8')
  const schema = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as {
    properties: Record<string, { properties?: object }>
  }
  const values = Object.entries(schema.properties).flatMap(([name, { properties }]) =>
    properties === undefined ? [name] : Object.keys(properties).map((key) => `${name}.${key}`),
  )
  assert.deepEqual(
    values.filter((value) => value !== 'global' && !readme.includes(`\`${value}\``)),
    [],
  )
})
