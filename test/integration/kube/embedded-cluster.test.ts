import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { realClock } from '../../../bridge-runtime/core/clock.ts'
import { silentLogger } from '../../../bridge-runtime/observability/logger.ts'
import { eventually } from '../../support/eventually.ts'
import type { Container } from '../../../operator/kube/pod-spec.ts'
import { configMaps, type Deployment, deployments, type Pod, pods, secrets } from '../../../operator/kube/resources.ts'
import { type EmbeddedCluster, startEmbeddedCluster } from '../../../operator/embedded/cluster.ts'
import { runAsProcesses } from '../../../operator/embedded/kubelet/processes.ts'
import { isReady } from '../../../operator/embedded/deployments/rollout.ts'

/** A pod that serves its arguments, environment and mounted files, becomes ready, and does as it is told. */
const program = `
import { createServer } from 'node:http'
import { existsSync, readFileSync, statSync } from 'node:fs'
const option = (name) => process.argv[process.argv.indexOf('--' + name) + 1]
console.log('started', option('version'))
const server = createServer((request, response) => {
  if (request.url === '/crash') process.exit(3)
  const file = option('secrets') + '/broker/password'
  const body = { args: process.argv.slice(2), pod: process.env.POD_NAME, canary: process.env.CANARY }
  if (existsSync(file)) Object.assign(body, { password: readFileSync(file, 'utf8'), mode: statSync(file).mode & 0o777 })
  response.writeHead(request.url === '/readyz' && existsSync(option('unready')) ? 503 : 200)
  response.end(JSON.stringify(body))
})
server.listen(Number(option('port')), '127.0.0.1')
if (option('stubborn') === 'yes') process.on('SIGTERM', () => console.log('ignored'))
else process.on('SIGTERM', () => process.exit(0))
`

interface Answer {
  readonly args: readonly string[]
  readonly pod: string
  readonly canary: string
  readonly password?: string
  readonly mode?: number
}

describe('a cluster in this process', { concurrency: 1 }, () => {
  const namespace = 'shop'
  let folder: string
  let cluster: EmbeddedCluster
  let lines: string[]

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'embedded-'))
    await writeFile(join(folder, 'program.mjs'), program)
    lines = []
    const runner = runAsProcesses({
      command: [process.execPath, join(folder, 'program.mjs')],
      environment: { PATH: process.env['PATH'] },
      folder,
      onLine: (pod, line) => lines.push(`${pod}: ${line}`),
    })
    cluster = startEmbeddedCluster({
      clock: realClock,
      random: Math.random,
      logger: silentLogger,
      runner,
      syncMilliseconds: 50,
      crashBackoff: { initial: 100, max: 1_000 },
    })
  })
  afterEach(async () => {
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  })

  interface Wanted {
    readonly replicas?: number
    readonly version?: string
    readonly stubborn?: 'yes' | 'no'
    readonly surge?: number
    readonly unavailable?: number
  }

  const apply = (wanted: Wanted = {}): Promise<Deployment> => {
    const { replicas = 1, version = '1', stubborn = 'no', surge = 0, unavailable = 1 } = wanted
    const paths = ['--config', '/config/bridge.json', '--secrets', '/secrets', '--unready', join(folder, 'unready')]
    const container: Container = {
      name: 'bridge',
      image: 'streambridge:1',
      args: [...paths, '--port', '8080', '--version', version, '--stubborn', stubborn],
      env: [
        { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'CANARY', value: 'sings' },
      ],
      ports: [{ name: 'http', containerPort: 8080 }],
      startupProbe: {
        httpGet: { path: '/startup', port: 'http' },
        periodSeconds: 0.05,
        timeoutSeconds: 20,
        failureThreshold: 500,
      },
      readinessProbe: {
        httpGet: { path: '/readyz', port: 'http' },
        periodSeconds: 0.05,
        timeoutSeconds: 20,
        failureThreshold: 1,
      },
      volumeMounts: [
        { name: 'config', mountPath: '/config' },
        { name: 'secrets', mountPath: '/secrets' },
      ],
    }
    const items = [{ key: 'password', path: 'broker/password' }]
    return cluster.api.apply(deployments, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'orders', namespace },
      spec: {
        replicas,
        selector: { matchLabels: { 'app.kubernetes.io/instance': 'orders' } },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } },
        template: {
          metadata: { labels: { 'app.kubernetes.io/instance': 'orders' } },
          spec: {
            terminationGracePeriodSeconds: 1,
            containers: [container],
            volumes: [
              { name: 'config', configMap: { name: 'orders' } },
              { name: 'secrets', projected: { sources: [{ secret: { name: 'broker', items } }] } },
            ],
          },
        },
      },
    })
  }

  const makeFiles = async (password = 'first'): Promise<void> => {
    const data = { password: Buffer.from(password).toString('base64') }
    await cluster.api.apply(secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'broker', namespace },
      data,
    })
    const config = { 'bridge.json': '{}' }
    const metadata = { name: 'orders', namespace }
    await cluster.api.apply(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: config })
  }

  const allPods = async (): Promise<readonly Pod[]> => (await cluster.api.list(pods, { namespace })).items

  const readyPods = (count: number): Promise<readonly Pod[]> =>
    eventually(`${count} ready pods and no other`, allPods, (all) => all.length === count && all.every(isReady))

  const ask = async (pod: Pod | undefined, path = '/'): Promise<Answer> => {
    const port = pod?.spec.containers[0]?.ports?.[0]?.containerPort
    return (await (await fetch(`http://${pod?.status?.podIP}:${port}${path}`)).json()) as Answer
  }

  test('a Deployment runs its pods with files, environment and a port of their own', async () => {
    await makeFiles()
    await apply({ replicas: 2 })
    const running = await readyPods(2)
    const answers = await Promise.all(running.map((pod) => ask(pod)))
    assert.deepEqual(answers.map(({ pod }) => pod).sort(), running.map(({ metadata }) => metadata.name).sort())
    const nothing: Answer = { args: [], pod: '', canary: '' }
    const [{ args, canary, password, mode } = nothing] = answers
    assert.deepEqual([canary, password, mode], ['sings', 'first', 0o600])
    assert.ok(args[1]?.startsWith(folder) && args[1].endsWith('/config/bridge.json'), args[1])
    const status = await eventually(
      'the status says so',
      async () => (await cluster.api.get(deployments, { namespace, name: 'orders' }))?.status,
      (status) => status?.availableReplicas === 2,
    )
    assert.deepEqual([status?.observedGeneration, status?.updatedReplicas, status?.replicas], [1, 2, 2])
    assert.deepEqual(
      status?.conditions?.map(({ type, status }) => `${type}=${status}`),
      ['Available=True', 'Progressing=True'],
    )
  })

  test('a pod waits for its Secret and says so', async () => {
    await apply()
    await eventually('the pod waits', allPods, ([pod]) => {
      const waiting = pod?.status?.containerStatuses?.[0]?.state?.waiting
      return waiting?.reason === 'ContainerCreating' && /"orders" not found/.test(waiting.message ?? '')
    })
    await makeFiles()
    await readyPods(1)
  })

  test('a changed Secret reaches the running pod', async () => {
    await makeFiles()
    await apply()
    const [pod] = await readyPods(1)
    await makeFiles('second')
    await eventually(
      'the new password',
      () => ask(pod),
      ({ password }) => password === 'second',
    )
    assert.equal((await allPods())[0]?.status?.containerStatuses?.[0]?.restartCount, 0)
  })

  test('a container that exits is restarted, and one that keeps exiting waits longer', async () => {
    await makeFiles()
    await apply()
    const [pod] = await readyPods(1)
    await ask(pod, '/crash').catch(() => undefined)
    const restarted = await eventually('one restart', allPods, ([pod]) => {
      return pod?.status?.containerStatuses?.[0]?.restartCount === 1 && isReady(pod)
    })
    assert.equal(restarted[0]?.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 3)
    await ask(pod, '/crash').catch(() => undefined)
    await eventually('a wait', allPods, ([pod]) => {
      return pod?.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff'
    })
    await readyPods(1)
  })

  test('a pod that is deleted is ended and replaced', async () => {
    await makeFiles()
    await apply()
    const [pod] = await readyPods(1)
    const { name = '', uid = '' } = pod?.metadata ?? {}
    await cluster.api.remove(pods, { namespace, name }, { uid })
    const [next] = await eventually(
      'another pod',
      () => readyPods(1),
      ([next]) => next?.metadata.uid !== uid,
    )
    assert.notEqual(next?.metadata.name, name)
    await assert.rejects(ask(pod))
  })

  test('a process that ignores SIGTERM is killed after its grace', async () => {
    await makeFiles()
    await apply({ stubborn: 'yes' })
    const [pod] = await readyPods(1)
    await apply({ stubborn: 'yes', replicas: 0 })
    await readyPods(0)
    await assert.rejects(ask(pod))
    assert.ok(
      lines.some((line) => line.endsWith(': ignored')),
      lines.join('\n'),
    )
  })

  for (const { surge, unavailable } of [
    { surge: 0, unavailable: 1 },
    { surge: 1, unavailable: 0 },
  ])
    test(`a rollout with surge ${surge} and ${unavailable} unavailable keeps within both`, async () => {
      await makeFiles()
      await apply({ replicas: 3, surge, unavailable })
      await readyPods(3)
      let most = 0
      let fewest = 3
      const stop = new AbortController()
      const { resourceVersion } = await cluster.api.list(pods, { namespace })
      const watching = (async () => {
        const options = { namespace, resourceVersion, timeoutSeconds: 120 }
        for await (const _event of cluster.api.watch(pods, options, stop.signal)) {
          const active = (await allPods()).filter(({ metadata }) => metadata.deletionTimestamp === undefined)
          most = Math.max(most, active.length)
          fewest = Math.min(fewest, active.filter(isReady).length)
        }
      })()
      await apply({ replicas: 3, surge, unavailable, version: '2' })
      await eventually('all pods new and ready', allPods, (all) => {
        const versions = all.map(({ spec }) => spec.containers[0]?.args?.at(-3))
        return all.length === 3 && all.every(isReady) && versions.every((version) => version === '2')
      })
      stop.abort()
      await watching
      assert.equal(most, 3 + surge)
      assert.equal(fewest, 3 - 1 * unavailable)
    })

  test('a pod whose probe fails is not ready until it succeeds again', async () => {
    await makeFiles()
    await apply({ replicas: 2 })
    await readyPods(2)
    await writeFile(join(folder, 'unready'), '')
    await eventually('unready', allPods, (all) => all.every((pod) => !isReady(pod)))
    await rm(join(folder, 'unready'))
    await readyPods(2)
  })

  test('deleting the Deployment ends its pods and leaves no files', async () => {
    await makeFiles()
    const { metadata } = await apply({ replicas: 2 })
    const running = await readyPods(2)
    await cluster.api.remove(deployments, { namespace, name: 'orders' }, { uid: metadata.uid ?? '' })
    await readyPods(0)
    for (const pod of running) await assert.rejects(ask(pod))
    assert.deepEqual(await readdir(folder), ['program.mjs'])
  })
})
