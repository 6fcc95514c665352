/** Spec in, objects out. After a wanted change: `UPDATE_GOLDEN=true node --test test/golden`, and read the difference. */
import assert from 'node:assert/strict'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import test from 'node:test'
import { parse, stringify } from 'yaml'
import { streamBridge } from '../../crds/schema/streambridge.ts'
import type { StreamBridge } from '../../operator/kube/resources.ts'
import type { Bridge } from '../../operator/streambridge/bridge.ts'
import { plain } from '../../operator/kube/format/canonical.ts'
import type { Observed } from '../../operator/streambridge/observe/observed.ts'
import { desiredObjects } from '../../operator/streambridge/plan.ts'
import { keysBySecret, secretRefs } from '../../operator/streambridge/desired/secret-refs.ts'

const folder = import.meta.dirname

/** The objects for a StreamBridge whose Secrets all exist. */
function objectsFor(stored: StreamBridge): readonly unknown[] {
  const { spec, metadata } = streamBridge.parse(stored)
  const bridge: Bridge = { namespace: 'shop', name: metadata.name, uid: '11111111-2222-3333-4444-555555555555', spec }
  const found = [...keysBySecret(secretRefs(spec))].map(
    ([name, keys]) => [name, { kind: 'found', keys, checksum: `checksum of ${name}` }] as const,
  )
  const observed: Observed = {
    stored,
    parsed: { kind: 'valid', bridge },
    children: [],
    workload: undefined,
    pods: [],
    refs: secretRefs(spec),
    secrets: new Map(found),
    podMonitors: true,
    interval: 10_000,
    secretsAt: 0,
    objectsAt: 0,
  }
  return desiredObjects(bridge, observed, 'ghcr.io/streambridge/streambridge:0.1.0', spec.replicas ?? 1).map(
    ({ object }) => plain(object),
  )
}

for (const input of globSync('*.in.yaml', { cwd: folder })) {
  const output = input.replace('.in.yaml', '.out.yaml')
  test(`${basename(input, '.in.yaml')}: the objects are as reviewed`, () => {
    const objects = objectsFor(parse(readFileSync(join(folder, input), 'utf8')) as StreamBridge)
    const text = objects
      .map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }))
      .join('---\n')
    if (process.env['UPDATE_GOLDEN'] === 'true') writeFileSync(join(folder, output), text)
    assert.equal(text, readFileSync(join(folder, output), 'utf8'))
  })
}
