/** Keeps the logs of every pod that ever runs in some namespaces, also of those that are killed. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { list, type Pod } from './kubectl.ts'

export interface LogCollector extends AsyncDisposable {
  /** What was printed so far, by `namespace_pod_uid.log`. */
  read(): ReadonlyMap<string, string>
}

/** Looks for new pods every second and follows each, one file per pod in `directory`. */
export function collectLogs(directory: string, namespaces: readonly string[]): LogCollector {
  const ours = new Set(namespaces)
  const followers = new Map<string, ChildProcess>()
  const stopping = new AbortController()
  const look = async (): Promise<void> => {
    const pods = await list<Pod>('pods', '--all-namespaces')
    for (const pod of pods.filter(({ metadata, status }) => ours.has(metadata.namespace) && status.phase !== 'Pending'))
      follow(pod, directory, followers)
  }
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await look().catch(() => undefined)
      await sleep(1_000, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }
  const running = run()
  return {
    read: () => new Map(readdirSync(directory).map((file) => [file, readFileSync(join(directory, file), 'utf8')])),
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await running
      for (const follower of followers.values()) follower.kill()
    },
  }
}

function follow({ metadata, status }: Pod, directory: string, followers: Map<string, ChildProcess>): void {
  // A restarted container has a log of its own.
  const restarts = status.containerStatuses?.[0]?.restartCount ?? 0
  const file = `${metadata.namespace}_${metadata.name}_${metadata.uid}_${restarts}.log`
  if (followers.has(file)) return
  const log = createWriteStream(join(directory, file))
  const follower = spawn('kubectl', ['logs', '--follow', '--namespace', metadata.namespace, metadata.name], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  follower.stdout.pipe(log, { end: false })
  follower.stderr.pipe(log, { end: false })
  followers.set(file, follower)
}
