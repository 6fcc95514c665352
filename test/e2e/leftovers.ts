/** What is left in a namespace of a bridge that was deleted. */
import { kubectl, list, type Manifest } from './kubectl.ts'

const namespacedByDefault = new Set(['ServiceAccount/default', 'ConfigMap/kube-root-ca.crt'])

/** Every object in the namespace but Kubernetes' own, Secrets (a person's) and Events (history), as `Kind/name`. */
export async function objectsIn(namespace: string): Promise<string[]> {
  const resources = await kubectl('api-resources', '--verbs=list', '--namespaced', '--output=name')
  const kinds = resources.split('\n').filter((name) => name !== '' && !/^(events|secrets)(\.|$)/.test(name))
  const objects = await list<Manifest>(kinds.join(','), '--namespace', namespace)
  return objects
    .map(({ kind, metadata: { name } }) => `${kind}/${name}`)
    .filter((object) => !namespacedByDefault.has(object))
    .sort()
}
