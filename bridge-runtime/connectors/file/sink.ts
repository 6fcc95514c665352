import { constants } from 'node:fs'
import { access, type FileHandle, open } from 'node:fs/promises'
import { bytes } from '../../../crds/kit/units.ts'
import type { Sink } from '../../core/contracts.ts'
import { jsonLines } from '../fields/json-line.ts'
import { fileError } from './errors.ts'
import type { FileSinkConfig } from './schema.ts'

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/**
 * Appends JSON lines. A batch is one system call, so several processes of one machine can share the file. With rotation all of
 * them write to the highest-numbered file, so that reading path, path.1, path.2, ... in turn keeps each key's order.
 *
 * *Guarantees*: delivered means on disk (fdatasync). After a torn write the next one begins on a new line.
 */
export function openFileSink(config: FileSinkConfig): Promise<Sink> {
  const limit = config.rotation === undefined ? Number.POSITIVE_INFINITY : bytes(config.rotation.maxBytes)
  let number = 0
  let handle: FileHandle | undefined
  // One append at a time: the lanes of several partitions share the file.
  let queue: Promise<unknown> = Promise.resolve()

  const path = (index: number): string => (index === 0 ? config.path : `${config.path}.${index}`)

  const openFile = (): Promise<FileHandle> =>
    open(path(number), constants.O_APPEND | constants.O_CREAT | constants.O_RDWR, 0o644)

  /** False after a torn write, by this process or by one that was killed. */
  const endsWithNewline = async (file: FileHandle): Promise<boolean> => {
    const { size } = await file.stat()
    if (size === 0) return true
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
    return buffer.toString() === '\n'
  }

  const current = async (): Promise<FileHandle> => {
    handle ??= await openFile()
    if (limit === Number.POSITIVE_INFINITY) return handle
    while ((await handle.stat()).size >= limit || (await exists(path(number + 1)))) {
      await handle.close()
      handle = undefined
      number += 1
      handle = await openFile()
    }
    return handle
  }

  const append = async (text: string): Promise<void> => {
    try {
      const file = await current()
      const lines = Buffer.from((await endsWithNewline(file)) ? text : `\n${text}`)
      // One system call, which others that append wait for; `appendFile` makes several of a large text.
      const { bytesWritten } = await file.write(lines)
      // A file takes less than it is given when there is no room for the rest.
      if (bytesWritten < lines.length) throw Object.assign(new Error('short write'), { code: 'ENOSPC' })
      await file.datasync()
    } catch (thrown) {
      throw fileError(path(number), thrown)
    }
  }

  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    const turn = queue.then(task)
    queue = turn.catch(() => undefined)
    return turn
  }

  return Promise.resolve({
    limits: { maxRecords: 5000, maxBytes: 4 * 1024 * 1024 },
    open: () =>
      inTurn(
        async () => void (await current().catch((thrown: unknown) => Promise.reject(fileError(path(number), thrown)))),
      ),
    // The text is made in its turn: that of one batch is in memory, not of every lane.
    write: (batch) =>
      inTurn(async () => {
        const { text, result } = jsonLines(batch)
        if (text !== '') await append(text)
        return result
      }),
    [Symbol.asyncDispose]: () => inTurn(async () => handle?.close()),
  })
}
