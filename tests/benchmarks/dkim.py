"""What a DKIM signature costs beside the bare RSA-2048 signature inside it, and beside dkimpy's: microseconds.

Run by `make prove` as a module (beside this file `import dkim` would find itself). A message of 48 KB, relaxed/relaxed.
The ways take turns in each round; the ratio is made within a round, and the median of five rounds counts. Exit code 1
when the whole costs more than 1.25 times the bare signature.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from random import Random
from time import perf_counter

import dkim
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from newsletter.core.dkim import Signer, is_relaxed_canonical

ROUNDS, CALLS, SLOW_CALLS, TURNS, ALLOWED = 5, 1000, 30, 10, 1.25
DOMAIN = "news.example.org"
HEAD = """\
From: "The Lantern, weekly" <weekly@news.example.org>
Reply-To: letters@news.example.org
Date: Thu, 05 Nov 2026 08:00:00 -0500
List-Id: The Lantern Weekly <weekly.news.example.org>
Feedback-ID: 45:weekly:issue:lantern
MIME-Version: 1.0
To: Ana Example <ana@example.org>
Subject: =?utf-8?B?VGhlIHdlZWsgaW4gcmV2aWV3cw==?=
 =?utf-8?B?IGZvciBBbmE=?=
Message-ID: <45.123456@news.example.org>
List-Unsubscribe: <https://news.example.org/u/AAAAAAAAAAAAAAAAAAAAAAAA>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
Content-Type: multipart/alternative; boundary="=_4f1e"

"""


def message() -> bytes:
    """48 KB of quoted-printable lines under the headers of an issue."""
    generator = Random(48)
    letters = b"abcdefghijklmnopqrstuvwxyz0123456789=<>/"
    body = b"".join(bytes(generator.choices(letters, k=74)) + b"=\r\n" for _ in range(48 * 1024 // 77))
    assert is_relaxed_canonical(body)
    return HEAD.replace("\n", "\r\n").encode() + body


def timed(call: Callable[[], object], calls: int) -> float:
    """Microseconds a call."""
    began = perf_counter()
    for _ in range(calls):
        call()
    return (perf_counter() - began) / calls * 1e6


def main() -> int:
    wire = message()
    rsa, ed25519 = generate_private_key(65537, 2048), Ed25519PrivateKey.generate()
    one = Signer(DOMAIN, [("n1", rsa)])
    other, both = Signer(DOMAIN, [("n1e", ed25519)]), Signer(DOMAIN, [("n1", rsa), ("n1e", ed25519)])
    padding, algorithm, data = PKCS1v15(), SHA256(), b"x" * 900
    pem = rsa.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    names = [b"from", b"to", b"subject", b"date", b"message-id", b"list-unsubscribe", b"list-unsubscribe-post"]
    ways: dict[str, tuple[Callable[[], object], int]] = {
        "bare RSA-2048": (lambda: rsa.sign(data, padding, algorithm), CALLS),
        "ours, RSA-2048": (lambda: one.sign(wire, at=1_794_000_000), CALLS),
        "ours, Ed25519": (lambda: other.sign(wire, at=1_794_000_000), CALLS),
        "ours, both": (lambda: both.sign(wire, at=1_794_000_000), CALLS),
        "dkimpy, RSA-2048": (
            lambda: dkim.sign(
                wire, b"n1", DOMAIN.encode(), pem, canonicalize=(b"relaxed", b"relaxed"), include_headers=names
            ),
            SLOW_CALLS,
        ),
    }
    rounds: list[dict[str, float]] = []
    for _ in range(ROUNDS):
        turns = [{name: timed(call, calls // TURNS) for name, (call, calls) in ways.items()} for _ in range(TURNS)]
        rounds.append({name: statistics.mean(turn[name] for turn in turns) for name in ways})
    print(f"one message of {len(wire)} bytes; median of {ROUNDS} rounds")
    print("| way | us | ratio to bare |\n|---|---|---|")
    for name in ways:
        ratio = statistics.median(each[name] / each["bare RSA-2048"] for each in rounds)
        print(f"| {name} | {statistics.median(each[name] for each in rounds):.0f} | {ratio:.2f} |")
    ratio = statistics.median(each["ours, RSA-2048"] / each["bare RSA-2048"] for each in rounds)
    print(f"whole RSA signature: {ratio:.3f} x a bare one; {ALLOWED} is allowed")
    return int(ratio > ALLOWED)


if __name__ == "__main__":
    sys.exit(main())
