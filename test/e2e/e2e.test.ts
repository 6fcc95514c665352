/** The whole of StreamBridge on a real cluster. Needs KUBECONFIG, kubectl, helm and what `settings.ts` reads. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { assertWhole, tallyLine } from '../support/tally.ts'
import { temporaryDirectory } from '../support/server-process.ts'
import { auditPosition, readAudit } from './audit-log.ts'
import { findCanaries, gatherPlaces } from './canary.ts'
import { untilReplicas } from './disturbances.ts'
import { example, exampleFiles } from './examples.ts'
import { bridgeNamespace } from './flow.ts'
import { buildImage, installChart, operatorNamespace, uninstallChart } from './install.ts'
import {
  apply,
  type Bridge,
  find,
  isReady,
  kubectl,
  podsOf,
  restrictedNamespace,
  until,
  untilCondition,
} from './kubectl.ts'
import { objectsIn } from './leftovers.ts'
import { collectLogs, type LogCollector } from './log-collector.ts'
import { givenUp, moveThroughDisturbances } from './moving.ts'
import { readSettings } from './settings.ts'
import { applyBridges, setStage, type Stage } from './stage.ts'
import { tellWhatIsWrong } from './told.ts'

const settings = readSettings(process.env)
const say = (line: string): void => console.log(`# ${line}`)
const examplesNamespace = 'streambridge-examples'
const namespaces = [operatorNamespace, bridgeNamespace, examplesNamespace]

suite('on a cluster', { concurrency: 1 }, () => {
  let stage: Stage
  let logs: LogCollector
  let auditStart = 0
  const audit = { skip: settings.auditLog === undefined && 'AUDIT_LOG is not set' }
  const forbiddenSince = async (position: number): Promise<readonly string[]> =>
    (await readAudit(settings.auditLog ?? '', position, namespaces)).forbidden
  const auditNow = (): number => (settings.auditLog === undefined ? 0 : auditPosition(settings.auditLog))

  before(async () => {
    const staged = setStage(settings.host)
    await Promise.all([buildImage(settings), staged])
    stage = await staged
    await uninstallChart()
    auditStart = auditNow()
    logs = collectLogs(temporaryDirectory('e2e-logs'), namespaces)
    await installChart(settings)
    await applyBridges(stage)
    await restrictedNamespace(examplesNamespace)
  })

  after(async () => {
    await logs?.[Symbol.asyncDispose]()
    await stage?.stop()
    if (settings.keep) return
    await uninstallChart()
    for (const namespace of namespaces) await kubectl('delete', 'namespace', namespace, '--ignore-not-found')
  })

  test('the API server takes every example as it stands', async () => {
    for (const file of exampleFiles()) await apply(examplesNamespace, await example(file), '--dry-run=server')
  })

  test('nothing is lost, reordered or corrupt through kills, rotation, scaling and edits', async () => {
    const outcomes = await moveThroughDisturbances(stage, settings.records, say)
    const bounds = outcomes.map(({ target, bound }) => bound + givenUp(target, logs.read()))
    for (const [index, { direction, tally }] of outcomes.entries())
      say(`${direction}: ${tallyLine(tally, bounds[index])}`)
    for (const [index, { tally }] of outcomes.entries()) assertWhole(tally, bounds[index] ?? 0)
  })

  test('what is wrong with Pub/Sub or Event Hubs is a condition and the last error', async () => {
    const namespace = examplesNamespace
    const wrongKey = stage.canary('wrong event hubs key')
    for (const line of await tellWhatIsWrong(stage.pubsubAndEventHubs, { namespace, wrongKey })) say(line)
  })

  test('the value of a Secret is nowhere but in the Secret', async () => {
    const places = await gatherPlaces(namespaces)
    for (const [file, text] of logs.read()) places.set(`log ${file}`, text)
    for (const kind of ['log', 'metrics', 'report', 'environment', 'StreamBridge', 'ConfigMap', 'Event'])
      assert.ok(
        [...places].some(([place, text]) => place.startsWith(`${kind} `) && text.length > 20),
        `looked into no ${kind}`,
      )
    say(`looked for ${Object.keys(stage.canaries).length} values in ${places.size} places`)
    assert.deepEqual(findCanaries(places, stage.canaries), [])
  })

  test('the smallest example runs where Pod Security is restricted', async () => {
    await apply(examplesNamespace, await example('generator-to-console.yaml'))
    await untilReplicas({ namespace: examplesNamespace, bridge: 'hello' }, 1)
    await untilCondition(examplesNamespace, 'hello', { type: 'Ready', status: 'True' })
  })

  test('records are changed on the way; an expression that is wrong changes a condition and nothing else, a right one rolls out', async () => {
    const [namespace, name] = [examplesNamespace, 'access-log-errors']
    await apply(namespace, await example('access-log-errors.yaml'))
    await untilCondition(namespace, name, { type: 'Ready', status: 'True' })
    const filtered = await until(
      'the status tells what was left out',
      60,
      async () => (await find<Bridge>('streambridge', namespace, name))?.status?.steps?.[1]?.filtered ?? 0,
      (count) => count > 0,
    )
    say(`${filtered} records left out by ${name}`)
    const before = (await podsOf(namespace, name)).map(({ metadata }) => metadata.uid)
    const write = (filter: string): Promise<string> => {
      const patch = JSON.stringify([{ op: 'replace', path: '/spec/transforms/1/filter', value: filter }])
      return kubectl('patch', 'sbr', name, '--namespace', namespace, '--type=json', '-p', patch)
    }
    await write('value.state >= 400 && valu.x')
    const wrong = { type: 'ConfigValid', status: 'False', reason: 'InvalidSpec' }
    await untilCondition(namespace, name, wrong)
    const conditions = (await find<Bridge>('streambridge', namespace, name))?.status?.conditions
    const said = conditions?.find(({ type }) => type === 'ConfigValid')?.message
    assert.match(said ?? '', /^spec\.transforms\[1\]\.filter: Unknown variable: valu \(line 1, column 23\)/)
    const meanwhile = await podsOf(namespace, name)
    assert.deepEqual(
      meanwhile.map(({ metadata }) => metadata.uid),
      before,
    )
    assert.ok(meanwhile.every(isReady))
    await write('value.status >= 500')
    await until(
      'the new expression runs',
      120,
      async () => (await podsOf(namespace, name)).filter(isReady).map(({ metadata }) => metadata.uid),
      (uids) => uids.length === 1 && !before.includes(uids[0] ?? ''),
    )
    await untilCondition(namespace, name, { type: 'Ready', status: 'True' })
  })

  test('nobody asked for anything he may not do', audit, async () => {
    const { forbidden, used } = await readAudit(settings.auditLog ?? '', auditStart, namespaces)
    for (const [what, times] of [...used].sort(([one], [other]) => one.localeCompare(other))) say(`${times} × ${what}`)
    assert.deepEqual(forbidden, [])
  })

  test('a deleted bridge leaves nothing behind', async () => {
    const deleted = auditNow()
    for (const namespace of [bridgeNamespace, examplesNamespace]) {
      await kubectl('delete', 'sbr', '--all', '--namespace', namespace, '--timeout=60s')
      await until(
        `${namespace} is empty`,
        90,
        () => objectsIn(namespace),
        (objects) => objects.length === 0,
      )
    }
    if (settings.auditLog !== undefined) assert.deepEqual(await forbiddenSince(deleted), [])
  })

  test('in namespaced mode only the watched namespaces are served', async () => {
    await uninstallChart()
    const start = auditNow()
    await installChart(settings, 'rbac.scope=namespaced', `watchNamespaces={${examplesNamespace}}`, 'replicas=2')
    for (const namespace of [bridgeNamespace, examplesNamespace])
      await apply(namespace, await example('generator-to-console.yaml'))
    await untilCondition(examplesNamespace, 'hello', { type: 'Ready', status: 'True' })
    assert.deepEqual(await objectsIn(bridgeNamespace), ['StreamBridge/hello'])
    if (settings.auditLog !== undefined) assert.deepEqual(await forbiddenSince(start), [])
  })
})
