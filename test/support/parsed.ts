/** What a `parse` step makes of a text that is the whole value. */
import assert from 'node:assert/strict'
import { type Output, transformOne } from './transforms.ts'

export type Parse = NonNullable<NonNullable<Parameters<typeof transformOne>[0]['transforms']>[number]>['parse']

export const parsed = (parse: Parse, value: string): Promise<Output> =>
  transformOne({ decode: { value: { text: {} } }, transforms: [{ parse }] }, { value })

export const fields = async (parse: Parse, text: string): Promise<unknown> => {
  const { value, poison } = await parsed(parse, text)
  assert.equal(poison, undefined)
  return JSON.parse(String(value))
}

export const refused = async (parse: Parse, text: string): Promise<string> => {
  const { poison } = await parsed(parse, text)
  return String(poison).replace('ParseMismatch: spec.transforms[0].parse: value: ', '')
}
