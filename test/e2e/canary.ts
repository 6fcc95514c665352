/** Looks for the values of Secrets everywhere they must not be. */
import { kubectl, list, type Manifest, type Pod } from './kubectl.ts'

export interface Finding {
  readonly place: string
  /** The name of the value, not the value. */
  readonly canary: string
}

/** Every place a leak could show in: cluster objects, and of running pods the endpoints and every process' environment. */
export async function gatherPlaces(namespaces: readonly string[]): Promise<Map<string, string>> {
  const places = new Map<string, string>()
  const kinds = 'streambridges,configmaps,deployments,replicasets,pods,leases,events,serviceaccounts'
  for (const namespace of namespaces) {
    for (const object of await list<Manifest>(kinds, '--namespace', namespace))
      places.set(`${object.kind} ${namespace}/${object.metadata.name}`, JSON.stringify(object))
    for (const pod of await list<Pod>('pods', '--namespace', namespace, '--field-selector=status.phase=Running'))
      for (const [place, text] of await insidePod(pod)) places.set(place, text)
  }
  return places
}

const environments = `
const fs = require('node:fs')
for (const pid of fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))) {
  try { console.log(fs.readFileSync('/proc/' + pid + '/environ', 'utf8'), fs.readFileSync('/proc/' + pid + '/cmdline', 'utf8')) } catch {}
}`

async function insidePod({ metadata: { namespace, name } }: Pod): Promise<[string, string][]> {
  const endpoint = (path: string): Promise<string> =>
    kubectl('get', '--raw', `/api/v1/namespaces/${namespace}/pods/${name}:8080/proxy/${path}`)
  return [
    [`metrics of ${namespace}/${name}`, await endpoint('metrics')],
    ...(await endpoint('status').then(
      (text): [string, string][] => [[`report of ${namespace}/${name}`, text]],
      // The operator has no report.
      () => [],
    )),
    [
      `environment of ${namespace}/${name}`,
      await kubectl('exec', '--namespace', namespace, name, '--', 'node', '--eval', environments),
    ],
  ]
}

/** Where a value shows, plain, as in a URL, or within something that was encoded as base64. `canaries`: name → value. */
export function findCanaries(
  places: ReadonlyMap<string, string>,
  canaries: Readonly<Record<string, string>>,
): Finding[] {
  const wanted = Object.entries(canaries).map(([canary, value]) => ({ canary, forms: formsOf(value) }))
  return [...places].flatMap(([place, text]) =>
    wanted.filter(({ forms }) => forms.some((form) => text.includes(form))).map(({ canary }) => ({ place, canary })),
  )
}

const formsOf = (value: string): string[] => [
  value,
  encodeURIComponent(value),
  ...[0, 1, 2].map((at) => base64(value, at)),
]

/** The characters that are sure to show in the base64 of any text that has the value behind 3n + `before` bytes. */
function base64(value: string, before: number): string {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)])
  return bytes.toString('base64').slice(Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6))
}
