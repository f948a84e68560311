"""Mails damaged on the way: seeded, so that a failure can be had again."""

from __future__ import annotations

import random
from collections.abc import Iterator

_WEIRD = (
    b"\x00",
    b"\xff\xfe",
    b"\r",
    b"\n\n",
    b"--b1\n",
    b"=?utf-8?b?",
    b"Content-Type: multipart/mixed; boundary=b1\n",
    b"<",
    b"@",
    b";",
)


def mutants(message: bytes, number: int, seed: random.Random) -> Iterator[bytes]:
    """`number` damaged copies: cut, doubled, shuffled, flipped, other line ends, octets from nowhere."""
    for _ in range(number):
        data = bytearray(message)
        for _ in range(seed.randint(1, 4)):
            if not data:
                break
            at = seed.randrange(len(data))
            to = min(len(data), at + seed.randint(1, 200))
            match seed.randrange(8):
                case 0:
                    del data[at:to]
                case 1:
                    del data[at:]
                case 2:
                    data[at:at] = data[at:to] * seed.randint(1, 3)
                case 3:
                    data[at] ^= 1 << seed.randrange(8)
                case 4:
                    data[at:at] = seed.choice(_WEIRD)
                case 5:
                    data = bytearray(bytes(data).replace(b"\r\n", seed.choice((b"\r", b"\n"))))
                case 6:
                    lines = bytes(data).split(b"\n")
                    seed.shuffle(lines)
                    data = bytearray(b"\n".join(lines))
                case 7:
                    data[at:to] = seed.randbytes(to - at)
        yield bytes(data)
