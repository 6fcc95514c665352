"""An independent client of a broker: sends the records of a run, or judges what arrived.

    python test/support/witness produce kafka --address 127.0.0.1:9092 --stream orders --run r1 --count 1000
    python test/support/witness count   kafka --address 127.0.0.1:9092 --stream copy   --run r1 --count 1000

`count` prints one line of JSON: lost, duplicated, reordered, corrupt. It reads from the beginning of the stream until all have
arrived and no more come, or the time is up.
"""

import argparse
import importlib
import os
import time

from records import Judge, Run

# Seconds of silence after which no more records are expected.
QUIET = 1.0

BROKERS = ["kafka", "kinesis", "pubsub", "eventHubs"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="witness", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("verb", choices=["produce", "count"])
    parser.add_argument("broker", choices=BROKERS)
    parser.add_argument("--address", required=True, help="host:port, for kinesis an URL")
    parser.add_argument("--stream", required=True, help="topic, stream or event hub; to count on pubsub: a subscription")
    parser.add_argument("--run", required=True, help="tells these records from others; no spaces")
    parser.add_argument("--count", required=True, type=int, help="how many records the run has")
    parser.add_argument("--from", dest="begin", default=0, type=int, help="the first to send: the ones before were sent")
    parser.add_argument("--keys", default=20, type=int)
    parser.add_argument("--size", default=200, type=int, help="bytes of a value")
    parser.add_argument("--within", default=60.0, type=float, help="seconds to wait for records that are missing")
    parser.add_argument("--marked", default=0, type=int, help="1: a record without the header that it was sent with is corrupt")
    parser.add_argument("--journal", help="pubsub: a file for what was read, which no other count can read again")
    given = parser.parse_args()
    run = Run(given.run, given.keys, given.size)
    broker = importlib.import_module(f"brokers.{given.broker.lower()}")
    if given.verb == "produce":
        broker.produce(given.address, given.stream, list(run.records(given.begin, given.count)))
    else:
        judge = Judge(run, given.count, given.marked == 1)
        follow(broker.read(given.address, given.stream, judge.arrived, given.journal), judge, given.within)
        print(judge.tally(), flush=True)
        # Clients take seconds to close, and nothing of theirs is wanted any more.
        os._exit(0)


def follow(reading, judge: Judge, within: float) -> None:
    """`reading()` waits a moment, hands over what has arrived and says whether that was anything."""
    deadline = time.monotonic() + within
    quiet_since = time.monotonic()
    while True:
        if reading():
            quiet_since = time.monotonic()
        quiet = time.monotonic() - quiet_since > QUIET
        if (judge.complete and quiet) or time.monotonic() > deadline:
            return


main()
