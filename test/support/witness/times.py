"""Sends records of given times to a Kafka topic, or prints the times of those in it: times.py produce|read ADDRESS TOPIC TIME...

For reading the times only say how many there are. By librdkafka, which has times in 64 bits; the clients in JavaScript round them.
"""

import json
import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition


def produce(address, topic, times):
    producer = Producer({"bootstrap.servers": address, "enable.idempotence": True, "linger.ms": 100})
    refused = []
    for time in times:
        producer.produce(topic, str(time), "k", timestamp=time, on_delivery=lambda error, _: error and refused.append(error))
    if producer.flush(30) or refused:
        raise SystemExit(f"not stored: {refused[:1]}")
    return []


def read(address, topic, times):
    consumer = Consumer({"bootstrap.servers": address, "group.id": "nobody", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    found = []
    while len(found) < len(times):
        for message in consumer.consume(100, timeout=0.2):
            if message.error() is not None:
                raise KafkaException(message.error())
            found.append(message.timestamp()[1])
    consumer.close()
    return [str(time) for time in found]


verb, address, topic, *times = sys.argv[1:]
print(json.dumps({"produce": produce, "read": read}[verb](address, topic, [int(time) for time in times])))
