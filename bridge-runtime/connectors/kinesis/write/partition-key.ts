/**
 * How a record's key becomes a Kinesis partition key (1 to 256 characters of text) and back; `streambridge:none:…` stands
 * for no key. For other keys see text-key.ts.
 */
import { crc32 } from 'node:zlib'
import type { BridgeRecord } from '../../../core/contracts.ts'
import { keyOfText, mark, textOfKey } from '../../fields/text-key.ts'

const none = `${mark}none:`
const fits = (text: string): boolean => text.length <= 256

/** A record without a key gets one made from where it came from: such records spread over all shards, also when repeated. */
export const partitionKey = ({ key, position }: Pick<BridgeRecord, 'key' | 'position'>, origin: string): string =>
  key === null ? none + crc32(`${origin}/${position}`).toString(36) : textOfKey(key, fits)

/** The key a partition key was made from. Keys that were too long stay what they were replaced by. */
export const recordKey = (partitionKey: string): Buffer | null =>
  partitionKey.startsWith(none) && isChecksum(partitionKey.slice(none.length)) ? null : keyOfText(partitionKey)

/** Else it is another program's. */
function isChecksum(text: string): boolean {
  const sum = Number.parseInt(text, 36)
  return sum < 2 ** 32 && sum.toString(36) === text
}
