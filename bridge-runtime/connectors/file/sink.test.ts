import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { allDelivered, type SinkBatch } from '../../core/contracts.ts'
import { openFileSink } from './sink.ts'
import { sinkBatch } from '../../../test/support/sink-batch.ts'

async function filePath(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'file-sink-'))
  t.after(() => rm(directory, { recursive: true }))
  return join(directory, 'out.jsonl')
}

const batchOf = (partition: string, first: number, count: number): SinkBatch =>
  sinkBatch(
    Array.from({ length: count }, (_, index) => ({ value: Buffer.alloc(1024, 97 + (index % 26)) })),
    { stream: 'test', partition, position: first },
  )

const write = async (sink: Awaited<ReturnType<typeof openFileSink>>, batch: SinkBatch): Promise<void> => {
  assert.equal(await sink.write(batch, new AbortController().signal), allDelivered)
}

const idsIn = async (path: string): Promise<string[]> =>
  (await readFile(path, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { readonly id: string }).id)

test('batches of megabytes from sinks that share a file stay whole and in their order', async (t) => {
  const path = await filePath(t)
  const [count, batches] = [2_000, 10]
  const fill = async (name: string): Promise<void> => {
    await using sink = await openFileSink({ path })
    for (let at = 0; at < batches; at += 1) await write(sink, batchOf(name, at * count, count))
  }
  const names = ['a', 'b', 'c']
  await Promise.all(names.map(fill))
  const ids = await idsIn(path)
  for (const name of names) {
    const own = ids.filter((id) => id.startsWith(`test/${name}/`))
    assert.deepEqual(
      own,
      Array.from({ length: count * batches }, (_, index) => `test/${name}/${index}`),
    )
  }
})

test('behind a write that was torn by a kill the next one begins on a new line', async (t) => {
  const path = await filePath(t)
  await writeFile(path, '{"id":"test/0/0"}\n{"id":"test/0/1","val')
  await using sink = await openFileSink({ path })
  await write(sink, batchOf('0', 1, 2))
  const lines = (await readFile(path, 'utf8')).split('\n')
  assert.equal(lines[1], '{"id":"test/0/1","val')
  assert.deepEqual(
    [lines[2], lines[3]].map((line) => (JSON.parse(line ?? '') as { readonly id: string }).id),
    ['test/0/1', 'test/0/2'],
  )
})
