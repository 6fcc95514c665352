import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
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

describe('two operators and one lease', { concurrency: 1 }, () => {
  let server: KubeApiServer
  const started: ChildProcess[] = []
  before(async () => {
    server = await startKubeApiServer()
  })
  after(async () => {
    for (const child of started) child.kill('SIGKILL')
    await server.stop()
  })

  const start = (identity: string) => {
    const child = spawn(process.execPath, [program, server.kubeconfigPath, identity], {
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

  for (const signal of ['SIGSTOP', 'SIGKILL'] as const)
    test(`writes never overlap when the leader gets ${signal}`, async () => {
      const [first, second] = [`first-${signal.toLowerCase()}`, `second-${signal.toLowerCase()}`]
      const leader = start(first)
      await leader.says('leading')
      const follower = start(second)
      await follower.says('campaigning')
      await eventually(
        'the leader writes',
        () => writesOf(first),
        ({ length }) => length > 5,
      )
      leader.child.kill(signal)
      await follower.says('leading')
      await eventually(
        'the follower writes',
        () => writesOf(second),
        ({ length }) => length > 5,
      )
      if (signal === 'SIGSTOP') {
        const exited = once(leader.child, 'exit')
        leader.child.kill('SIGCONT')
        assert.deepEqual(await exited, [3, null])
      }
      const [last, next] = [Math.max(...(await writesOf(first))), Math.min(...(await writesOf(second)))]
      assert.ok(last < next, `the first wrote ${last - next} ms after the second had begun`)
      const gone = once(follower.child, 'exit')
      follower.child.kill('SIGKILL')
      await gone
    })
})
