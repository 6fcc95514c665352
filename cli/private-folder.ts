/** A folder for what must not outlive a process and concerns nobody else: decrypted Secrets, the files of local pods. */
import { rmSync } from 'node:fs'
import { lstat, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const prefix = 'streambridge-local-'
/** A socket that its owner listens on: unlike a process id it cannot come to mean somebody else, and it dies with the process. */
const socketName = 'owner'
/** Milliseconds a new folder may be without its socket. */
const beginning = 60_000

export interface PrivateFolder extends AsyncDisposable {
  readonly path: string
}

/**
 * Makes one that only this user may enter. It is gone when it is disposed and when this process exits; what was left by
 * one that was killed is removed here, at the next start.
 */
export async function privateFolder(parent = tmpdir()): Promise<PrivateFolder> {
  await removeOrphans(parent)
  // `mkdtemp` makes it with mode 0700.
  const path = await mkdtemp(join(parent, prefix))
  const remove = (): void => rmSync(path, { recursive: true, force: true })
  process.on('exit', remove)
  const lock = await own(path).catch((cause: unknown) => {
    remove()
    throw new Error(
      `${path} cannot be made ours; set TMPDIR to a folder with a short name, on a disk of this machine`,
      {
        cause,
      },
    )
  })
  return {
    path,
    async [Symbol.asyncDispose]() {
      process.off('exit', remove)
      await rm(path, { recursive: true, force: true })
      lock.close()
    },
  }
}

/** Listens, and only then gives the socket its name: one of this name that nobody answers at has lost its owner. */
async function own(path: string): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => undefined).destroy())
  const early = join(path, `${socketName}.new`)
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject)
    server.listen(early, resolve)
  })
  await rename(early, join(path, socketName))
  return server.unref()
}

async function removeOrphans(parent: string): Promise<void> {
  const names = (await readdir(parent)).filter((name) => name.startsWith(prefix))
  const paths = names.map((name) => join(parent, name))
  await Promise.all(
    paths.map(async (path) => {
      if (await orphaned(path)) await rm(path, { recursive: true, force: true })
    }),
  )
}

/** In doubt it is not. Never rejects. */
async function orphaned(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined || !found.isDirectory() || found.uid !== process.getuid?.()) return false
  const code = await knock(join(path, socketName))
  if (code === 'ENOENT') return Date.now() - found.mtimeMs > beginning
  return code === 'ECONNREFUSED'
}

/** The code of the error that a connection fails with; undefined when it is accepted. */
const knock = (socketPath: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const socket = connect(socketPath)
    socket.once('connect', () => {
      socket.destroy()
      resolve(undefined)
    })
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code))
  })
