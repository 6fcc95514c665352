"""The Python SDK of Event Hubs as a judge of this project's emulator and connector:

judge.py COMMAND CONNECTION_STRING PARTITION [COUNT]. Prints one line of JSON.
"""

import datetime
import decimal
import json
import sys
import uuid

from azure.eventhub import EventData, EventHubConsumerClient, EventHubProducerClient
from azure.eventhub.amqp import AmqpAnnotatedMessage

SECONDS = 20


def values():
    """Bodies of every kind that the SDK writes; the same values as properties of one event."""
    moment = datetime.datetime(2023, 11, 14, 22, 13, 20, 123000, tzinfo=datetime.timezone.utc)
    identity = uuid.UUID("550e8400-e29b-41d4-a716-446655440000")
    simple = {
        "bool": True,
        "int": -1,
        "long": {"TYPE": "LONG", "VALUE": 9007199254740993},
        "ulong": {"TYPE": "ULONG", "VALUE": 18446744073709551615},
        "byte": {"TYPE": "BYTE", "VALUE": -128},
        "float": 0.1,
        "nan": float("nan"),
        "infinite": float("-inf"),
        "decimal": decimal.Decimal("-12.340"),
        "string": "é",
        "bytes": b"\x00\xff",
        "time": moment,
        "uuid": identity,
        "null": None,
    }
    properties = EventData("properties")
    properties.properties = simple
    bodies = [
        True,
        -7,
        [{"TYPE": "LONG", "VALUE": 9007199254740993}, {"TYPE": "ULONG", "VALUE": 18446744073709551615}],
        float("nan"),
        decimal.Decimal("1E+10"),
        moment,
        identity,
        "text",
        b"\x00\xff",
        {"typecode": 117},
        [None, True, "two", b"\x00\xff", moment, identity, decimal.Decimal("1.10"), float("inf")],
    ]
    return [
        properties,
        *(AmqpAnnotatedMessage(value_body=body) for body in bodies),
        AmqpAnnotatedMessage(sequence_body=[[1, "two"], [[3]]]),
        AmqpAnnotatedMessage(data_body=[b"one ", b"two"]),
    ]


def describe(producer, partition):
    hub = producer.get_eventhub_properties()
    found = producer.get_partition_properties(partition)
    return {
        "name": hub["eventhub_name"],
        "partitions": hub["partition_ids"],
        "created": int(hub["created_at"].timestamp() * 1000),
        "begin": found["beginning_sequence_number"],
        "last": found["last_enqueued_sequence_number"],
        "empty": found["is_empty"],
    }


def refused(producer, partition):
    try:
        producer.send_batch([EventData("refused")], partition_id=partition)
    except Exception as error:  # pylint: disable=broad-except
        return str(error)
    raise SystemExit("it was taken")


def consume(connection, partition, count):
    consumer = EventHubConsumerClient.from_connection_string(connection, "$default", retry_total=0)
    events = []

    def on_batch(_, received):
        events.extend(received)
        if len(events) >= count:
            consumer.close()

    with consumer:
        consumer.receive_batch(on_batch, partition_id=partition, starting_position="-1", max_wait_time=1)
    return [
        {
            "number": event.sequence_number,
            "key": event.partition_key and event.partition_key.decode(),
            "body": event.body_as_str(),
            "properties": {_text(name): _text(value) for name, value in (event.properties or {}).items()},
        }
        for event in events[:count]
    ]


def _text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def main(command, connection, partition, *rest):
    if command == "consume":
        return consume(connection, partition, int(rest[0]))
    producer = EventHubProducerClient.from_connection_string(connection, retry_total=0)
    with producer:
        if command == "describe":
            return describe(producer, partition)
        if command == "refused":
            return refused(producer, partition)
        if command == "values":
            return producer.send_batch(values(), partition_id=partition, timeout=SECONDS)
        if command == "keyed":
            return producer.send_batch([EventData("keyed")], partition_key="a key", timeout=SECONDS)
    raise SystemExit(f"no command {command}")


print(json.dumps(main(*sys.argv[1:])))
