"""Sets of note numbers, compact and fast enough for a search in 200,000 notes, and their stored form."""

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice

BLOCK = 4096

# A set of note numbers: for each block of numbers an int, whose n-th bit stands for the block's n-th number.
Numbers = dict[int, int]


def count(numbers: Numbers) -> int:
    """Return how many numbers there are."""
    return sum(bits.bit_count() for bits in numbers.values())


def both(one: Numbers, other: Numbers) -> Numbers:
    """Return the intersection."""
    return {block: bits & other[block] for block, bits in one.items() if bits & other.get(block, 0)}


def add_all(one: Numbers, other: Numbers) -> None:
    """Add the numbers of `other` to `one`, in place."""
    for block, bits in other.items():
        one[block] = one.get(block, 0) | bits


def numbers_of(few: Iterable[int]) -> Numbers:
    """Return the set of these numbers."""
    found: defaultdict[int, bytearray] = defaultdict(lambda: bytearray(BLOCK // 8))
    for number in few:
        found[number // BLOCK][number % BLOCK // 8] |= 1 << number % 8
    return {block: int.from_bytes(bits, "little") for block, bits in found.items()}


def newest_first(numbers: Numbers) -> Iterator[int]:
    """Yield the numbers, the highest first."""
    for block in sorted(numbers, reverse=True):
        bits = numbers[block]
        while bits:
            place = bits.bit_length() - 1
            yield block * BLOCK + place
            bits ^= 1 << place


def without(one: Numbers, other: Numbers) -> Numbers:
    """Return the numbers that are in `one` and not in `other`."""
    return {block: bits & ~other.get(block, 0) for block, bits in one.items() if bits & ~other.get(block, 0)}


def page(numbers: Numbers, limit: int, offset: int) -> list[int]:
    """Return up to `limit` numbers, the highest first, after `offset` higher ones; it skips whole blocks."""
    found: list[int] = []
    for block in sorted(numbers, reverse=True):
        there = numbers[block].bit_count()
        if offset < there and len(found) < limit:
            here = newest_first({block: numbers[block]})
            found += islice(here, offset, offset + limit - len(found))
        offset = max(0, offset - there)
    return found


# Stored form of a block: up to 255 numbers as two bytes each, more of them as a bitmap of 4096 bits.


def read_few(few: bytes | bytearray) -> tuple[int, ...]:
    """Return the numbers that `write_few` wrote."""
    return struct.unpack(f"<{len(few) // 4}I", few)


def write_few(few: list[int]) -> bytes:
    """Return numbers as bytes, four each."""
    return struct.pack(f"<{len(few)}I", *few)


def read_block(written: bytes) -> int:
    """Return a stored block's bits."""
    return int.from_bytes(written, "little") if len(written) == BLOCK // 8 else read_places(written)


def read_places(written: bytes | bytearray) -> int:
    """Return the bits of a block stored as two-byte numbers; concatenated blocks are merged."""
    return numbers_of(struct.unpack(f"<{len(written) // 2}H", written)).get(0, 0)


def extended(written: bytes, places: list[int]) -> bytes:
    """Return a stored block with more numbers, appended without decoding while they are few."""
    if len(written) + 2 * len(places) < BLOCK // 8:
        return written + struct.pack(f"<{len(places)}H", *places)
    return write_block(read_block(written) | numbers_of(places)[0])


def write_block(bits: int) -> bytes:
    """Return the stored form of a block's bits."""
    if bits.bit_count() * 2 >= BLOCK // 8:
        return bits.to_bytes(BLOCK // 8, "little")
    places = list(newest_first({0: bits}))
    return struct.pack(f"<{len(places)}H", *places)
