import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { after, afterEach, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { eventually } from '../../support/eventually.ts'
import { type KubeApiServer, startKubeApiServer } from '../../support/kube-api-server.ts'

const program = fileURLToPath(new URL('leader-process.ts', import.meta.url))

interface AuditLine {
  readonly verb: string
  readonly requestURI: string
  readonly requestReceivedTimestamp: string
  readonly objectRef?: { readonly name?: string }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

describe('two operators and one lease', { concurrency: 1 }, () => {
  let server: KubeApiServer
  const started: ChildProcess[] = []
  let pairs = 0
  before(async () => {
    server = await startKubeApiServer()
  })
  // Also after a failure: the next two would wait for a lease that is held.
  afterEach(async () => {
    await Promise.all(started.splice(0).map(killed))
  })
  after(() => server.stop())

  const start = (identity: string, place = '') => {
    const child = spawn(process.execPath, [program, server.kubeconfigPath, identity, place], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    started.push(child)
    const lines: string[] = []
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
    const says = (line: string) => eventually(`${identity} is ${line}`, () => lines.includes(line))
    return { child, says }
  }

  /** Milliseconds since the epoch, by the API server's clock. */
  const writesOf = async (identity: string): Promise<number[]> => {
    const lines = (await readFile(server.auditLog, 'utf8')).trim().split('\n')
    return lines
      .map((line) => JSON.parse(line) as AuditLine)
      .filter(({ verb, objectRef }) => verb === 'patch' && objectRef?.name === `written-by-${identity}`)
      .map(({ requestReceivedTimestamp }) => Date.parse(requestReceivedTimestamp))
  }

  const hasWritten = (identity: string) =>
    eventually(
      `${identity} writes`,
      () => writesOf(identity),
      ({ length }) => length > 5,
    )

  /** A leader that writes, and another replica that waits for the lease. */
  const pair = async (place = '') => {
    const [first, second] = [`first-${++pairs}`, `second-${pairs}`]
    const leader = start(first, place)
    await leader.says('leading')
    const follower = start(second)
    await follower.says('campaigning')
    await hasWritten(first)
    return { leader: leader.child, follower, first, second }
  }

  const neverOverlapped = async (first: string, second: string): Promise<void> => {
    const [last, next] = [Math.max(...(await writesOf(first))), Math.min(...(await writesOf(second)))]
    assert.ok(last < next, `the first wrote ${last - next} ms after the second had begun`)
  }

  for (const place of ['between writes', 'connecting'])
    test(`a leader that is stopped ${place} writes nothing after the next has begun`, async () => {
      const { leader, follower, first, second } = await pair(place)
      leader.kill('SIGUSR2')
      await follower.says('leading')
      await hasWritten(second)
      const exited = once(leader, 'exit')
      leader.kill('SIGCONT')
      assert.deepEqual(await exited, [3, null])
      await neverOverlapped(first, second)
    })

  test('a leader that is killed is followed, and their writes do not overlap', async () => {
    const { leader, follower, first, second } = await pair()
    leader.kill('SIGKILL')
    await follower.says('leading')
    await hasWritten(second)
    await neverOverlapped(first, second)
  })
})
