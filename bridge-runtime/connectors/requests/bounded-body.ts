/** An answer that is longer than any that the service may give. The rest of it was not read. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge'

  constructor(limit: number) {
    super(`an answer of more than ${limit} bytes, which the service never gives: is the endpoint what it is taken for?`)
  }
}

/** Reads a body to its end. *Errors*: AnswerTooLarge where it has more bytes than the limit; its source is then let go. */
export async function boundedBody(body: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > limit) throw new AnswerTooLarge(limit)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
