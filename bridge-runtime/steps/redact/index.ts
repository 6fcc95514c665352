import { createHmac } from 'node:crypto'
import { z } from 'zod'
import { withRules } from '../../../crds/kit/rules.ts'
import { secretKeyRef } from '../../../crds/kit/secrets.ts'
import { BridgeError } from '../../core/errors.ts'
import type { Draft } from '../../draft/draft.ts'
import type { TransformContext } from '../../formats/define-format.ts'
import { writeJson } from '../../values/json.ts'
import { parsePath } from '../../values/path.ts'
import type { Value } from '../../values/value.ts'
import { defineStep } from '../define-step.ts'
import { namedField } from '../field-path.ts'
import { changeEach } from './each-field.ts'

/** Fewer can be guessed, and with the key every value that was hashed. */
const shortestKey = 16

const schema = withRules(
  z.object({
    paths: z.array(namedField).min(1).max(64).meta({
      description:
        'Fields and headers. A list on the way stands for each of its elements; what is not there, or null, stays so.',
    }),
    method: z.enum(['Hash', 'Remove', 'Mask']).meta({
      description:
        'Hash: HMAC-SHA-256 of the text, in hexadecimal: equal values stay equal. Remove: the field goes. Mask: `***`, whatever it was.',
    }),
    keySecretRef: secretKeyRef('With Hash: the key, 16 bytes or more, as they are.').optional(),
  }),
  [
    {
      cel: "has(self.keySecretRef) == (self.method == 'Hash')",
      message: 'keySecretRef goes with method: Hash, and only with it',
      holds: ({ keySecretRef, method }) => (keySecretRef !== undefined) === (method === 'Hash'),
    },
  ],
)

type KeyRef = z.output<typeof schema>['keySecretRef']

export const redact = defineStep({
  name: 'redact',
  summary: 'Hides fields and headers.',
  schema,
  open({ paths, method, keySecretRef }, context) {
    const fields = paths.map(parsePath)
    const key = new HashKey(keySecretRef, context)
    const hide = { Hash: (text: string | Buffer) => key.hash(text), Mask: () => '***', Remove: undefined }[method]
    return {
      prepare: () => key.prepare(),
      apply(draft) {
        for (const { root, names } of fields) {
          if (root === 'headers') hideHeader(draft, names[0] as string, hide)
          else hideFields(draft, names, hide)
        }
        return draft
      },
    }
  },
})

/** What is seen instead of a text. */
type Hide = (text: string | Buffer) => string

class HashKey {
  readonly #ref: KeyRef
  readonly #context: TransformContext
  #key: Buffer | undefined

  constructor(ref: KeyRef, context: TransformContext) {
    this.#ref = ref
    this.#context = context
  }

  prepare(): Promise<void> | undefined {
    const ref = this.#ref
    if (ref === undefined || this.#key !== undefined) return undefined
    return this.#read(ref)
  }

  async #read(ref: NonNullable<KeyRef>): Promise<void> {
    const key = await this.#context.secret(ref)
    if (key.length < shortestKey) throw tooShort(ref, this.#context.field)
    this.#key = key
  }

  hash(text: string | Buffer): string {
    if (this.#key === undefined) throw new TypeError('not prepared')
    return createHmac('sha256', this.#key).update(text).digest('hex')
  }
}

const tooShort = ({ name, key }: NonNullable<KeyRef>, field: string): BridgeError =>
  new BridgeError(
    `${field}: Secret "${name}" key "${key}" has fewer than ${shortestKey} bytes: whoever guesses it knows what was hashed`,
    { kind: 'fatal', reason: 'RedactionKeyTooShort' },
  )

/** Without `hide` they go. */
function hideFields(draft: Draft, names: readonly string[], hide: Hide | undefined): void {
  const { value } = draft
  if (changeEach(value, names, (field) => (hide === undefined ? undefined : hidden(field, hide)))) draft.value = value
}

/** Of a list each element; of an object and a number the text that JSON has for it. */
function hidden(field: Value, hide: Hide): Value {
  if (Array.isArray(field)) return field.map((element) => hidden(element, hide))
  if (field === null) return null
  return hide(typeof field === 'string' ? field : writeJson(field))
}

function hideHeader(draft: Draft, name: string, hide: Hide | undefined): void {
  if (!draft.headers.some((header) => header.name === name)) return
  draft.headers =
    hide === undefined
      ? draft.headers.filter((header) => header.name !== name)
      : draft.headers.map(({ name: own, value }) =>
          own === name && value !== null ? { name, value: Buffer.from(hide(value)) } : { name: own, value },
        )
}
