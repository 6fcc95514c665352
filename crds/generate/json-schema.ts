/** The part of JSON Schema that a CustomResourceDefinition may hold. */
export interface Validation {
  readonly rule: string
  readonly message: string
  readonly fieldPath?: string
}

export interface JsonSchema {
  description?: string
  type?: string
  format?: string
  default?: unknown
  enum?: readonly unknown[]
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  pattern?: string
  minItems?: number
  maxItems?: number
  maxProperties?: number
  required?: readonly string[]
  properties?: Readonly<Record<string, JsonSchema>>
  additionalProperties?: JsonSchema | boolean
  items?: JsonSchema
  anyOf?: readonly JsonSchema[]
  /** For the reference documentation only; not part of a CustomResourceDefinition. */
  'x-docs'?: { readonly type: string; readonly limits?: string }
  'x-kubernetes-validations'?: readonly Validation[]
  'x-kubernetes-preserve-unknown-fields'?: boolean
  'x-kubernetes-int-or-string'?: boolean
  'x-kubernetes-list-type'?: string
  'x-kubernetes-list-map-keys'?: readonly string[]
}
