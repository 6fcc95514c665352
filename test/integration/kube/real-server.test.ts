import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { realClock } from '../../../bridge-runtime/core/clock.ts'
import { silentLogger } from '../../../bridge-runtime/observability/logger.ts'
import { type KubeApi, KubeError } from '../../../operator/kube/api.ts'
import { createKubeClient, type KubeClient, type KubeClientOptions } from '../../../operator/kube/client/client.ts'
import { fromKubeconfig, inCluster } from '../../../operator/kube/client/cluster-access.ts'
import { createEventRecorder } from '../../../operator/kube/events.ts'
import { electLeader } from '../../../operator/kube/leader-election.ts'
import { type ConfigMap, configMaps, leases, secrets } from '../../../operator/kube/resources.ts'
import { startWatch, type WatchLoop } from '../../../operator/kube/watch.ts'
import { eventually } from '../../support/eventually.ts'
import { type KubeApiServer, startKubeApiServer } from '../../support/kube-api-server.ts'

const namespace = 'default'
const configMap = (name: string, value: string): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, labels: { watched: 'yes' } },
  data: { value },
})

describe('against a real API server', { concurrency: 1 }, () => {
  let server: KubeApiServer
  let client: KubeClient

  const connect = async (options: Partial<KubeClientOptions> = {}): Promise<KubeClient> => {
    const access = await fromKubeconfig({ path: server.kubeconfigPath })
    return createKubeClient({ access, clock: realClock, ...options })
  }

  before(async () => {
    server = await startKubeApiServer()
    client = await connect()
  })
  after(async () => {
    client.close()
    await server.stop()
  })

  interface Watched extends WatchLoop {
    /** The value of each ConfigMap that the watch has reported and that is not gone. */
    readonly values: ReadonlyMap<string, string | undefined>
  }

  const watchAll = (api: KubeApi): Watched => {
    const values = new Map<string, string | undefined>()
    const watch = startWatch({
      api,
      resource: configMaps,
      selection: { namespace, labelSelector: 'watched=yes' },
      clock: realClock,
      random: Math.random,
      logger: silentLogger,
      onChange: ({ metadata, data }, change) => {
        if (change === 'present') values.set(metadata.name, data?.['value'])
        else values.delete(metadata.name)
      },
    })
    return { ...watch, values }
  }

  const shows = ({ values }: Watched, wanted: string): Promise<string> =>
    eventually(
      `the watch shows ${wanted}`,
      () =>
        [...values]
          .map(([name, value]) => `${name}=${value}`)
          .sort()
          .join(' '),
      (seen) => seen === wanted,
      { within: 60_000 },
    )

  const removeAll = async (): Promise<void> => {
    for (const { metadata } of (await client.list(configMaps, { namespace, labelSelector: 'watched=yes' })).items)
      await client.remove(configMaps, { namespace, name: metadata.name }, { uid: metadata.uid ?? '' })
  }

  test('a watch follows what happens', async () => {
    const watch = watchAll(client)
    const { metadata } = await client.apply(configMaps, configMap('a', '1'))
    await client.apply(configMaps, configMap('b', '1'))
    await shows(watch, 'a=1 b=1')
    await client.apply(configMaps, configMap('b', '2'))
    await client.remove(configMaps, { namespace, name: 'a' }, { uid: metadata.uid ?? '' })
    await shows(watch, 'b=2')
    await watch.stop()
    await removeAll()
  })

  test('a watch survives an API server that dies and comes back', async () => {
    await client.apply(configMaps, configMap('before', '1'))
    const watch = watchAll(client)
    await shows(watch, 'before=1')
    await server.stopApi('SIGKILL')
    await assert.rejects(client.get(configMaps, { namespace, name: 'before' }), (error) => {
      return error instanceof KubeError && error.reason === 'Unreachable'
    })
    await server.startApi()
    await client.apply(configMaps, configMap('after', '1'))
    await shows(watch, 'after=1 before=1')
    assert.ok(watch.lastSync() < 60_000)
    await watch.stop()
    await removeAll()
  })

  test('a watch survives an API server that takes requests and never answers', async () => {
    const impatient = await connect({ deadline: 1_000, watchIdleTimeout: 2_000 })
    await client.apply(configMaps, configMap('before', '1'))
    const watch = watchAll(impatient)
    await shows(watch, 'before=1')
    server.pauseApi()
    await assert.rejects(impatient.get(configMaps, { namespace, name: 'before' }), (error) => {
      return error instanceof KubeError && error.reason === 'Timeout'
    })
    await eventually('nothing is heard', () => watch.lastSync() > 4_000)
    server.resumeApi()
    await client.apply(configMaps, configMap('after', '1'))
    await shows(watch, 'after=1 before=1')
    await watch.stop()
    impatient.close()
    await removeAll()
  })

  test('a list of several pages is whole', async () => {
    const many = Array.from({ length: 620 }, (_, index) => configMap(`page-${index}`, '1'))
    for (let from = 0; from < many.length; from += 20)
      await Promise.all(many.slice(from, from + 20).map((object) => client.apply(configMaps, object)))
    const { items } = await client.list(configMaps, { namespace, labelSelector: 'watched=yes' })
    assert.equal(new Set(items.map(({ metadata }) => metadata.name)).size, 620)
    await removeAll()
  })

  test('a version that was compacted away is 410', async () => {
    const options = { namespace, resourceVersion: '1', timeoutSeconds: 5 }
    await assert.rejects(
      async () => {
        for await (const _event of client.watch(configMaps, options, new AbortController().signal));
      },
      (error) => error instanceof KubeError && error.status === 410,
    )
  })

  test('the service account of a pod may do what its roles say, and is refused the rest by name', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'account-'))
    await server.kubectl(['create', 'serviceaccount', 'operator', '-n', namespace])
    await server.kubectl(['create', 'role', 'reader', '--verb=get,list', '--resource=configmaps', '-n', namespace])
    await server.kubectl(['create', 'rolebinding', 'reader', '--role=reader', `--serviceaccount=${namespace}:operator`])
    const token = await server.kubectl(['create', 'token', 'operator', '-n', namespace])
    const files = { token, 'ca.crt': server.ca, namespace }
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
    const { hostname, port } = new URL(server.url)
    const environment = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port }
    const access = inCluster({ environment, clock: realClock, folder })
    assert.ok(access !== undefined)
    const pod = createKubeClient({ access, clock: realClock })
    assert.ok((await pod.list(configMaps, { namespace })).items.length >= 0)
    await assert.rejects(pod.list(secrets, { namespace }), (error) => {
      assert.ok(error instanceof KubeError)
      assert.deepEqual([error.status, error.reason], [403, 'Forbidden'])
      assert.match(error.message, /secrets is forbidden: User "system:serviceaccount:default:operator" cannot list/)
      assert.ok(!error.message.includes(token.trim()))
      return true
    })
    pod.close()
    await rm(folder, { recursive: true })
  })

  const lease = { namespace, name: 'streambridge-operator' }
  const times = { leaseDuration: 3_000, renewDeadline: 2_000, retryPeriod: 300 }
  const candidate = (api: KubeApi, identity: string) => {
    const lost: string[] = []
    const onLost = (reason: string): void => void lost.push(reason)
    const options = { clock: realClock, random: Math.random, logger: silentLogger, lease, times, onLost }
    return Object.assign(electLeader({ ...options, api, identity }), { lost })
  }

  test('one of three leads, and hands over when it stops', async () => {
    const all = ['a', 'b', 'c'].map((identity) => candidate(client, identity))
    const leaders = () => all.filter((one) => one.isLeader())
    const [first] = await eventually('a leader', leaders, ({ length }) => length === 1)
    assert.ok(first !== undefined)
    await first.stop()
    const [second] = await eventually('another leader', leaders, ({ length }) => length === 1)
    assert.notEqual(second, first)
    assert.equal((await client.get(leases, lease))?.spec?.leaseTransitions, 1)
    await Promise.all(all.map((one) => one.stop()))
    assert.deepEqual(
      all.flatMap(({ lost }) => lost),
      [],
    )
    assert.equal((await client.get(leases, lease))?.spec?.holderIdentity, '')
  })

  test('a leader whose API server falls silent stops leading, and another leads afterwards', async () => {
    const first = candidate(client, 'first')
    await first.elected
    server.pauseApi()
    await eventually('the lease is lost', () => first.lost.length === 1)
    assert.equal(first.isLeader(), false)
    server.resumeApi()
    const second = candidate(await connect(), 'second')
    await eventually('a second leader', () => second.isLeader())
    await second.stop()
  })

  test('kubectl describe shows an Event, and how often it happened', async () => {
    const regarding = await client.apply(configMaps, configMap('described', '1'))
    const options = {
      clock: realClock,
      logger: silentLogger,
      controller: 'streambridge-operator',
      instance: 'operator-0',
    }
    const recorder = createEventRecorder({ ...options, api: client })
    const notice = { regarding, type: 'Warning', reason: 'SecretKeyNotFound' } as const
    for (let n = 0; n < 3; n++) recorder.record({ ...notice, message: 'Secret "orders" has no key "password"' })
    await recorder.flush()
    const text = await server.kubectl(['describe', 'configmap', 'described', '-n', namespace])
    assert.match(
      text,
      /Warning\s+SecretKeyNotFound\s+.*x3.*streambridge-operator\s+Secret "orders" has no key "password"/,
    )
    const events = JSON.parse(await server.kubectl(['get', 'events', '-n', namespace, '-o', 'json'])) as {
      items: unknown[]
    }
    assert.equal(events.items.length, 1)
  })

  test('nothing asked of the server was malformed', async () => {
    const lines = (await readFile(server.auditLog, 'utf8')).trim().split('\n')
    const ours = lines
      .map(
        (line) =>
          JSON.parse(line) as {
            userAgent?: string
            verb: string
            requestURI: string
            responseStatus?: { code: number }
          },
      )
      .filter(({ userAgent }) => userAgent === 'streambridge-operator')
    assert.ok(ours.length > 20)
    const wrong = ours.filter(({ responseStatus }) => [400, 405, 415].includes(responseStatus?.code ?? 0))
    assert.deepEqual(wrong, [])
  })
})
