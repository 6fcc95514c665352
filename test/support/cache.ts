/** What tests fetch or build once per machine, kept outside the clone. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** `${XDG_CACHE_HOME:-~/.cache}/streambridge`. */
export const cacheRoot = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'streambridge')

/** Something this machine lacks. The message says what, and how to get it. */
export class MissingTool extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'MissingTool'
  }
}

/**
 * The folder `name` of the cache, filled by `build` when it is not there yet. `build` gets an empty folder that appears
 * under its name only when it succeeds, so what is there is whole. One process builds; the others wait for it.
 */
export async function cached(name: string, build: (directory: string) => Promise<void>): Promise<string> {
  const directory = join(cacheRoot, name)
  if (existsSync(directory)) return directory
  mkdirSync(cacheRoot, { recursive: true })
  const release = await lock(`${directory}.lock`)
  try {
    if (existsSync(directory)) return directory
    const unfinished = `${directory}.building`
    rmSync(unfinished, { recursive: true, force: true })
    mkdirSync(unfinished)
    await build(unfinished)
    renameSync(unfinished, directory)
    return directory
  } finally {
    release()
  }
}

/** Holds a lock file with this process's id. A lock whose process is gone is nobody's. */
async function lock(path: string): Promise<() => void> {
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' })
      return () => rmSync(path, { force: true })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    if (!isHeld(path)) rmSync(path, { force: true })
    else await sleep(200)
  }
}

function isHeld(path: string): boolean {
  try {
    const pid = Number(readFileSync(path, 'utf8'))
    if (pid > 0) process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
