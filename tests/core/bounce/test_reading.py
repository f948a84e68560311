"""What comes back, read: every server's own way, and no mail that can break the reader."""

from __future__ import annotations

import random

import pytest

from newsletter.core.bounce import ReportKind, read
from newsletter.core.bounce.parts import DEEPEST, LARGEST, parse
from tests.core.bounce.mutating import mutants
from tests.core.bounce.samples import READER, SAMPLES, Sample

TOKEN, LINK = "T" * 24, "L" * 24


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_each_servers_mail_is_read_for_what_it_is(sample: Sample) -> None:
    report = read(sample.as_bytes(), second_voice=False)
    assert report.kind == sample.kind
    assert report.tokens[:1] == (TOKEN,)
    if sample.about is not None:
        assert [one.address.lower() for one in report.recipients] == [sample.address]
        assert (report.recipients[0].about, report.recipients[0].hard) == (sample.about, sample.hard)
    if sample.status is not None:
        assert report.recipients[0].status == sample.status


def test_the_address_that_the_mail_came_to_says_first_whose_it_is() -> None:
    sample = next(one for one in SAMPLES if one.name == "postfix")
    report = read(sample.as_bytes(token="U" * 24), envelope_to=f"bounce+{TOKEN}@news.example.test")
    assert report.tokens == (TOKEN, "U" * 24)
    assert report.message_id == "<copy-1@news.example.test>" and report.links == (LINK,)


def test_the_second_voice_never_calls_anybody_gone() -> None:
    for sample in SAMPLES:
        report = read(sample.as_bytes().replace(b"5.", b"4."))
        assert report.voice != "flufl-bounce" or not any(one.hard for one in report.recipients)


@pytest.mark.parametrize(
    "message",
    [
        b"", b"\n", b"\x00" * 400, b"From: \n\n",
        b"From: \xff\xfe <\xe9@\xff>\nSubject: \xff\n\n\xff" * 3,
        b":\n:\n", b" \n \n",
        b"Content-Type: multipart/report; boundary=\n\n--\n--\n",
        b"Content-Type: multipart/mixed; boundary=\"\xff\"\n\n--\xff\n",
        b"Subject: =?utf-8?b?/w?= =?x?q?=GG?=\n\n", b"Content-Transfer-Encoding: base64\n\n=", b"A" * 2_000_000,
        b"Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822;\nAction: failed\nStatus: 5.1.1\n",
        b"Content-Type: message/global-delivery-status\n\n"
        b"Final-Recipient: utf-8; \\x{FFFFFF}@x\\x{D800}.test\nAction: failed\n",
    ],
    ids=repr,
)  # fmt: skip
def test_broken_mails_are_read_without_an_exception_and_fill_no_log(
    message: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    report = read(message)
    assert not any(one.hard for one in report.recipients) and caplog.text == ""


def test_depth_parts_and_size_are_bounded() -> None:
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2_000))
    deepest = 0
    part = parse(nested)
    while part.parts:
        part, deepest = part.parts[0], deepest + 1
    assert deepest <= DEEPEST
    assert read(b"Content-Type: message/rfc822\n\n" * 5_000).kind is ReportKind.NONE
    wide = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 50_000
    assert len(list(parse(wide).walk())) <= 60
    assert len(parse(b"\n" + b"x" * (3 * LARGEST)).body) <= LARGEST


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "filling", [b"-", b" ", b"<", b"a@", b"=?", b"x\n", b"\n", b"--b\n", b"user ", b"a.", b"-=*|>\n"]
)
def test_a_mail_of_one_thing_over_and_over_costs_no_time(filling: bytes) -> None:
    long = filling * (LARGEST // len(filling))
    for head in (
        b"From: MAILER-DAEMON@box.test\n\n",
        b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n",
        b"Subject: ",
        b"",
    ):
        read(head + long)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_no_mutation_of_any_of_them_raises_or_blames_another_reader(sample: Sample) -> None:
    seed = random.Random(f"mutants of {sample.name}")
    for mutant in mutants(sample.as_bytes(), 60, seed):
        report = read(mutant)
        # A token that was altered is not believed by whoever has the keys; no other may come from nowhere.
        assert len(report.tokens) <= 8 and len(report.recipients) <= 50
        if any(one.hard for one in report.recipients) and not sample.hard:
            # A flipped digit may turn 5.7.1 into 5.1.1: then it must say so itself.
            assert all(one.status or one.diagnostic for one in report.recipients if one.hard)


def test_a_reader_is_named_only_where_the_mail_names_them() -> None:
    named = {
        one.address.lower() for sample in SAMPLES for one in read(sample.as_bytes(), second_voice=False).recipients
    }
    assert named == {READER}
