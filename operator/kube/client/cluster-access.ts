/** Where the API server is and how to prove who we are: from the pod's service account, or from a kubeconfig. */
import { readFileSync } from 'node:fs'
import { Agent as HttpAgent } from 'node:http'
import { Agent, type AgentOptions, type RequestOptions } from 'node:https'
import type { Clock } from '../../../bridge-runtime/core/clock.ts'

export interface Connection {
  /** With the authorization. Never log it. */
  readonly headers: Readonly<Record<string, string>>
  readonly agent: HttpAgent
}

export interface ClusterAccess {
  readonly server: URL
  /** The namespace of the pod or of the kubeconfig's context. */
  readonly namespace: string | undefined
  /** Credentials for the next request. `fresh`: the last ones were refused, read them again. */
  connect(fresh: boolean): Promise<Connection>
  /** Closes idle connections. */
  close(): void
}

/** Idle connections are closed by us before a load balancer in between forgets them (the shortest usual limit is 60 s). */
const agentOptions: AgentOptions = { keepAlive: true, keepAliveMsecs: 15_000, maxFreeSockets: 16, timeout: 50_000 }

/** Remembers one agent and replaces it when the TLS settings change. */
function agentCache(secure: boolean) {
  let current: { readonly id: string; readonly agent: HttpAgent } | undefined
  return {
    for(tls: AgentOptions): HttpAgent {
      const id = JSON.stringify(tls)
      if (current?.id === id) return current.agent
      // Requests under way keep the old agent until they end; its idle sockets time out.
      const agent = secure ? new Agent({ ...agentOptions, ...tls }) : new HttpAgent(agentOptions)
      current = { id, agent }
      return agent
    },
    close: () => current?.agent.destroy(),
  }
}

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

/** The kubelet replaces the token well before it expires (at 80 % of its life), so a minute-old one is still good. */
const rereadMilliseconds = 60_000

export interface InClusterOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly folder?: string
}

/** The service account of this pod; undefined outside a cluster. Token and authority are read again every minute. */
export function inCluster({
  environment,
  clock,
  folder = serviceAccountFolder,
}: InClusterOptions): ClusterAccess | undefined {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = environment
  if (host === '') return undefined
  const read = (name: string): string => readFileSync(`${folder}/${name}`, 'utf8').trim()
  const agents = agentCache(true)
  let known: { readonly at: number; readonly connection: Connection } | undefined
  return {
    server: new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
    namespace: read('namespace'),
    async connect(fresh) {
      if (!fresh && known !== undefined && clock.monotonic() - known.at < rereadMilliseconds) return known.connection
      const connection = {
        headers: { authorization: `Bearer ${read('token')}` },
        agent: agents.for({ ca: read('ca.crt') }),
      }
      known = { at: clock.monotonic(), connection }
      return connection
    },
    close: agents.close,
  }
}

export interface KubeconfigOptions {
  /** Absent: KUBECONFIG, or ~/.kube/config. */
  readonly path?: string
  readonly context?: string
}

/**
 * A kubeconfig with all it may hold: client certificates, exec plugins, OIDC, proxies. The client library that knows
 * them is loaded only here: it costs half a second and 80 MB, which an operator in its pod need not pay.
 */
export async function fromKubeconfig({ path, context }: KubeconfigOptions = {}): Promise<ClusterAccess> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  const fault = loadFault(config, path)
  if (fault !== undefined) throw new Error(`kubeconfig ${path ?? 'of KUBECONFIG or ~/.kube/config'}: ${fault}`)
  if (context !== undefined) config.setCurrentContext(context)
  const name = config.getCurrentContext()
  const cluster = config.getCurrentCluster()
  if (cluster === null)
    throw new Error(
      `kubeconfig: context ${JSON.stringify(name)} names no cluster; choose one with kubectl config use-context`,
    )
  if (!URL.canParse(cluster.server))
    throw new Error(`kubeconfig: the server of context ${JSON.stringify(name)} is no URL, such as https://HOST:6443`)
  const server = new URL(cluster.server)
  const agents = agentCache(server.protocol === 'https:')
  return {
    server,
    namespace: config.getContextObject(name)?.namespace,
    async connect() {
      const options: RequestOptions = {}
      await config.applyToHTTPSOptions(options)
      const { ca, cert, key, rejectUnauthorized, servername, agent } = options
      const tls = Object.entries({ ca, cert, key, rejectUnauthorized, servername }).filter(
        ([, value]) => value !== undefined,
      )
      const usesProxy = cluster.proxyUrl !== undefined && agent instanceof HttpAgent
      return {
        headers: { ...(options.headers as Record<string, string>), ...basicAuth(options.auth) },
        agent: usesProxy ? agent : agents.for(Object.fromEntries(tls)),
      }
    },
    close: agents.close,
  }
}

interface Loading {
  loadFromDefault(): void
  loadFromFile(path: string): void
}

/**
 * Loads it. What is at fault, and where; nothing of what stands there: the parser's own text quotes the lines around it,
 * tokens and keys among them. Undefined: nothing.
 */
function loadFault(config: Loading, path: string | undefined): string | undefined {
  try {
    if (path === undefined) config.loadFromDefault()
    else config.loadFromFile(path)
    return undefined
  } catch (thrown) {
    const { code, mark } = Object(thrown) as {
      readonly code?: unknown
      readonly mark?: { readonly line?: unknown; readonly column?: unknown }
    }
    if (typeof code === 'string') return `it cannot be read (${code})`
    if (typeof mark?.line !== 'number' || typeof mark.column !== 'number') return 'it is no kubeconfig'
    return `line ${mark.line + 1}, column ${mark.column + 1}: it is no YAML there`
  }
}

const basicAuth = (auth: string | null | undefined): Readonly<Record<string, string>> =>
  typeof auth === 'string' ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {}

/** KUBECONFIG where it is set, else the pod's service account, else ~/.kube/config. */
export async function findCluster(options: InClusterOptions): Promise<ClusterAccess> {
  const { KUBECONFIG = '' } = options.environment
  const access = KUBECONFIG === '' ? inCluster(options) : undefined
  return access ?? (await fromKubeconfig())
}
