/** A schema registry, as a person names it. */
import { z } from 'zod'
import { textOf, withRules } from '../../../crds/kit/rules.ts'
import { mutualTlsRule, secretKeyRef, tls } from '../../../crds/kit/secrets.ts'
import { duration } from '../../../crds/kit/units.ts'

export const registry = withRules(
  z.object({
    url: textOf({
      pattern: /^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/,
      message: 'write the address of the registry, without a password: https://registry.example.com',
      maxLength: 512,
    }).meta({ description: 'Address of a registry that speaks Confluent’s API.' }),
    usernameSecretRef: secretKeyRef('The user name, for basic authentication.').optional(),
    passwordSecretRef: secretKeyRef('The password, for basic authentication.').optional(),
    bearerSecretRef: secretKeyRef('A bearer token.').optional(),
    tls: withRules(tls, [mutualTlsRule]).optional(),
    timeout: duration('How long an answer may take.').default('10s'),
    cacheLatest: duration(
      'How long the latest schema of a subject is believed to be it. Schemas by id never change.',
    ).default('5m'),
  }),
  [
    {
      cel: 'has(self.usernameSecretRef) == has(self.passwordSecretRef)',
      message: 'usernameSecretRef and passwordSecretRef go together: set both or neither',
      holds: (value) => (value.usernameSecretRef === undefined) === (value.passwordSecretRef === undefined),
    },
    {
      cel: '!has(self.bearerSecretRef) || !has(self.usernameSecretRef)',
      message: 'set a user name and a password, or a bearer token, not both',
      holds: (value) => value.bearerSecretRef === undefined || value.usernameSecretRef === undefined,
    },
  ],
).meta({ description: 'A schema registry.' })

export type RegistryConfig = z.output<typeof registry>
