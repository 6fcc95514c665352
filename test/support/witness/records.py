"""Records that can be judged on the far side: the same as those of ../verifier.ts, made and judged by other code.

A value is `run key sequence filler crc32`; the sequences of a key count from 0. The same run makes the same records, so that
whoever judges knows what was sent without asking.
"""

import json
import random
import zlib
from typing import Iterator, NamedTuple, Optional

# The header that tells which record it came with.
MARK = "test-mark"


class Record(NamedTuple):
    key: str
    sequence: int
    value: bytes

    @property
    def mark(self) -> str:
        return f"{self.key}#{self.sequence}"


class Run(NamedTuple):
    name: str
    keys: int
    size: int

    def records(self, begin: int, end: int) -> Iterator[Record]:
        """Those from number `begin` up to `end`, in the order of the run."""
        order = random.Random(self.name)
        sequences: dict[str, int] = {}
        for number in range(end):
            key = f"key-{order.randrange(self.keys)}"
            sequence = sequences.get(key, 0)
            sequences[key] = sequence + 1
            if number >= begin:
                yield Record(key, sequence, self._value(key, sequence))

    def _value(self, key: str, sequence: int) -> bytes:
        head = f"{self.name} {key} {sequence} "
        body = head + "0123456789abcdef" * (max(self.size - len(head) - 9, 1) // 16 + 1)
        body = body[: max(self.size - 9, len(head) + 1)]
        return f"{body} {_checksum(body)}".encode()


def _checksum(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"


def _read(value: bytes) -> Optional[tuple[str, str, int, bool]]:
    """run, key, sequence, and whether it is whole."""
    try:
        text = value.decode()
        run, key, sequence, _ = text.split(" ", 3)
        body, _, checksum = text.rpartition(" ")
        return run, key, int(sequence), checksum == _checksum(body)
    except ValueError:
        return None


class Judge:
    """Counts what arrives against what was sent. Order is judged by first arrivals."""

    def __init__(self, run: Run, sent: int, marked: bool = False) -> None:
        self._marked = marked
        self._run = run
        self._missing = {record.mark for record in run.records(0, sent)}
        self._sent = frozenset(self._missing)
        self._highest: dict[str, int] = {}
        self.duplicated = self.reordered = self.corrupt = 0
        self.samples: list[str] = []

    @property
    def complete(self) -> bool:
        return not self._missing

    def arrived(self, key: Optional[str], value: bytes, mark: Optional[str] = None) -> None:
        """Call it in the order of the stream's partition. Records of other runs are left alone."""
        found = _read(value)
        if found is None:
            return self._corrupt(f"not a test record: {value[:60]!r}")
        run, own_key, sequence, whole = found
        if run != self._run.name:
            return None
        name = f"{own_key}#{sequence}"
        if not whole:
            return self._corrupt(f"checksum of {name}")
        if key != own_key:
            return self._corrupt(f"{name} has the key {key}")
        if (self._marked or mark is not None) and mark != name:
            return self._corrupt(f"{name} has the mark {mark}")
        if name not in self._sent:
            return self._corrupt(f"{name} was never sent")
        if name not in self._missing:
            self.duplicated += 1
            return None
        self._missing.remove(name)
        if sequence < self._highest.get(own_key, -1):
            self.reordered += 1
            self._sample(f"reordered: {name} came after {own_key}#{self._highest[own_key]}")
        self._highest[own_key] = max(sequence, self._highest.get(own_key, -1))
        return None

    def _corrupt(self, what: str) -> None:
        self.corrupt += 1
        self._sample(f"corrupt: {what}")

    def _sample(self, text: str) -> None:
        if len(self.samples) < 10:
            self.samples.append(text)

    def tally(self) -> str:
        lost = sorted(self._missing)
        return json.dumps(
            {
                "sent": len(self._sent),
                "received": len(self._sent) - len(lost),
                "lost": len(lost),
                "duplicated": self.duplicated,
                "reordered": self.reordered,
                "corrupt": self.corrupt,
                "samples": self.samples + [f"lost: {name}" for name in lost[:3]],
            }
        )
