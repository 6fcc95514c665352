"""google-cloud-pubsub, on an emulator."""

import json
import os
import queue

from google.cloud import pubsub_v1

from records import MARK

PROJECT = "streambridge-test"


def produce(address, topic, records):
    os.environ["PUBSUB_EMULATOR_HOST"] = address
    publisher = pubsub_v1.PublisherClient(publisher_options=pubsub_v1.types.PublisherOptions(enable_message_ordering=True))
    path = publisher.topic_path(PROJECT, topic)
    stored = [
        publisher.publish(path, record.value, ordering_key=record.key, **{MARK: record.mark}) for record in records
    ]
    for future in stored:
        future.result(timeout=30)


def read(address, subscription, arrived, journal):
    """A delivery that is repeated to us is no second record."""
    os.environ["PUBSUB_EMULATOR_HOST"] = address
    messages = queue.SimpleQueue()
    seen = set()

    def told(message_id, key, value, mark):
        if message_id in seen:
            return False
        seen.add(message_id)
        arrived(key, value.encode(), mark)
        return True

    for line in read_lines(journal):
        told(*json.loads(line))
    written = journal and open(journal, "a")

    def received(message):
        messages.put(message)
        message.ack()

    subscriber = pubsub_v1.SubscriberClient()
    streaming = subscriber.subscribe(subscriber.subscription_path(PROJECT, subscription), received)

    def reading():
        if streaming.done():
            streaming.result()
        try:
            message = messages.get(timeout=0.2)
        except queue.Empty:
            return False
        value = message.data.decode(errors="replace")
        arrival = (message.message_id, message.ordering_key or None, value, message.attributes.get(MARK))
        if told(*arrival) and written:
            print(json.dumps(arrival), file=written, flush=True)
        return True

    return reading


def read_lines(journal):
    return open(journal) if journal and os.path.exists(journal) else []
