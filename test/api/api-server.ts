/** A real API server with the generated CustomResourceDefinition, and plain requests to it. */
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { group, plural, version } from '../../crds/schema/streambridge.ts'
import { installCrd } from '../support/install-crd.ts'
import { type KubeApiServer, startKubeApiServer } from '../support/kube-api-server.ts'

export const crdName = `${plural}.${group}`

export interface Answer {
  readonly status: number
  // oxlint-disable-next-line typescript/no-explicit-any -- a test may look into any answer
  readonly body: any
}

export interface Ask {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below the namespace's StreamBridges: `/orders/status?dryRun=All`. */
  readonly path?: string
  readonly body?: unknown
}

export interface StreamBridges extends AsyncDisposable {
  readonly server: KubeApiServer
  /** Asks for the StreamBridges of the namespace `default`. */
  ask(ask: Ask): Promise<Answer>
}

/** Resolves once the resource is served. */
export async function startWithCrd(): Promise<StreamBridges> {
  const server = await startKubeApiServer()
  const ask = (options: Ask): Promise<Answer> => send(server, options)
  await installCrd(server)
  return { server, ask, [Symbol.asyncDispose]: () => server.stop() }
}

async function send({ url, ca, token }: KubeApiServer, { method = 'GET', path = '', body }: Ask): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const target = `${url}/apis/${group}/${version}/namespaces/default/${plural}${path}`
  const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(target, { method, ca, headers, agent: false }, resolve)
    outgoing.on('error', reject)
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  })
  const printed = await text(incoming)
  return {
    status: incoming.statusCode ?? 0,
    body: printed.startsWith('{') ? JSON.parse(printed) : { message: printed },
  }
}
