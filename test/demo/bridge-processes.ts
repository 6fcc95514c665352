/** The local processes of a bridge under `streambridge dev`, as the machine's process list shows them. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** Process ids of the replicas of one bridge that the process `parent` started. */
export async function replicasOf(bridge: string, parent: number): Promise<readonly number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'pid=,ppid=,command='])
  const found: number[] = []
  for (const line of stdout.split('\n')) {
    const match = /^\s*(\d+)\s+(\d+)\s.* bridge --config (\S+)/.exec(line)
    if (match === null || Number(match[2]) !== parent) continue
    const file = await readFile(match[3] ?? '', 'utf8').catch(() => '{}')
    if ((JSON.parse(file) as { readonly name?: string }).name === bridge) found.push(Number(match[1]))
  }
  return found
}
