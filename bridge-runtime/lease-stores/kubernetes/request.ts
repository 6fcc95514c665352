/** The few lines of HTTP that a pod needs to reach its own API server. */
import { readFile, stat } from 'node:fs/promises'
import * as http from 'node:http'
import * as https from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { BridgeError } from '../../core/errors.ts'

export interface KubernetesAnswer {
  readonly status: number
  readonly body: unknown
}

/** Answers with any HTTP status. Rejects with a retryable BridgeError when there is no answer within the deadline. */
export type KubernetesRequest = (
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: object,
) => Promise<KubernetesAnswer>

export interface KubernetesRequestOptions {
  /** `https://10.96.0.1:443`; plain http only in tests. */
  readonly url: string
  /** Holds `token` and `ca.crt`, as mounted into a pod; absent: no credentials. */
  readonly accountDirectory?: string
  /** Milliseconds for one request. */
  readonly deadline?: number
}

/** Where the kubelet mounts a pod's service account. */
const mounted = '/var/run/secrets/kubernetes.io/serviceaccount'

/** The API server as a pod's environment names it. Throws a TypeError outside a pod. */
export function inClusterRequest(environment: Readonly<Record<string, string | undefined>>): KubernetesRequest {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = environment
  if (host === undefined) throw new TypeError('KUBERNETES_SERVICE_HOST is not set: this is not a pod')
  return kubernetesRequest({
    url: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    accountDirectory: mounted,
  })
}

export function kubernetesRequest({
  url,
  accountDirectory,
  deadline = 4_000,
}: KubernetesRequestOptions): KubernetesRequest {
  const base = new URL(url)
  const plain = base.protocol === 'http:'
  const { request } = plain ? http : https
  const token = accountDirectory === undefined ? undefined : fileContent(join(accountDirectory, 'token'))
  const authority = accountDirectory === undefined ? undefined : fileContent(join(accountDirectory, 'ca.crt'))
  const agents = new Map<string, http.Agent>()

  /** One pool of connections per certificate authority, which may be rotated. */
  const agentFor = (ca: string | undefined): http.Agent => {
    const known = agents.get(ca ?? '')
    if (known !== undefined) return known
    for (const agent of agents.values()) agent.destroy()
    agents.clear()
    const agent = plain
      ? new http.Agent({ keepAlive: true })
      : new https.Agent({ keepAlive: true, ...(ca === undefined ? {} : { ca }) })
    agents.set(ca ?? '', agent)
    return agent
  }

  const send = async (method: string, path: string, body: object | undefined): Promise<KubernetesAnswer> => {
    const [bearer, ca] = await Promise.all([token?.(), authority?.()])
    const payload = body === undefined ? undefined : JSON.stringify(body)
    const headers = {
      accept: 'application/json',
      // Without a length Node sends the body of a DELETE as if it were the next request.
      ...(payload === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(payload)) }),
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    }
    const signal = AbortSignal.timeout(deadline)
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const sent = request(new URL(path, base), { method, headers, agent: agentFor(ca), signal }, resolve)
      sent.on('error', reject)
      sent.end(payload)
    })
    return { status: response.statusCode ?? 0, body: parsed(await text(response)) }
  }

  return async (method, path, body) => {
    try {
      return await send(method, path, body)
    } catch (thrown) {
      throw new BridgeError(`Kubernetes API ${base.host}: ${reasonOf(thrown, deadline)}`, {
        kind: 'retryable',
        reason: 'LeaseStoreUnavailable',
        cause: thrown,
      })
    }
  }
}

/** Error bodies need not be JSON. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

function reasonOf(thrown: unknown, deadline: number): string {
  if (!(thrown instanceof Error)) return String(thrown)
  return thrown.name === 'AbortError' || thrown.name === 'TimeoutError'
    ? `no answer within ${deadline} ms`
    : thrown.message
}

/** A file's text without surrounding blanks, read again when the file has changed: the kubelet rotates tokens. */
function fileContent(path: string): () => Promise<string> {
  let known: { readonly changed: number; readonly text: string } | undefined
  return async () => {
    const { mtimeMs } = await stat(path)
    if (known?.changed !== mtimeMs) known = { changed: mtimeMs, text: (await readFile(path, 'utf8')).trim() }
    return known.text
  }
}
