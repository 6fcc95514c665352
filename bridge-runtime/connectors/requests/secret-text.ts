/** Values of Secrets that go into headers and protocol fields: told before they are sent, where and not what. */
import { BridgeError } from '../../core/errors.ts'
import type { ReadSecret } from '../define-connector.ts'

type SecretKey = Parameters<ReadSecret>[0]

/** Names a Secret and a key, as every error does. */
export const placeOf = ({ name, key }: SecretKey): string => `Secret "${name}" key "${key}"`

/** What is wrong with a text that must be printable ASCII without blanks; undefined: nothing. Quotes nothing of it. */
export function unprintable(text: string): string | undefined {
  if (text === '') return 'is empty'
  const at = text.search(/[^\x21-\x7e]/)
  if (at < 0) return undefined
  const kinds: Readonly<Record<string, string>> = { '\n': 'a line break', '\r': 'a line break', ' ': 'a blank' }
  const kind = kinds[text.charAt(at)] ?? 'a character that is not printable'
  return `has ${kind} at position ${at + 1} of ${text.length}`
}

/**
 * A token from a Secret, without blanks around it. *Errors*: fatal `AuthenticationFailed`, with Secret, key and position,
 * where it is empty or holds anything but printable ASCII. `what`: `an access key id`.
 */
export async function readToken(secret: ReadSecret, ref: SecretKey, what: string): Promise<string> {
  const text = (await secret(ref)).toString('utf8').trim()
  const fault = unprintable(text)
  if (fault === undefined) return text
  throw new BridgeError(`${placeOf(ref)} is not ${what}: it ${fault}; write it anew, on one line`, {
    kind: 'fatal',
    reason: 'AuthenticationFailed',
  })
}
