"""confluent-kafka: librdkafka."""

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition

from records import MARK


def produce(address, topic, records):
    refused = []

    def settled(error, _message):
        if error is not None:
            refused.append(error)

    producer = Producer({"bootstrap.servers": address, "enable.idempotence": True, "linger.ms": 5})
    for record in records:
        producer.produce(topic, record.value, record.key, headers={MARK: record.mark}, on_delivery=settled)
        producer.poll(0)
    left = producer.flush(30)
    if refused or left:
        raise SystemExit(f"{left} records are not stored, {len(refused)} were refused: {refused[:1]}")


def read(address, topic, arrived, _journal):
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": "nobody",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])

    def reading():
        messages = consumer.consume(500, timeout=0.2)
        for message in messages:
            if message.error() is not None:
                raise KafkaException(message.error())
            key, mark = message.key(), dict(message.headers() or []).get(MARK)
            arrived(key and key.decode(), message.value() or b"", mark and mark.decode())
        return len(messages) > 0

    return reading
