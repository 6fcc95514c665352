/** etcd and the Kubernetes servers: given in KUBEBUILDER_ASSETS, or built once from their Go modules. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cached } from './cache.ts'
import { runCommand } from './run-command.ts'

export const kubernetesVersion = '1.36.3'

export type KubeBinary = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kubectl'

const packages: Record<KubeBinary, readonly [module: string, name: string]> = {
  etcd: ['etcd', 'go.etcd.io/etcd/server/v3'],
  'kube-apiserver': ['kubernetes', 'k8s.io/kubernetes/cmd/kube-apiserver'],
  'kube-controller-manager': ['kubernetes', 'k8s.io/kubernetes/cmd/kube-controller-manager'],
  kubectl: ['kubernetes', 'k8s.io/kubernetes/cmd/kubectl'],
}

/** The path of each binary. The first call on a machine compiles them: several minutes. */
export async function kubeBinaries(): Promise<Readonly<Record<KubeBinary, string>>> {
  const given = process.env['KUBEBUILDER_ASSETS']
  const names = Object.keys(packages) as KubeBinary[]
  const inGiven = (name: KubeBinary): boolean => given !== undefined && existsSync(join(given, name))
  const built = names.every(inGiven) ? '' : await cached(`kubernetes-${kubernetesVersion}`, build)
  const path = (name: KubeBinary): string => join(inGiven(name) && given !== undefined ? given : built, name)
  return {
    etcd: path('etcd'),
    'kube-apiserver': path('kube-apiserver'),
    'kube-controller-manager': path('kube-controller-manager'),
    kubectl: path('kubectl'),
  }
}

async function build(directory: string): Promise<void> {
  const [major, minor] = kubernetesVersion.split('.')
  const stamp = 'k8s.io/component-base/version.git'
  const version = `-X ${stamp}Version=v${kubernetesVersion} -X ${stamp}Major=${major} -X ${stamp}Minor=${minor}`
  for (const [binary, [module, name]] of Object.entries(packages)) {
    process.stderr.write(`building ${binary} (once on this machine)\n`)
    const args = [
      'build',
      '-mod=readonly',
      '-buildvcs=false',
      '-trimpath',
      `-ldflags=-s -w ${version}`,
      '-o',
      join(directory, binary),
      name,
    ]
    await runCommand('go', args, {
      cwd: join(import.meta.dirname, 'go', module),
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '' },
      install:
        'install Go 1.26 (https://go.dev/dl), or set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver, kube-controller-manager and kubectl',
    })
  }
}
