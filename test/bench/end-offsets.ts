/** How many records a topic holds, looked up by kafkajs: neither contender judges itself. */
import type { Admin } from 'kafkajs'
import { eventually } from '../support/eventually.ts'
import { kafkaClient } from '../support/kafka.ts'

export interface TopicCounter extends AsyncDisposable {
  /** Records ever written to the topic. */
  count(topic: string): Promise<number>
}

export async function countTopics(bootstrapServers: string): Promise<TopicCounter> {
  const admin: Admin = kafkaClient(bootstrapServers).admin()
  await admin.connect()
  return {
    async count(topic) {
      // A topic that was just made, and a busy broker, refuse it for a moment.
      const offsets = await eventually(`end offsets of topic ${topic}`, () => admin.fetchTopicOffsets(topic))
      return offsets.reduce((sum, { offset }) => sum + Number(offset), 0)
    },
    [Symbol.asyncDispose]: () => admin.disconnect(),
  }
}
