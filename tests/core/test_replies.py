"""What a refusal is about, in the words of the servers that send them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.replies import Kind, classify

TABLE = [
    (550, "550 5.1.1 The email account that you tried to reach does not exist.", Kind.ADDRESS),
    (550, "550 5.1.1 <x@box.test>: Recipient address rejected: User unknown in virtual mailbox table", Kind.ADDRESS),
    (550, "550 No such user here", Kind.ADDRESS),
    (550, "550 5.1.2 bad destination system", Kind.ADDRESS),
    (550, "550 5.1.10 recipient not found by SMTP address lookup", Kind.ADDRESS),
    (550, "550 5.2.1 The account is disabled", Kind.ADDRESS),
    (556, "556 domain does not accept mail", Kind.ADDRESS),
    (550, "550 5.5.0 Requested action not taken: mailbox unavailable", Kind.ADDRESS),
    (553, "Not sent: The address is malformed.", Kind.ADDRESS),
    (550, "550 5.7.1 Our system has detected that this message is likely unsolicited mail", Kind.POLICY),
    (550, "550 5.7.26 This mail is unauthenticated, SPF and DKIM did not pass", Kind.POLICY),
    (421, "421 4.7.0 Our system has detected an unusual rate of mail from your IP address", Kind.POLICY),
    (451, "451 4.7.1 Greylisting in action, please come back later", Kind.POLICY),
    (554, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", Kind.POLICY),
    (550, "550 5.1.1 blocked, your host is on a blocklist", Kind.POLICY),
    (550, "550 JunkMail rejected - host is in an RBL", Kind.POLICY),
    (554, "554 5.7.1 <x@box.test>: Relay access denied", Kind.POLICY),
    (550, "550 5.1.8 sender's domain does not exist", Kind.POLICY),
    (530, "530 Must issue a STARTTLS command first", Kind.POLICY),
    (452, "452 4.2.2 The recipient's inbox is out of storage space", Kind.FULL),
    (552, "552 5.2.2 mailbox full", Kind.FULL),
    (550, "550 5.1.1 user over quota", Kind.FULL),
    (552, "552 requested mail action aborted: exceeded storage allocation", Kind.FULL),
    (552, "552 5.3.4 message size exceeds fixed limit", Kind.CONTENT),
    (552, "552 5.2.3 message exceeds your limit", Kind.CONTENT),
    (554, "554 5.6.0 message content could not be converted", Kind.CONTENT),
    (550, "550 this looks like spam", Kind.CONTENT),
    (552, "552 message too large", Kind.CONTENT),
    (450, "450 user unknown for now", Kind.OTHER),
    (451, "451 4.3.0 try again later", Kind.OTHER),
    (550, "550 5.4.1 no answer from host", Kind.OTHER),
    (554, "554 transaction failed", Kind.OTHER),
    (550, "550 see http://box.test/5.1.1.7 for more", Kind.OTHER),
    (0, "", Kind.OTHER),
]


@pytest.mark.parametrize(("code", "reply", "kind"), TABLE, ids=[row[1][:40] for row in TABLE])
def test_a_refusal_is_about(code: int, reply: str, kind: Kind) -> None:
    assert classify(code, reply) is kind


@given(code=st.integers(400, 599), detail=st.integers(0, 199), words=st.text(max_size=80))
def test_an_answer_of_class_seven_blames_no_reader_whatever_it_says(code: int, detail: int, words: str) -> None:
    assert classify(code, f"{code} {code // 100}.7.{detail} {words}") is Kind.POLICY


@given(code=st.integers(-1, 999), words=st.text(max_size=500))
def test_any_words_have_an_answer(code: int, words: str) -> None:
    assert classify(code, words) in Kind
