import { eventually } from '../../support/eventually.ts'
import { createTopic, kafkaClient, withAdmin } from '../../support/kafka.ts'
import { sharedKafka } from '../../support/shared-servers.ts'
import type { World } from './world.ts'

export async function kafkaWorld(): Promise<World> {
  const bootstrapServers = await sharedKafka()
  const partitions = (topic: string): Promise<number> =>
    withAdmin(
      bootstrapServers,
      async (admin) => (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions.length ?? 0,
    )
  return {
    broker: 'Kafka',
    secrets: {},
    source: (topic, type) => ({
      kafka: { bootstrapServers: [bootstrapServers], topics: [topic], sessionTimeout: '6s', startPosition: { type } },
    }),
    create: (topic, count) => createTopic(bootstrapServers, topic, { partitions: count }),
    async remove(topic) {
      await withAdmin(bootstrapServers, (admin) => admin.deleteTopics({ topics: [topic] }))
      await eventually('its end', () =>
        withAdmin(bootstrapServers, async (admin) => !(await admin.listTopics()).includes(topic)),
      )
    },
    async send(topic, values) {
      const count = await partitions(topic)
      const messages = values.map((value, index) => ({ key: value, value, partition: index % count }))
      // A new one each time: this client drops, without a word, what goes to partitions that it does not know yet.
      const producer = kafkaClient(bootstrapServers).producer()
      await producer.connect()
      await producer.send({ topic, acks: -1, messages })
      await producer.disconnect()
    },
    grow: async (topic) =>
      void (await withAdmin(bootstrapServers, (admin) =>
        admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }),
      )),
    losePosition: ({ name }) =>
      withAdmin(bootstrapServers, async (admin) => void (await admin.deleteGroups([`streambridge.test.${name}`]))),
    async [Symbol.asyncDispose]() {},
  }
}
