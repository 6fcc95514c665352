/** What a KubeApi knows of the kinds the operator uses: defaults, generations, status, refusals. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeApi } from '../../../operator/kube/api.ts'
import { deployments, podMonitors, type StreamBridge, streamBridges } from '../../../operator/kube/resources.ts'
import { bridgeManifest, deploymentManifest, deploymentSpecAsStored } from './manifests.ts'
import { refused } from './refused.ts'

interface Given {
  readonly api: KubeApi
  readonly namespace: string
}

export function kindTests(given: () => Given): void {
  test('a kind that is not installed is found nowhere', async () => {
    const { api, namespace } = given()
    assert.equal(await api.get(podMonitors, { namespace, name: 'x' }), undefined)
    await assert.rejects(api.list(podMonitors), refused(404, 'NotFound'))
  })

  test('a Deployment is stored with its defaults', async () => {
    const { api, namespace } = given()
    const stored = await api.apply(deployments, deploymentManifest(namespace))
    assert.deepEqual(stored.spec, deploymentSpecAsStored)
  })

  test('the generation grows with the spec, not with labels', async () => {
    const { api, namespace } = given()
    const manifest = deploymentManifest(namespace, 'generations')
    const first = await api.apply(deployments, manifest)
    const metadata = { ...manifest.metadata, labels: { more: 'yes' } }
    const labelled = await api.apply(deployments, { ...manifest, metadata })
    const scaled = await api.apply(deployments, { ...manifest, metadata, spec: { ...manifest.spec, replicas: 0 } })
    assert.deepEqual(
      [first, labelled, scaled].map((object) => object.metadata.generation),
      [1, 1, 2],
    )
  })

  test('a selector cannot be changed', async () => {
    const { api, namespace } = given()
    const manifest = deploymentManifest(namespace, 'selected')
    await api.apply(deployments, manifest)
    const selector = { matchLabels: { app: 'other' } }
    const template = { ...manifest.spec.template, metadata: { labels: { app: 'other' } } }
    const changed = { ...manifest, spec: { ...manifest.spec, selector, template } }
    await assert.rejects(api.apply(deployments, changed), refused(422, 'Invalid', /spec\.selector.*field is immutable/))
  })

  test('a StreamBridge is stored with its defaults', async () => {
    const { api, namespace } = given()
    const stored = await api.apply(streamBridges, bridgeManifest(namespace, 'defaults'))
    assert.equal(stored.spec.scaling?.mode, 'Fixed')
    assert.equal(stored.spec.delivery?.ordering, 'PerKey')
    assert.equal(stored.metadata.generation, 1)
  })

  test('a StreamBridge that makes no sense is refused with the place and what to write', async () => {
    const { api, namespace } = given()
    const manifest = bridgeManifest(namespace, 'invalid')
    const both = { ...manifest, spec: { ...manifest.spec, sink: {} } } as StreamBridge
    await assert.rejects(
      api.apply(streamBridges, both),
      refused(
        422,
        'Invalid',
        /^StreamBridge\.streambridge\.dev "invalid" is invalid: spec\.sink: Invalid value.*set exactly one of: /,
      ),
    )
    assert.equal(await api.get(streamBridges, { namespace, name: 'invalid' }), undefined)
  })

  test('status and spec are written apart', async () => {
    const { api, namespace } = given()
    const manifest = bridgeManifest(namespace, 'apart')
    const withStatus = { ...manifest, status: { phase: 'Failed' as const } }
    assert.equal((await api.apply(streamBridges, withStatus)).status, undefined)
    const paused = { ...manifest.spec, lifecycle: { desiredState: 'Paused' as const } }
    const status = await api.applyStatus(streamBridges, { ...manifest, spec: paused, status: { phase: 'Running' } })
    assert.deepEqual([status.status, status.spec.lifecycle], [{ phase: 'Running' }, { desiredState: 'Running' }])
    assert.equal(status.metadata.generation, 1)
    assert.deepEqual((await api.apply(streamBridges, manifest)).status, { phase: 'Running' })
  })

  test('a condition that is no longer applied vanishes', async () => {
    const { api, namespace } = given()
    const manifest = bridgeManifest(namespace, 'conditions')
    await api.apply(streamBridges, manifest)
    const condition = (type: string) =>
      ({ type, status: 'True', reason: 'Test', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }) as const
    await api.applyStatus(streamBridges, { ...manifest, status: { conditions: [condition('A'), condition('B')] } })
    const stored = await api.applyStatus(streamBridges, { ...manifest, status: { conditions: [condition('B')] } })
    assert.deepEqual(stored.status?.conditions, [condition('B')])
  })

  test('the status of what is gone is refused', async () => {
    const { api, namespace } = given()
    const absent = { ...bridgeManifest(namespace, 'absent'), status: { phase: 'Running' as const } }
    await assert.rejects(api.applyStatus(streamBridges, absent), refused(404, 'NotFound', /"absent" not found/))
  })
}
