/**
 * A schema registry with Confluent's API (https://docs.confluent.io/platform/current/schema-registry/develop/api.html). What an id means
 * never changes and is kept for ever; what is not there may come, and is never kept.
 */
import { milliseconds } from '../../../crds/kit/units.ts'
import { BridgeError } from '../../core/errors.ts'
import type { TransformContext } from '../define-format.ts'
import type { RegistryConfig } from './fields.ts'
import { type Answer, type Asking, ask } from './http.ts'

export interface Latest {
  readonly id: number
  readonly schema: string
}

export class SchemaRegistry {
  readonly #config: RegistryConfig
  readonly #context: TransformContext
  readonly #byId = new Map<number, string>()

  constructor(config: RegistryConfig, context: TransformContext) {
    this.#config = config
    this.#context = context
  }

  /** Milliseconds that an answer of `latest` may be believed. */
  get cacheLatest(): number {
    return milliseconds(this.#config.cacheLatest)
  }

  /** The text of a schema. */
  async schema(id: number, signal: AbortSignal): Promise<string> {
    const known = this.#byId.get(id)
    if (known !== undefined) return known
    const answer = await this.#ask(`schema ${id}`, { path: `/schemas/ids/${id}` }, signal)
    const schema = schemaOf(answer.body, `schema ${id}`)
    this.#byId.set(id, schema)
    return schema
  }

  async latest(subject: string, signal: AbortSignal): Promise<Latest> {
    const what = `subject "${subject}"`
    const path = `/subjects/${encodeURIComponent(subject)}/versions/latest`
    const { body } = await this.#ask(what, { path }, signal)
    return { id: idOf(body, what), schema: schemaOf(body, what) }
  }

  /** The id of a schema in a subject, which is registered where it is not there and that is asked for. */
  async idOf(subject: string, schema: string, register: boolean, signal: AbortSignal): Promise<number> {
    const what = `the schema in subject "${subject}"`
    const path = `/subjects/${encodeURIComponent(subject)}${register ? '/versions' : ''}`
    const { body } = await this.#ask(what, { path, body: { schema } }, signal)
    return idOf(body, what)
  }

  async #ask(what: string, question: Pick<Asking, 'path' | 'body'>, signal: AbortSignal): Promise<Answer> {
    const { url, tls, timeout } = this.#config
    const place = `${this.#context.field}: asking ${url} for ${what}`
    const asking: Asking = {
      ...question,
      url,
      timeout: milliseconds(timeout),
      authorization: await this.#authorization(),
      ca: tls?.caSecretRef && (await this.#context.secret(tls.caSecretRef)),
      cert: tls?.certSecretRef && (await this.#context.secret(tls.certSecretRef)),
      key: tls?.keySecretRef && (await this.#context.secret(tls.keySecretRef)),
      verify: tls?.insecureSkipVerify !== true,
    }
    let answer: Answer
    try {
      answer = await ask(asking, signal)
    } catch (cause) {
      const code = (cause as { readonly code?: unknown }).code
      throw new BridgeError(`${place}: no answer${typeof code === 'string' ? ` (${code})` : ''}`, {
        kind: 'retryable',
        reason: 'RegistryUnavailable',
        cause,
      })
    }
    if (answer.status === 200) return answer
    throw refused(answer, place)
  }

  async #authorization(): Promise<string | undefined> {
    const { usernameSecretRef: user, passwordSecretRef: password, bearerSecretRef: bearer } = this.#config
    const text = async (ref: NonNullable<typeof user>): Promise<string> =>
      (await this.#context.secret(ref)).toString().trimEnd()
    if (bearer !== undefined) return `Bearer ${await text(bearer)}`
    if (user === undefined || password === undefined) return undefined
    return `Basic ${Buffer.from(`${await text(user)}:${await text(password)}`).toString('base64')}`
  }
}

function refused({ status, body }: Answer, place: string): BridgeError {
  const told = body['message']
  const words = typeof told === 'string' ? `: ${told.slice(0, 200)}` : ''
  if (status === 401 || status === 403)
    return new BridgeError(`${place}: the registry does not accept the credentials (${status})`, {
      kind: 'fatal',
      reason: 'RegistryRefused',
    })
  if (status === 404)
    return new BridgeError(`${place}: it is not there${words}`, { kind: 'retryable', reason: 'SchemaNotFound' })
  if (status === 409 || status === 422)
    return new BridgeError(`${place}: the registry does not take the schema (${status})${words}`, {
      kind: 'fatal',
      reason: 'SchemaUnsupported',
    })
  return new BridgeError(`${place}: the registry answers ${status}`, {
    kind: 'retryable',
    reason: 'RegistryUnavailable',
  })
}

type Body = Readonly<Record<string, unknown>>

function idOf(body: Body, what: string): number {
  const { id } = body
  if (typeof id === 'number' && Number.isSafeInteger(id)) return id
  throw new BridgeError(`${what}: the registry answers without an id`, {
    kind: 'retryable',
    reason: 'RegistryUnavailable',
  })
}

function schemaOf(body: Body, what: string): string {
  const { schema, schemaType, references } = body
  if (schemaType !== undefined && schemaType !== 'AVRO')
    throw new BridgeError(`${what} is no Avro schema`, { kind: 'fatal', reason: 'SchemaUnsupported' })
  if (Array.isArray(references) && references.length > 0)
    throw new BridgeError(`${what} refers to other subjects, which is not supported yet: register it as one schema`, {
      kind: 'fatal',
      reason: 'SchemaUnsupported',
    })
  if (typeof schema === 'string') return schema
  throw new BridgeError(`${what}: the registry answers without a schema`, {
    kind: 'retryable',
    reason: 'RegistryUnavailable',
  })
}
