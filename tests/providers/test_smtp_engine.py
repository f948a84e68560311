"""Several connections on one loop: groups of commands, refusals inside them, and one connection's trouble its own."""

from __future__ import annotations

import selectors
import ssl
import threading
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from newsletter.core.errors import ProviderError
from newsletter.providers.base import Outcome, Outgoing
from newsletter.providers.smtp import SmtpProvider, SmtpSettings
from newsletter.providers.smtp.commands import xtext
from newsletter.providers.smtp.replies import GARBAGE, LONGEST_REPLY, Parser
from newsletter.providers.smtp.wire import Wire
from tests.providers.dispatching import SENDER, Book
from tests.providers.rough import CLOSE, EHLO, HANG, RoughServer

MESSAGE = b"Subject: x\r\n\r\na letter\r\n"
YES, NO, LATER, NOBODY_KNOWS = Outcome.ACCEPTED, Outcome.REFUSED, Outcome.DEFERRED, Outcome.UNKNOWN


def provider(server: RoughServer, **settings: Any) -> SmtpProvider:
    table = {"connections": 1, "timeout": 5, "final_timeout": 5, "hello": "sender.test", **settings}
    return SmtpProvider(SmtpSettings(host="127.0.0.1", port=server.port, **table))


def letters(count: int, message: bytes = MESSAGE) -> Book:
    return Book([Outgoing(key, SENDER, f"r{key}@box.test", message) for key in range(count)])


def send(server: RoughServer, book: Book, **settings: Any) -> Book:
    made = provider(server, **settings)
    try:
        made.run(book)
    finally:
        made.close()
    assert not book.open
    return book


def commands(server: RoughServer, connection: int) -> list[str]:
    return [line.partition(" ")[0] for line in server.heard[connection]]


def when(verb: str, *numbers: int, say: str, connection: int = 0) -> Any:
    """Say so to the numbered of this verb (all of them without numbers)."""

    def answer(number: int, heard: str, times: int) -> str | None:
        wanted = heard == verb and (not numbers or times in numbers) and connection in (0, number)
        return say if wanted else None

    return answer


# --- groups ----------------------------------------------------------------------------------------------------------


def test_a_message_costs_one_write_and_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = dict.fromkeys(("write", "read", "select"), 0)

    def counting(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def counted(*arguments: Any) -> Any:
            calls[name] += 1
            return original(*arguments)

        monkeypatch.setattr(owner, name, counted)

    counting(Wire, "write")
    counting(Wire, "read")
    counting(selectors.DefaultSelector, "select")
    with RoughServer() as server:
        book = send(server, letters(200))
    assert book.outcomes() == [YES] * 200
    # This server does not always bring its four answers in one piece; a real one does.
    assert calls["write"] <= 205 and calls["write"] + calls["read"] <= 2.4 * 200, calls
    assert commands(server, 1)[:7] == ["EHLO", "MAIL", "RCPT", "DATA", "MAIL", "RCPT", "DATA"]


def test_nothing_is_said_ahead_to_a_server_that_does_not_offer_it() -> None:
    with RoughServer(when("RCPT", 2, say="550 5.1.1 nobody"), ehlo=("rough.test", "SIZE")) as server:
        book = send(server, letters(5))
    assert book.outcomes() == [YES, NO, YES, YES, YES] and server.ahead == 0
    assert "RSET" in server.heard[1] and "DATA" not in commands(server, 1)[5:8]


def test_a_data_let_in_without_a_recipient_ends_with_a_dot_that_reaches_nobody() -> None:
    def answer(_: int, verb: str, number: int) -> str | None:
        return {("RCPT", 2): "550 5.1.1 nobody", ("DATA", 2): "354 go on"}.get((verb, number))

    with RoughServer(answer) as server:
        book = send(server, letters(4))
    assert book.outcomes() == [YES, NO, YES, YES] and book.results[1].code == 550
    assert server.texts.count(b".\r\n") == 1 and len(server.heard) == 1
    assert sorted(server.accepted) == ["r0@box.test", "r2@box.test", "r3@box.test"]


def test_more_behind_a_data_let_in_without_a_recipient_is_not_taken_for_the_answer_to_the_dot() -> None:
    """Taken so, the dot's own answer would be the next MAIL's: a no to the sender, which stops the whole send."""

    def answer(connection: int, verb: str, number: int) -> str | None:
        if connection != 1 or number != 2:
            return None
        return {"RCPT": "550 5.1.1 nobody", "DATA": "354 go on\r\n250 and more", ".": "554 5.7.1 spam"}.get(verb)

    with RoughServer(answer) as server:
        book = send(server, letters(4))
    assert book.outcomes() == [YES, NO, YES, YES] and len(server.heard) == 2
    assert sorted(server.accepted) == ["r0@box.test", "r2@box.test", "r3@box.test"]


def test_a_data_let_in_with_a_recipient_but_without_a_sender_is_closed_and_never_an_empty_letter() -> None:
    def answer(connection: int, verb: str, number: int) -> str | None:
        said = {"MAIL": "451 4.3.0 later", "RCPT": "250 2.1.5 ok", "DATA": "354 go on"}.get(verb)
        return said if number == 2 and connection == 1 else None

    with RoughServer(answer) as server:
        book = send(server, letters(4))
    assert book.outcomes() == [YES, LATER, YES, YES] and b".\r\n" not in server.texts
    assert len(server.heard) == 2


def test_a_refusal_of_a_group_is_cleared_by_rset_in_front_of_the_next() -> None:
    with RoughServer(when("RCPT", 2, say="450 4.2.1 later")) as server:
        book = send(server, letters(4))
    assert book.outcomes() == [YES, LATER, YES, YES] and "4.2.1" in book.results[1].reply
    assert len(server.heard) == 1 and server.heard[1].count("RSET") == 1


def test_a_sender_refused_in_mid_stream_stops_the_run_and_ends_everything() -> None:
    with RoughServer(when("MAIL", 5, say="550 5.7.1 go away")) as server:
        book = letters(20)
        with pytest.raises(ProviderError, match="go away") as caught:
            send(server, book)
    assert caught.value.permanent and book.outcomes() == [YES] * 4 + [None]
    assert sum(server.accepted.values()) == 4


@pytest.mark.parametrize(
    "say", ["552 too much", "550 5.3.4 too big", "552 5.2.3 too long", "554 5.6.7 not these letters"]
)
def test_a_message_refused_with_its_sender_ends_alone(say: str) -> None:
    with RoughServer(when("MAIL", 2, say=say)) as server:
        assert send(server, letters(3)).outcomes() == [YES, NO, YES]


def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next() -> None:
    def answer(connection: int, verb: str, number: int) -> str | None:
        return "354 go on\r\n250 2.0.0 taken, I say" if (connection, verb, number) == (1, "DATA", 2) else None

    with RoughServer(answer) as server:
        book = send(server, letters(3))
    assert sorted(server.accepted) == [f"r{key}@box.test" for key, end in book.results.items() if end.outcome is YES]
    assert book.outcomes() == [YES, LATER, YES] and len(server.heard) == 2


@pytest.mark.parametrize("say", ["503 5.5.1 bad sequence", "554 5.5.1 no valid recipients"])
def test_a_server_out_of_step_is_left_and_its_words_are_not_about_the_sender(say: str) -> None:
    with RoughServer(when("MAIL", 2, say=say, connection=1)) as server:
        book = send(server, letters(4))
    assert [book.results[key].outcome for key in range(4)] == [YES] * 4
    assert sorted(server.accepted.values()) == [1] * 4 and len(server.heard) == 2


def test_a_server_that_never_comes_into_step_is_away_and_not_against_us() -> None:
    with RoughServer(when("MAIL", say="503 5.5.1 bad sequence")) as server, pytest.raises(ProviderError) as caught:
        send(server, letters(2))
    assert not caught.value.permanent


def test_a_no_in_the_middle_of_the_text_is_a_no() -> None:
    def answer(connection: int, verb: str, number: int) -> str | None:
        return "552 5.3.4 too big after all" if connection == 1 and verb == "BODY" else None

    with RoughServer(answer, ehlo=("rough.test", "PIPELINING")) as server:
        big = MESSAGE + b"x" * 70 + b"\r\n" * 10_000_000
        book = Book([Outgoing(0, SENDER, "r0@box.test", big), Outgoing(1, SENDER, "r1@box.test", MESSAGE)])
        send(server, book)
    assert book.outcomes()[1] is YES and server.accepted["r0@box.test"] == 0
    # The server closes right behind its no: whether the no is still read depends on the system.
    assert book.outcomes()[0] in (NO, None)


# --- connections -----------------------------------------------------------------------------------------------------


def test_a_connection_that_hangs_holds_up_no_message_of_another() -> None:
    for verb in ("220", "EHLO"):
        with RoughServer(when(verb, say=HANG, connection=1)) as server:
            began = time.monotonic()
            book = send(server, letters(40), connections=3)
            assert book.outcomes() == [YES] * 40 and time.monotonic() - began < 2


def test_one_message_opens_one_connection_and_many_open_all() -> None:
    everybody = threading.Event()

    def wait_for_the_others(number: int, verb: str, times: int) -> str | None:
        # The second letter of a connection is answered once all four are there: none can do the others' work.
        if verb == "." and times > 1 and len(server.heard) < 4:
            everybody.wait(10)
        if number == 4:
            everybody.set()
        return None

    with RoughServer(wait_for_the_others) as server:
        made = provider(server, connections=4)
        made.run(letters(1))
        assert len(server.heard) == 1
        made.run(letters(50))
        assert len(server.heard) == 4
        made.close()


def test_a_server_that_closes_after_some_messages_gets_new_connections() -> None:
    with RoughServer(when("MAIL", 4, say="421 4.7.0 enough on this one")) as server:
        assert send(server, letters(30), connections=2).outcomes() == [YES] * 30
    with RoughServer(when("gap", 3, say=CLOSE)) as server:
        assert send(server, letters(30), connections=2).outcomes() == [YES] * 30


def test_a_connection_takes_no_more_messages_than_it_may() -> None:
    with RoughServer() as server:
        assert send(server, letters(10), messages_per_connection=3).outcomes() == [YES] * 10
        assert [commands(server, number).count("MAIL") for number in server.heard] == [3, 3, 3, 1]
        deadline = time.monotonic() + 2
        while not all("QUIT" in server.heard[number] for number in server.heard) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert all(server.heard[number][-1] == "QUIT" for number in server.heard)


def test_a_server_that_allows_fewer_connections_is_served_over_those() -> None:
    def answer(connection: int, verb: str, _: int) -> str | None:
        return "421 4.7.0 too many connections" if verb == "220" and connection > 2 else None

    with RoughServer(answer) as server:
        assert send(server, letters(60), connections=5).outcomes() == [YES] * 60


def test_a_server_that_is_away_for_a_moment_is_waited_for() -> None:
    def answer(connection: int, verb: str, number: int) -> str | None:
        if connection == 1:
            return CLOSE if (verb, number) == ("gap", 2) else None
        return CLOSE if verb == "220" and connection < 4 else None

    with RoughServer(answer) as server:
        assert send(server, letters(6)).outcomes() == [YES] * 6


def test_a_server_that_stays_away_ends_the_run_and_everything_comes_back() -> None:
    def answer(connection: int, verb: str, number: int) -> str | None:
        if connection == 1:
            return CLOSE if (verb, number) == ("gap", 2) else None
        return "421 4.3.2 down" if verb == "220" else None

    with RoughServer(answer) as server:
        book = letters(6)
        with pytest.raises(ProviderError, match="down") as caught:
            send(server, book, patience=0.3)
    assert not caught.value.permanent and not book.open
    assert book.outcomes()[:2] == [YES, YES] and len(book.back) >= 1


def test_no_answer_in_time_gives_the_message_back_and_says_so() -> None:
    with RoughServer(when("RCPT", 2, say=HANG, connection=1)) as server:
        book = send(server, letters(3), timeout=0.2)
    assert book.outcomes() == [YES, None, YES] and "timed out" in book.back[1]


def test_it_rests_while_it_waits() -> None:
    with RoughServer(when("220", 1, say=HANG, connection=1)) as server:
        for run in (lambda made: made.open(), lambda made: made.run(letters(1))):
            began = time.thread_time()
            with pytest.raises(ProviderError, match="timed out"):
                run(provider(server, timeout=0.5))
            assert time.thread_time() - began < 0.2, "it turned round and round"
            server.answer = when("220", 1, say=HANG)
    with RoughServer() as server:
        items = [Outgoing(0, SENDER, "r0@box.test", MESSAGE), 0.5, Outgoing(1, SENDER, "r1@box.test", MESSAGE)]
        began = time.thread_time()
        assert send(server, Book(items)).outcomes() == [YES, YES]
        assert time.thread_time() - began < 0.2


def test_it_ticks_while_it_waits_for_an_answer() -> None:
    with RoughServer(when("after", 1, say=HANG)) as server:
        book = send(server, letters(1), final_timeout=1.2)
    assert book.outcomes() == [NOBODY_KNOWS] and book.ticks >= 2


def test_a_run_torn_out_by_a_signal_leaves_no_connection_and_can_run_again() -> None:
    class Torn(Book):
        def tick(self) -> None:
            raise KeyboardInterrupt

    with RoughServer(when("after", 1, say=HANG, connection=1)) as server:
        made = provider(server)
        torn = Torn([Outgoing(1, SENDER, "r1@box.test", MESSAGE)])
        with pytest.raises(KeyboardInterrupt):
            made.run(torn)
        assert torn.open == {1}, "it stays in doubt: nobody said what became of it"
        book = letters(2)
        made.run(book)
        assert book.outcomes() == [YES, YES] and len(server.heard) == 2
        made.close()


def test_senders_may_differ_from_message_to_message() -> None:
    with RoughServer() as server:
        items = [Outgoing(key, f"b+{key}@news.example.test", f"r{key}@box.test", MESSAGE) for key in range(3)]
        send(server, Book(list(items)))
    mails = [line.split()[1] for line in server.heard[1] if line.startswith("MAIL")]
    assert mails == [f"FROM:<b+{key}@news.example.test>" for key in range(3)]


# --- words -----------------------------------------------------------------------------------------------------------


def test_reports_of_failure_are_asked_for_where_they_are_offered() -> None:
    with RoughServer(ehlo=(*EHLO, "DSN")) as server:
        book = Book([Outgoing(77, SENDER, "ada+all=x@box.test", MESSAGE), Outgoing(8, SENDER, "ü@box.test", MESSAGE)])
        send(server, book)
        send(server, letters(1), dsn=False)
    mail, rcpt, _, _, other = server.heard[1][1:6]
    assert mail == f"MAIL FROM:<{SENDER}> SIZE={len(MESSAGE)} RET=HDRS ENVID=77"
    assert rcpt == "RCPT TO:<ada+all=x@box.test> NOTIFY=FAILURE ORCPT=rfc822;ada+2Ball+3Dx@box.test"
    assert other == "RCPT TO:<ü@box.test> NOTIFY=FAILURE"
    assert "ENVID" not in server.heard[2][1] and "NOTIFY" not in server.heard[2][2]


def test_xtext_quotes_what_it_must_and_nothing_else() -> None:
    assert xtext("a+b=c d~!*,-<>@x") == "a+2Bb+3Dc+20d~!*,-<>@x"


def test_a_server_that_knows_only_login_is_logged_into() -> None:
    user, password = b64encode(b"weekly").decode(), b64encode("grün".encode()).decode()

    def answer(_: int, verb: str, __: int) -> str | None:
        return {"AUTH": "334 VXNlcm5hbWU6", user.upper(): "334 UGFzc3dvcmQ6", password.upper(): "235 2.7.0 in"}.get(
            verb
        )

    with RoughServer(answer, ehlo=(*EHLO, "AUTH LOGIN")) as server:
        assert send(server, letters(1), username="weekly", password="grün").outcomes() == [YES]
    assert server.heard[1][1:4] == ["AUTH LOGIN", user, password]


@pytest.mark.parametrize(("say", "permanent"), [("535 5.7.8 wrong", True), ("454 4.7.0 not now", False)])
def test_a_refused_login_says_so_and_never_the_password(say: str, permanent: bool) -> None:
    with RoughServer(when("AUTH", say=say), ehlo=(*EHLO, "AUTH PLAIN")) as server:
        book = letters(5)
        with pytest.raises(ProviderError, match="refused the login") as caught:
            send(server, book, connections=3, username="weekly", password="open sesame")
    assert caught.value.permanent is permanent and "sesame" not in str(caught.value)
    assert book.outcomes() == [None] * len(book.taken)


def test_words_slipped_in_behind_the_yes_to_starttls_are_noticed(certificate: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    slipped = when("STARTTLS", say="220 go on\r\n250 and this")
    with (
        RoughServer(slipped, ehlo=(*EHLO, "STARTTLS"), tls=tls) as server,
        pytest.raises(ProviderError, match="in the clear") as caught,
    ):
        send(server, letters(1), tls="starttls", ca_file=str(certificate))
    assert caught.value.permanent and commands(server, 1) == ["EHLO", "STARTTLS"]


def test_many_large_letters_go_encrypted(certificate: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    large = MESSAGE + b"another line of it\r\n" * 20_000
    with RoughServer(ehlo=(*EHLO, "STARTTLS"), tls=tls) as server:
        book = send(server, letters(20, large), connections=3, tls="starttls", ca_file=str(certificate))
    assert book.outcomes() == [YES] * 20 and {len(text) for text in server.texts} == {len(large) + 3}


# --- replies ---------------------------------------------------------------------------------------------------------


def test_replies_come_whole_however_they_are_cut() -> None:
    stream = b"220 a\r\n250-x\r\n250-y\r\n250 z\r\n354\r\n550 5.1.1 no\n"
    whole = [(reply.code, reply.lines) for reply in Parser().feed(stream)]
    assert whole == [(220, ("a",)), (250, ("x", "y", "z")), (354, ("",)), (550, ("5.1.1 no",))]
    for size in (1, 2, 3, 7):
        parser = Parser()
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert [(reply.code, reply.lines) for piece in pieces for reply in parser.feed(piece)] == whole
        assert not parser.inside


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n",
        b"25\r\n",
        b"2500 x\r\n",
        b"250-a\r\n251 b\r\n",
        b"150 x\r\n",
        b"\r\n",
        b"25\xb2 x\r\n",
        b"\xff\r\n",
    ],
)
def test_what_is_no_reply_is_garbage(data: bytes) -> None:
    assert Parser().feed(data)[-1].code == GARBAGE


@pytest.mark.parametrize("piece", [b"x" * 5000, b"250-go on\r\n" * 500])
def test_a_reply_without_end_is_cut_off(piece: bytes) -> None:
    parser = Parser()
    for fed in range(0, LONGEST_REPLY * 3, len(piece)):
        found = parser.feed(piece if fed or piece[:1] == b"2" else b"250 " + piece)
        if found:
            assert found[-1].code == GARBAGE and len(found[-1].words) <= 500
            return
    raise AssertionError("it was taken in for ever")
