/** Secrets, and what is made of them. */
import { z } from 'zod'
import { docs, type Rule, textOf } from './rules.ts'

/** One key of a Secret in the bridge's own namespace. */
export const secretKeyRef = (description: string) =>
  z
    .object({
      name: textOf({
        pattern: /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
        message: 'write the name of a Secret in the namespace of the StreamBridge',
        maxLength: 253,
      }).meta({ description: 'Name of a Secret in the namespace of the StreamBridge.' }),
      key: textOf({
        pattern: /^[-._a-zA-Z0-9]+$/,
        message: 'write a key of the Secret: letters, digits, hyphen, dot, underscore',
        maxLength: 253,
      }).meta({ description: 'Key within the Secret.' }),
    })
    .meta({ description, [docs]: { type: 'secret key' } })

export type SecretKeyRef = z.output<ReturnType<typeof secretKeyRef>>

/** TLS towards a broker. */
export const tls = z
  .object({
    caSecretRef: secretKeyRef('PEM certificates to trust instead of the public ones.').optional(),
    certSecretRef: secretKeyRef('PEM client certificate, for mutual TLS.').optional(),
    keySecretRef: secretKeyRef('PEM private key of the client certificate.').optional(),
    insecureSkipVerify: z
      .boolean()
      .default(false)
      .meta({ description: 'Accept any server certificate. Only for trials: the connection can then be listened to.' }),
  })
  .meta({ description: 'Encrypt the connection. An empty object trusts the public certificate authorities.' })

export const mutualTlsRule: Rule<z.output<typeof tls>> = {
  cel: 'has(self.certSecretRef) == has(self.keySecretRef)',
  message: 'certSecretRef and keySecretRef go together: set both or neither',
  holds: (value) => (value.certSecretRef === undefined) === (value.keySecretRef === undefined),
}
