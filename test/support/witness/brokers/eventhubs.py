"""azure-eventhub, on the emulator."""

import queue
import threading

from azure.eventhub import EventData, EventHubConsumerClient, EventHubProducerClient

from records import MARK

POLICY = "SharedAccessKeyName=test;SharedAccessKey=test-key;UseDevelopmentEmulator=true"


def _connection(address):
    return f"Endpoint=sb://{address};{POLICY}"


def produce(address, hub, records):
    by_key = {}
    for record in records:
        by_key.setdefault(record.key, []).append(record)
    with EventHubProducerClient.from_connection_string(_connection(address), eventhub_name=hub) as producer:
        for key, of_key in by_key.items():
            events = []
            for record in of_key:
                event = EventData(record.value)
                event.properties = {MARK: record.mark}
                events.append(event)
            producer.send_batch(events, partition_key=key, timeout=30)


def read(address, hub, arrived, _journal):
    consumer = EventHubConsumerClient.from_connection_string(
        _connection(address), consumer_group="$Default", eventhub_name=hub
    )
    events = queue.SimpleQueue()
    failures = []

    def follow():
        consumer.receive_batch(
            on_event_batch=lambda _partition, batch: [events.put(event) for event in batch],
            on_error=lambda _partition, error: failures.append(error),
            starting_position="-1",
            max_wait_time=1,
        )

    threading.Thread(target=follow, daemon=True).start()

    def reading():
        if failures:
            raise failures[0]
        try:
            event = events.get(timeout=0.2)
        except queue.Empty:
            return False
        key = event.partition_key
        mark = event.properties.get(MARK.encode(), event.properties.get(MARK))
        arrived(key and key.decode(), b"".join(event.body), mark and _text(mark))
        return True

    return reading


def _text(value):
    return value.decode() if isinstance(value, bytes) else value
