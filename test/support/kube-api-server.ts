/** A real Kubernetes API: etcd, kube-apiserver and, where asked, kube-controller-manager. No node: pods stay Pending. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { createAuthority } from './certificates.ts'
import { kubeBinaries } from './kube-binaries.ts'
import { runCommand } from './run-command.ts'
import {
  awaitReady,
  freePorts,
  removeDirectory,
  type ServerProcess,
  startServer,
  temporaryDirectory,
} from './server-process.ts'

export interface KubeApiServerOptions {
  /** Runs the controllers too: Deployments make ReplicaSets and Pods, owners are garbage collected. Default false. */
  readonly controllerManager?: boolean
}

export interface KubeApiServer extends AsyncDisposable {
  /** Of a user who may do everything. */
  readonly kubeconfigPath: string
  readonly url: string
  /** PEM of the server's authority. */
  readonly ca: string
  /** Bearer token of the same user. */
  readonly token: string
  /** JSON lines: who asked for what, without bodies. */
  readonly auditLog: string
  /** Runs kubectl as that user and resolves with what it printed; the second argument goes to its standard input. */
  kubectl(args: readonly string[], stdin?: string): Promise<string>
  stop(): Promise<void>
  /** Stops kube-apiserver alone; `startApi` brings it back at the same address. */
  stopApi(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  startApi(): Promise<void>
  /** Freezes and thaws kube-apiserver: it takes connections and never answers. */
  pauseApi(): void
  resumeApi(): void
}

/** Starts the servers and waits until they answer: about five seconds. */
export async function startKubeApiServer(options: KubeApiServerOptions = {}): Promise<KubeApiServer> {
  const binaries = await kubeBinaries()
  const directory = temporaryDirectory('kube')
  const file = (name: string): string => join(directory, name)
  const [etcdPort = 0, peerPort = 0, apiPort = 0] = await freePorts(3)
  const authority = await createAuthority(directory)
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', '127.0.0.1', '10.96.0.1']
  const certificate = await authority.issue('kube-apiserver', names)
  const url = `https://127.0.0.1:${apiPort}`
  const token = randomBytes(16).toString('hex')
  const kubeconfigPath = file('kubeconfig')
  writeFileSync(file('tokens.csv'), `${token},admin,1,system:masters\n`)
  writeFileSync(file('audit-policy.json'), JSON.stringify(auditPolicy))
  writeFileSync(kubeconfigPath, JSON.stringify(kubeconfig(url, authority.ca, token)))
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  writeFileSync(file('sa.key'), privateKey)
  writeFileSync(file('sa.pub'), publicKey)

  const start = (name: keyof typeof binaries, flags: Readonly<Record<string, string>>): Promise<ServerProcess> => {
    const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`)
    return startServer({ name, command: binaries[name], args, directory })
  }
  const etcdUrl = `http://127.0.0.1:${etcdPort}`
  const peerUrl = `http://127.0.0.1:${peerPort}`
  const etcd = await start('etcd', {
    'data-dir': file('etcd'),
    'listen-client-urls': etcdUrl,
    'advertise-client-urls': etcdUrl,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': `default=${peerUrl}`,
    'unsafe-no-fsync': 'true',
  })
  const bootApi = async (): Promise<ServerProcess> => {
    const server = await start('kube-apiserver', {
      'etcd-servers': etcdUrl,
      'secure-port': String(apiPort),
      'bind-address': '127.0.0.1',
      'tls-cert-file': certificate.certFile,
      'tls-private-key-file': certificate.keyFile,
      'client-ca-file': authority.caFile,
      'token-auth-file': file('tokens.csv'),
      'service-account-issuer': 'https://kubernetes.default.svc',
      'service-account-key-file': file('sa.pub'),
      'service-account-signing-key-file': file('sa.key'),
      'authorization-mode': 'RBAC',
      'service-cluster-ip-range': '10.96.0.0/16',
      'audit-log-path': file('audit.log'),
      'audit-policy-file': file('audit-policy.json'),
      // Without the controller that makes them, pods and deployments would wait for a default service account.
      ...(options.controllerManager === true ? {} : { 'disable-admission-plugins': 'ServiceAccount' }),
    })
    await awaitReady(server, 'kube-apiserver', async () => (await get(`${url}/readyz`, authority.ca, token)) === 200)
    return server
  }
  let api = await bootApi()
  const controllers = options.controllerManager === true ? await bootControllers() : undefined

  async function bootControllers(): Promise<ServerProcess> {
    const server = await start('kube-controller-manager', {
      kubeconfig: kubeconfigPath,
      'authentication-kubeconfig': kubeconfigPath,
      'authorization-kubeconfig': kubeconfigPath,
      'service-account-private-key-file': file('sa.key'),
      'root-ca-file': authority.caFile,
      'leader-elect': 'false',
      'secure-port': '0',
      'horizontal-pod-autoscaler-sync-period': '5s',
    })
    const account = `${url}/api/v1/namespaces/default/serviceaccounts/default`
    const ready = async (): Promise<boolean> => (await get(account, authority.ca, token)) === 200
    await awaitReady(server, 'kube-controller-manager', ready)
    return server
  }

  const stopApi = async (signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> => {
    api.signal(signal)
    await api.exited()
  }
  const stop = async (): Promise<void> => {
    await controllers?.stop(1_000)
    await stopApi()
    await etcd.stop(1_000)
    removeDirectory(directory)
  }
  return {
    kubeconfigPath,
    url,
    ca: authority.ca,
    token,
    auditLog: file('audit.log'),
    kubectl: (args, stdin) =>
      runCommand(binaries.kubectl, [`--kubeconfig=${kubeconfigPath}`, ...args], stdin === undefined ? {} : { stdin }),
    stop,
    stopApi,
    async startApi() {
      api = await bootApi()
    },
    pauseApi: () => api.signal('SIGSTOP'),
    resumeApi: () => api.signal('SIGCONT'),
    [Symbol.asyncDispose]: stop,
  }
}

const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
}

const kubeconfig = (server: string, ca: string, token: string): object => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
  users: [{ name: 'admin', user: { token } }],
  contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
  'current-context': 'test',
})

/** The status code of a GET. */
function get(url: string, ca: string, token: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { ca, headers: { authorization: `Bearer ${token}` }, agent: false, timeout: 5_000 }
    const ask = request(url, options, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    ask.on('timeout', () => ask.destroy(new Error('no answer')))
    ask.on('error', reject)
    ask.end()
  })
}
