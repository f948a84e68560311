"""Signatures, judged by dkimpy: a verifier that shares no line with the signer."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.core.dkim import LINE, PrivateKey, Signer, is_relaxed_canonical
from newsletter.core.domain import dkim_record
from newsletter.core.errors import ConfigError

DOMAIN = "news.example.org"
AT = 1_794_000_000
RSA: RSAPrivateKey = generate_private_key(65537, 2048)
ED25519 = Ed25519PrivateKey.generate()
KEYS: list[tuple[str, PrivateKey]] = [("n1", RSA), ("n1e", ED25519)]
ZONE = {f"{selector}._domainkey.{DOMAIN}.".encode(): dkim_record(key.public_key()).encode() for selector, key in KEYS}
SIGNER = Signer(DOMAIN, KEYS)

HEAD = """\
From: "The Lantern, weekly" <weekly@news.example.org>
Reply-To: letters@news.example.org
Date: Thu, 05 Nov 2026 08:00:00 -0500
List-Id: The Lantern Weekly <weekly.news.example.org>
Feedback-ID: 45:weekly:issue:lantern
MIME-Version: 1.0
To: Ana <ana@example.org>
Subject: =?utf-8?B?w4TDpMOk?=
 =?utf-8?B?w7bDtg==?= and	more
Message-ID: <1.2@news.example.org>
List-Unsubscribe: <https://news.example.org/u/AAAAAAAAAAAAAAAAAAAAAAAA>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
X-Not-Signed: whatever
Content-Type: multipart/alternative; boundary="b"
""".replace("\n", "\r\n")
BODY = "--b\r\n\r\nHello =\r\nAna,=20\r\n\r\n=2E and so on=\r\n.\r\n--b--\r\n"
MESSAGE = f"{HEAD}\r\n{BODY}".encode()


def _found(name: bytes, timeout: int = 5) -> bytes | None:
    return ZONE.get(name)


def _verified(message: bytes) -> list[bool]:
    """What dkimpy says of each signature, from the top."""
    judge = dkim.DKIM(message)
    count = sum(name.lower() == b"dkim-signature" for name, _ in judge.headers)
    return [bool(_verify(judge, index)) for index in range(count)]


def _verify(judge: dkim.DKIM, index: int) -> bool:
    try:
        return bool(judge.verify(idx=index, dnsfunc=_found))
    except dkim.DKIMException:
        return False


def _signed(message: bytes = MESSAGE) -> bytes:
    return SIGNER.sign(message, at=AT) + message


def test_both_signatures_are_verified() -> None:
    assert _verified(_signed()) == [True, True]


def test_the_signature_says_what_it_should() -> None:
    field = SIGNER.sign(MESSAGE, at=AT).decode()
    assert [re.search(r"a=([a-z0-9-]+)", each)[1] for each in field.split("DKIM-Signature:")[1:]] == [  # type: ignore[index]
        "rsa-sha256",
        "ed25519-sha256",
    ]
    flat = re.sub(r"\s+", "", field)
    assert f"d={DOMAIN};s=n1;t={AT};" in flat
    assert "l=" not in re.findall(r"(?<=;)\w+=", flat)
    names = re.search(r"h=([^;]+);", flat)[1].split(":")  # type: ignore[index]
    for name in ("from", "to", "subject", "date", "message-id", "reply-to", "mime-version", "content-type"):
        assert names.count(name) == 2, name
    assert (names.count("list-unsubscribe"), names.count("list-unsubscribe-post"), names.count("cc")) == (2, 2, 1)
    assert (names.count("list-id"), names.count("feedback-id"), names.count("x-not-signed")) == (1, 1, 0)
    assert max(map(len, field.split("\r\n"))) <= LINE
    assert all(line.startswith((" ", "DKIM-Signature: ")) for line in field.split("\r\n")[:-1])


def test_a_message_without_unsubscribe_headers_is_signed_and_lets_a_relay_add_them() -> None:
    message = re.sub(rb"List-Unsubscribe[^\n]*\n", b"", MESSAGE)
    assert b"list-unsubscribe" not in SIGNER.sign(message, at=AT)
    assert _verified(_signed(message)) == [True, True]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Hello", b"Hullo"),
        (b"weekly@news", b"weakly@news"),
        (b"and\tmore", b"and less"),
        (b"/u/A", b"/u/B"),
        (b"One-Click", b"Two-Click"),
        (b"45:weekly", b"46:weekly"),
        (b"Date: Thu, 05", b"Date: Thu, 06"),
        (b"<1.2@", b"<1.3@"),
        (b"letters@", b"litters@"),
        (b'boundary="b"', b'boundary="c"'),
        (b"--b--\r\n", b"--b--\r\nmore\r\n"),
    ],
)
def test_an_altered_message_is_not_verified(old: bytes, new: bytes) -> None:
    signed = _signed()
    assert signed.count(old) >= 1
    place = signed.rindex(old)
    assert _verified(signed[:place] + new + signed[place + len(old) :]) == [False, False]


@pytest.mark.parametrize("name", ["From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To", "Content-Type"])
@pytest.mark.parametrize("on_top", [True, False])
def test_a_field_added_on_the_way_breaks_the_signature(name: str, on_top: bool) -> None:
    added = f"{name}: somebody@evil.test\r\n".encode()
    fields = SIGNER.sign(MESSAGE, at=AT)
    head, _, body = MESSAGE.partition(b"\r\n\r\n")
    message = added + fields + MESSAGE if on_top else fields + head + b"\r\n" + added + b"\r\n" + body
    assert _verified(message) == [False, False]


def test_what_relays_do_to_a_message_does_no_harm() -> None:
    head, _, body = _signed().partition(b"\r\n\r\n")
    refolded = head.replace(b"; boundary", b";\r\n\tboundary").replace(b"Message-ID:", b"Message-Id:   ")
    received = b"Received: from a by b; Thu, 05 Nov 2026 13:00:01 +0000\r\nX-Spam: no\r\n"
    assert _verified(received + refolded + b"\r\n\r\n" + body + b"\r\n\r\n") == [True, True]


# Any octets that can stand in a field; blanks and folds among them, as they are what canonicalisation is about.
_VALUES = st.lists(
    st.sampled_from(["a", "Z", "9", " ", "  ", "\t", "\r\n ", "\r\n\t", ":", ";", "=", '"', "<x@y.z>", "%", "ü", "%d"]),
    max_size=12,
).map(lambda parts: "x" + "".join(parts) + "x")
_LINES = st.lists(st.sampled_from(["a", "=20", "=", ".", "From", "%", "é", " a", "--b"]), max_size=30).map("".join)


@given(
    fields=st.lists(
        st.tuples(
            st.sampled_from(["To", "Subject", "Cc", "LIST-Help", "List-Id", "X-Any", "Date", "list-Post", "Sender"]),
            st.sampled_from([":", ": ", ":\t", ":   "]),
            _VALUES,
        ),
        max_size=12,
    ),
    lines=st.lists(_LINES, max_size=20),
)
@settings(max_examples=60, deadline=None)
def test_any_message_with_a_canonical_body_is_verified(fields: list[tuple[str, str, str]], lines: list[str]) -> None:
    body = "".join(f"{line}\r\n" for line in [*lines, "end"]).encode()
    assert is_relaxed_canonical(body)
    head = "".join(f"{name}{colon}{value}\r\n" for name, colon, value in fields)
    message = f"{head}From: weekly@news.example.org\r\n\r\n".encode() + body
    assert _verified(_signed(message)) == [True, True]


@given(data=st.lists(st.sampled_from([b"a", b" ", b"  ", b"\t", b"\r\n", b"\r\n\r\n", b" \r\n"]), max_size=12))
@settings(max_examples=400)
def test_a_body_is_called_canonical_when_dkimpys_own_canonicalisation_leaves_it_alone(data: list[bytes]) -> None:
    body = b"".join(data)
    assert is_relaxed_canonical(body) == (dkim.canonicalization.Relaxed.canonicalize_body(body) == body)


@pytest.mark.parametrize("body", [b"a\nb\r\n", b"a\rb\r\n", b"\n", b"a\r\r\n"])
def test_a_bare_line_end_is_not_canonical(body: bytes) -> None:
    assert not is_relaxed_canonical(body)


def test_a_message_without_from_or_without_an_end_of_its_headers_is_refused() -> None:
    with pytest.raises(ValueError, match="no From"):
        SIGNER.sign(b"To: a@example.org\r\n\r\nx\r\n", at=AT)
    with pytest.raises(ValueError, match="no end"):
        SIGNER.sign(b"From: a@example.org\r\n", at=AT)


def test_a_key_or_name_that_no_receiver_would_take_is_refused() -> None:
    short = generate_private_key(65537, 1024)  # the very thing that must be refused
    with pytest.raises(ConfigError, match="1024 bits"):
        Signer(DOMAIN, [("n1", short)])
    with pytest.raises(ConfigError, match="no DKIM key"):
        Signer(DOMAIN, [])
    with pytest.raises(ConfigError, match="selector"):
        Signer(DOMAIN, [("n1; x=y", ED25519)])
    with pytest.raises(ConfigError, match="domain of a DKIM"):
        Signer("news.example.org; d=evil.test", [("n1", ED25519)])


def test_the_same_message_key_and_time_give_the_same_rsa_signature() -> None:
    assert SIGNER.sign(MESSAGE, at=AT) == Signer(DOMAIN, KEYS).sign(MESSAGE, at=AT)
    assert SIGNER.sign(MESSAGE, at=AT) != SIGNER.sign(MESSAGE, at=AT + 1)


@pytest.mark.skipif(not shutil.which("opendkim"), reason="opendkim is not installed")
def test_opendkim_verifies_the_rsa_signature_too(tmp_path: Path) -> None:
    """opendkim -t verifies one message; the key comes from a file, as no DNS is asked."""
    (tmp_path / "keys").write_text(f"n1._domainkey.{DOMAIN} {dkim_record(RSA.public_key())}\n")
    (tmp_path / "conf").write_text(f"TestPublicKeys {tmp_path / 'keys'}\nMode v\nSyslog no\n")
    signed = Signer(DOMAIN, [("n1", RSA)]).sign(MESSAGE, at=AT) + MESSAGE
    (tmp_path / "good.eml").write_bytes(signed)
    (tmp_path / "bad.eml").write_bytes(signed.replace(b"Hello", b"Hullo"))
    said = [
        subprocess.run(
            ["opendkim", "-x", str(tmp_path / "conf"), "-vv", "-t", str(tmp_path / name)],
            capture_output=True,
            text=True,
            timeout=20,
        )
        for name in ("good.eml", "bad.eml")
    ]
    good, bad = (re.findall(r"verification \(s=.*", each.stdout + each.stderr) for each in said)
    assert len(good) == 1 and good[0].endswith("2048-bit key) succeeded")
    assert len(bad) == 1 and "failed" in bad[0]


def test_random_long_bodies_are_hashed_whole() -> None:
    generator = random.Random(8463)
    body = b"".join(bytes(generator.choices(b"abcdef=.", k=70)) + b"\r\n" for _ in range(700))
    message = f"{HEAD}\r\n".encode() + body
    assert _verified(_signed(message)) == [True, True]
    at = len(_signed(message)) - 30
    signed = _signed(message)
    assert _verified(signed[:at] + b"#" + signed[at + 1 :]) == [False, False]


def test_dkimpy_itself_signs_what_we_would_call_the_same_hash() -> None:
    pem = RSA.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    theirs = dkim.sign(MESSAGE, b"n1", DOMAIN.encode(), pem, canonicalize=(b"relaxed", b"relaxed"))
    flat = re.sub(rb"\s+", b"", theirs)
    found = re.search(rb"bh=([^;]+);", flat)
    assert found is not None and found[0] in re.sub(rb"\s+", b"", SIGNER.sign(MESSAGE, at=AT))
