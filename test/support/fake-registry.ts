/** A schema registry with Confluent's API, in memory, that fails when it is told to. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export interface FakeRegistry {
  readonly url: string
  /** `GET /schemas/ids/1`, in the order they came. */
  readonly asked: string[]
  /** Answers with this instead, while it is set. */
  fault: { readonly status: number; readonly body?: object } | undefined
  /** Registers under the next id, or under this one. */
  add(subject: string, schema: string, id?: number): number
}

/** @param authorization what a request must carry */
export async function startFakeRegistry(t: TestContext, authorization?: string): Promise<FakeRegistry> {
  const byId = new Map<number, string>()
  const subjects = new Map<string, number[]>()
  const registry: Omit<FakeRegistry, 'url'> = {
    asked: [],
    fault: undefined,
    add(subject, schema, wanted) {
      const known = [...byId].find(([, text]) => text === schema)?.[0]
      const id = wanted ?? known ?? byId.size + 1
      byId.set(id, schema)
      subjects.set(subject, [...(subjects.get(subject) ?? []), id])
      return id
    },
  }

  const schemaAnswer = (id: number): readonly [number, object] => {
    const schema = byId.get(id)
    return schema === undefined ? [404, { error_code: 40403, message: 'Schema not found' }] : [200, { schema }]
  }

  const latest = (ids: readonly number[]): readonly [number, object] => {
    const last = ids.at(-1)
    return last === undefined
      ? [404, { error_code: 40401, message: 'Subject not found' }]
      : [200, { id: last, schema: byId.get(last) }]
  }

  const answer = (path: string, body: string): readonly [number, object] => {
    const [, id] = /^\/schemas\/ids\/(\d+)$/.exec(path) ?? []
    if (id !== undefined) return schemaAnswer(Number(id))
    const [, name = '', rest = ''] = /^\/subjects\/([^/]+)(.*)$/.exec(path) ?? []
    const subject = decodeURIComponent(name)
    const ids = subjects.get(subject) ?? []
    if (rest === '/versions/latest') return latest(ids)
    const { schema } = JSON.parse(body) as { readonly schema: string }
    const found = ids.find((one) => byId.get(one) === schema)
    if (rest === '/versions') return [200, { id: found ?? registry.add(subject, schema) }]
    return found === undefined ? schemaAnswer(-1) : [200, { id: found, schema }]
  }

  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const { method = '', url = '' } = request
      registry.asked.push(`${method} ${url}`)
      const refused = authorization !== undefined && request.headers.authorization !== authorization
      const [status, content] = registry.fault
        ? [registry.fault.status, registry.fault.body ?? {}]
        : refused
          ? [401, {}]
          : answer(url, body)
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content))
    })
  }

  const server = createServer(serve)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return Object.assign(registry, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}
