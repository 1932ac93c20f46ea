"""Sets of the numbers of notes, small and quick for a search among 200,000, and as bytes in the file."""

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice

BLOCK = 4096

# Numbers of notes: for each block a number whose n-th bit stands for the n-th note of the block.
Numbers = dict[int, int]


def count(numbers: Numbers) -> int:
    """Return how many numbers there are."""
    return sum(bits.bit_count() for bits in numbers.values())


def both(one: Numbers, other: Numbers) -> Numbers:
    """Return the numbers that are in one and the other."""
    return {block: bits & other[block] for block, bits in one.items() if bits & other.get(block, 0)}


def add_all(one: Numbers, other: Numbers) -> None:
    """Put the other numbers to the one's."""
    for block, bits in other.items():
        one[block] = one.get(block, 0) | bits


def numbers_of(few: Iterable[int]) -> Numbers:
    """Return single numbers as Numbers."""
    found: defaultdict[int, bytearray] = defaultdict(lambda: bytearray(BLOCK // 8))
    for number in few:
        found[number // BLOCK][number % BLOCK // 8] |= 1 << number % 8
    return {block: int.from_bytes(bits, "little") for block, bits in found.items()}


def newest_first(numbers: Numbers) -> Iterator[int]:
    """Return the numbers one by one, the highest first."""
    for block in sorted(numbers, reverse=True):
        bits = numbers[block]
        while bits:
            place = bits.bit_length() - 1
            yield block * BLOCK + place
            bits ^= 1 << place


def without(one: Numbers, other: Numbers) -> Numbers:
    """Return the numbers that are in one and not in the other."""
    return {block: bits & ~other.get(block, 0) for block, bits in one.items() if bits & ~other.get(block, 0)}


def page(numbers: Numbers, limit: int, offset: int) -> list[int]:
    """Return some numbers behind the highest ones; whole blocks are passed over at once."""
    found: list[int] = []
    for block in sorted(numbers, reverse=True):
        there = numbers[block].bit_count()
        if offset < there and len(found) < limit:
            here = newest_first({block: numbers[block]})
            found += islice(here, offset, offset + limit - len(found))
        offset = max(0, offset - there)
    return found


# How numbers are written. Up to 255 of a block: each as two bytes; more: one bit for each of the 4096.


def read_few(few: bytes | bytearray) -> tuple[int, ...]:
    """Return few numbers as they were written."""
    return struct.unpack(f"<{len(few) // 4}I", few)


def write_few(few: list[int]) -> bytes:
    """Return few numbers as bytes, four each."""
    return struct.pack(f"<{len(few)}I", *few)


def read_block(written: bytes) -> int:
    """Return the bits of a block as they were written."""
    return int.from_bytes(written, "little") if len(written) == BLOCK // 8 else read_places(written)


def read_places(written: bytes | bytearray) -> int:
    """Return the bits of a block of which few are set."""
    return numbers_of(struct.unpack(f"<{len(written) // 2}H", written)).get(0, 0)


def extended(written: bytes, places: list[int]) -> bytes:
    """Return a block with more places in it: most have few, which needs no reading of the others."""
    if len(written) + 2 * len(places) < BLOCK // 8:
        return written + struct.pack(f"<{len(places)}H", *places)
    return write_block(read_block(written) | numbers_of(places)[0])


def write_block(bits: int) -> bytes:
    """Return the bits of a block as bytes."""
    if bits.bit_count() * 2 >= BLOCK // 8:
        return bits.to_bytes(BLOCK // 8, "little")
    places = list(newest_first({0: bits}))
    return struct.pack(f"<{len(places)}H", *places)
