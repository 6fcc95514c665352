/** What a process and its children have used, from Linux's /proc. */
import { readdirSync, readFileSync } from 'node:fs'

/** Linux tells processor time in hundredths of a second on every architecture (USER_HZ). */
const ticksPerSecond = 100

/** Processor seconds of the process, of its children that have ended, and of its running descendants. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field is a name in parentheses and may hold anything: fields count from behind it, the third one first.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const own = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0) / ticksPerSecond
  return children(pid).reduce((sum, child) => sum + cpuSeconds(child), own)
}

/** The most memory the process ever held, in bytes. */
export function peakBytes(pid: number): number {
  const found = /^VmHWM:\s+([0-9]+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  if (found?.[1] === undefined) throw new Error(`process ${pid} is gone`)
  return Number(found[1]) * 1024
}

const children = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
