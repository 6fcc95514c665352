/** One request to a registry: JSON both ways, bounded in time and size, no redirects. */
import { request as plain } from 'node:http'
import { request as secure } from 'node:https'

export interface Asking {
  readonly url: string
  readonly path: string
  /** Absent: GET. */
  readonly body?: object
  /** Milliseconds. */
  readonly timeout: number
  readonly authorization: string | undefined
  readonly ca: Buffer | undefined
  readonly cert: Buffer | undefined
  readonly key: Buffer | undefined
  readonly verify: boolean
}

export interface Answer {
  readonly status: number
  /** Empty where it is no JSON object. */
  readonly body: Readonly<Record<string, unknown>>
}

const contentType = 'application/vnd.schemaregistry.v1+json'
/** Bytes of an answer. A larger one is no schema. */
const mostBytes = 4 * 1024 * 1024

/** Rejects when there is no answer, or it is too large. */
export function ask(asking: Asking, signal: AbortSignal): Promise<Answer> {
  const { url, path, body, timeout, authorization, ca, cert, key, verify } = asking
  const target = new URL(`${url.replace(/\/$/, '')}${path}`)
  const sent = body === undefined ? undefined : JSON.stringify(body)
  const headers = {
    accept: `${contentType}, application/json`,
    ...(sent !== undefined && { 'content-type': contentType, 'content-length': Buffer.byteLength(sent) }),
    ...(authorization !== undefined && { authorization }),
  }
  const options = {
    method: sent === undefined ? 'GET' : 'POST',
    headers,
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
    agent: false,
  } as const
  return new Promise((resolve, reject) => {
    const request =
      target.protocol === 'https:'
        ? secure(target, { ...options, ca, cert, key, rejectUnauthorized: verify })
        : plain(target, options)
    request.on('error', reject)
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > mostBytes) request.destroy(new Error('the answer is too large'))
        else chunks.push(chunk)
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: objectOf(Buffer.concat(chunks)) }))
    })
    request.end(sent)
  })
}

function objectOf(bytes: Buffer): Answer['body'] {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Answer['body']) : {}
  } catch {
    return {}
  }
}
