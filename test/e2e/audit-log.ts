/** The API server's audit log: who asked for what, and what was refused. */
import { createReadStream, statSync } from 'node:fs'
import { createInterface } from 'node:readline'

interface AuditEvent {
  readonly verb: string
  readonly user: { readonly username: string }
  readonly objectRef?: {
    readonly apiGroup?: string
    readonly resource?: string
    readonly subresource?: string
  }
  readonly responseStatus?: { readonly code?: number }
}

export interface AuditReport {
  /** Refused requests of our ServiceAccounts, each different one once: `namespace:account: verb group/resource`. */
  readonly forbidden: readonly string[]
  /** The same for what was allowed → how often. */
  readonly used: ReadonlyMap<string, number>
}

/** Where the log ends now: read from here later. */
export const auditPosition = (file: string): number => statSync(file).size

/** What ServiceAccounts of these namespaces did since the position. */
export async function readAudit(file: string, start: number, namespaces: readonly string[]): Promise<AuditReport> {
  const ours = namespaces.map((namespace) => `system:serviceaccount:${namespace}:`)
  const forbidden = new Set<string>()
  const used = new Map<string, number>()
  for await (const line of createInterface({ input: createReadStream(file, { start }) })) {
    if (!line.includes('system:serviceaccount:')) continue
    const event = JSON.parse(line) as AuditEvent
    if (!ours.some((prefix) => event.user.username.startsWith(prefix))) continue
    const what = `${event.user.username.slice('system:serviceaccount:'.length)}: ${requestOf(event)}`
    if (event.responseStatus?.code === 403) forbidden.add(what)
    else used.set(what, (used.get(what) ?? 0) + 1)
  }
  return { forbidden: [...forbidden].sort(), used }
}

function requestOf({ verb, objectRef }: AuditEvent): string {
  if (objectRef === undefined) return verb
  const { apiGroup = '', resource = '', subresource } = objectRef
  return `${verb} ${apiGroup}/${resource}${subresource === undefined ? '' : `/${subresource}`}`
}
