/** The files that a pod's volumes hold, and how they reach its disk. */
import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { KubeApi } from '../../kube/api.ts'
import type { KeyToPath, Volume } from '../../kube/pod-spec.ts'
import { configMaps, type Pod, secrets } from '../../kube/resources.ts'
import type { VolumeFiles } from './pod-runner.ts'

/** A pod cannot start yet, or not get new files: the message names what is missing. */
export class MissingVolume extends Error {}

interface Source {
  readonly kind: 'ConfigMap' | 'Secret'
  readonly name: string
  readonly items: readonly KeyToPath[] | undefined
  readonly optional: boolean
}

const source = (
  kind: Source['kind'],
  name: string,
  { items, optional = false }: { readonly items?: readonly KeyToPath[]; readonly optional?: boolean },
): Source => ({ kind, name, items, optional })

function sourcesOf({ configMap, secret, projected }: Volume): readonly Source[] {
  if (configMap !== undefined) return [source('ConfigMap', configMap.name, configMap)]
  if (secret !== undefined) return [source('Secret', secret.secretName, secret)]
  return (projected?.sources ?? []).flatMap((projection) => [
    ...(projection.configMap === undefined
      ? []
      : [source('ConfigMap', projection.configMap.name, projection.configMap)]),
    ...(projection.secret === undefined ? [] : [source('Secret', projection.secret.name, projection.secret)]),
  ])
}

async function dataOf(
  api: KubeApi,
  namespace: string,
  { kind, name }: Source,
): Promise<Map<string, Buffer> | undefined> {
  const resource = kind === 'Secret' ? secrets : configMaps
  const object = await api.get(resource, { namespace, name })
  if (object === undefined) return undefined
  const encoding = kind === 'Secret' ? 'base64' : 'utf8'
  return new Map(Object.entries(object.data ?? {}).map(([key, value]) => [key, Buffer.from(value, encoding)]))
}

async function addFiles(api: KubeApi, namespace: string, from: Source, files: Map<string, Buffer>): Promise<void> {
  const data = await dataOf(api, namespace, from)
  if (data === undefined && !from.optional)
    throw new MissingVolume(`${from.kind === 'Secret' ? 'secret' : 'configmap'} "${from.name}" not found`)
  const items = from.items ?? [...(data ?? [])].map(([key]) => ({ key, path: key }))
  for (const { key, path } of items) {
    const content = data?.get(key)
    if (content !== undefined) files.set(path, content)
    else if (!from.optional) throw new MissingVolume(`references non-existent ${from.kind} key: ${from.name}/${key}`)
  }
}

/** The present content of every volume of the pod. *Errors*: MissingVolume. */
export async function volumeFilesOf(api: KubeApi, pod: Pod): Promise<ReadonlyMap<string, VolumeFiles>> {
  const volumes = new Map<string, VolumeFiles>()
  for (const volume of pod.spec.volumes ?? []) {
    const files = new Map<string, Buffer>()
    for (const from of sourcesOf(volume)) await addFiles(api, pod.metadata.namespace ?? '', from, files)
    volumes.set(volume.name, files)
  }
  return volumes
}

/** The same text for the same content: tells whether anything is to be written. */
export const fingerprint = (volumes: ReadonlyMap<string, VolumeFiles>): string =>
  JSON.stringify(
    [...volumes].map(([name, files]) => [name, [...files].map(([path, data]) => [path, data.toString('base64')])]),
  )

/**
 * Puts the files into the folder so that a reader sees all of the old or all of the new: as the kubelet does, they lie in
 * a folder of their own, and `..data` is turned to it by a rename. Readable by this user only.
 */
export async function writeVolume(folder: string, files: VolumeFiles, version: string): Promise<void> {
  await mkdir(join(folder, version), { recursive: true, mode: 0o700 })
  for (const [path, content] of files) {
    const target = join(folder, version, path)
    await mkdir(dirname(target), { recursive: true, mode: 0o700 })
    await writeFile(target, content, { mode: 0o600 })
  }
  await symlink(version, join(folder, '..data_tmp'))
  await rename(join(folder, '..data_tmp'), join(folder, '..data'))
  const names = new Set([...files.keys()].map((path) => path.split('/')[0] ?? path))
  for (const entry of await readdir(folder)) {
    if (entry === '..data' || entry === version) continue
    if (!names.delete(entry)) await rm(join(folder, entry), { recursive: true })
  }
  for (const name of names) await symlink(join('..data', name), join(folder, name))
}
