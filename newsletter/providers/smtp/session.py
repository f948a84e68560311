"""One connection: which answers are awaited, and what they mean for the message they are about.

In the steady state one write carries the body of a message and the MAIL, RCPT and DATA of the next (RFC 2920 3.1: text
may come first in a group and DATA last), and one read brings their four answers.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from newsletter.core.errors import ProviderError
from newsletter.providers.base import ACCEPTED, Outcome, Outgoing, SendResult
from newsletter.providers.smtp.commands import DATA, Envelope, about_the_message, body, envelope, out_of_step
from newsletter.providers.smtp.link import Ask, Fault, Link
from newsletter.providers.smtp.opening import reason, trouble
from newsletter.providers.smtp.replies import GARBAGE, Reply, clean
from newsletter.providers.smtp.settings import BLOCK_SECONDS, COMMAND_SECONDS, DATA_SECONDS
from newsletter.providers.smtp.wire import Address

if TYPE_CHECKING:
    from newsletter.providers.smtp.engine import Engine

# Closing a connection that has said nothing for so long is no fault.
RESTED_SECONDS = 1.0


NOTHING = Envelope("", "")
_GROUP = (Ask.MAIL, Ask.RCPT, Ask.DATA)


class Session(Link):
    """A link that carries messages. It tells its engine of everything that ends one."""

    def __init__(self, engine: Engine, addresses: Iterable[tuple[int, Address]]) -> None:
        """`addresses` are (family, address) of the host, tried in turn."""
        super().__init__(engine, addresses)
        self._flown: Outgoing | None = None  # its body is on the way, up to `_behind` octets before the end of output
        self._behind = 0
        self._item: Outgoing | None = None  # its envelope is asked for
        self._commands = NOTHING
        self._mail: Reply | None = None
        self._rcpt: Reply | None = None
        self._dirty = False  # a refused transaction is still open on the server's side
        self._served = 0
        self._plainest = b""
        # How long to wait, in seconds: RFC 5321 4.5.3.2, or less where the settings say so.
        timeout = self._settings.timeout
        self._final_limit, self._limit = self._settings.final_timeout, min(COMMAND_SECONDS, timeout)
        self._data_limit, self._block_limit = min(DATA_SECONDS, timeout), min(BLOCK_SECONDS, timeout)

    @property
    def busy(self) -> bool:
        """Whether a message is under way here."""
        return self._item is not None or self._flown is not None

    @property
    def idle(self) -> bool:
        """Whether it can begin a message now."""
        return self.ready and not self._expect and self._item is None and self._flown is None

    def quit(self) -> None:
        """Say goodbye without waiting for the answer. Only for a session with nothing under way."""
        if self._dead:
            return
        if self.idle:
            with contextlib.suppress(OSError):
                self._wire.write([b"QUIT\r\n"])
        self._dead = True
        self._wire.close()
        self._engine.gone(self, None, Fault.WORN)

    # --- asking ---------------------------------------------------------------------------------------------------

    def start(self, item: Outgoing) -> None:
        """Begin this message. Only for an idle session; the engine hears of it when it can't be."""
        commands = self._prepare(item)
        if commands is NOTHING:
            self._engine.look = True
            return
        self._item, self._commands, self._mail, self._rcpt = item, commands, None, None
        parts = [b"RSET\r\n"] if self._dirty else []
        if self._dirty:
            self._expect.append(Ask.RSET)
        if self._offer.pipelining:
            self._expect.extend(_GROUP)
            parts.append(commands.group)
        elif not self._dirty:
            self._expect.append(Ask.MAIL)
            parts.append(commands.mail.encode())
        self._dirty = False
        self._send(parts)

    def _prepare(self, item: Outgoing) -> Envelope:
        """Its commands; NOTHING when it can't be asked for, and has been told so."""
        try:
            commands = envelope(item, self._offer, self._settings.dsn)
        except ProviderError as error:
            self._engine.returned(item, str(error))
            self._engine.stop(error)
            return NOTHING
        if isinstance(commands, SendResult):
            self._engine.answered(item, commands)
            return NOTHING
        return commands

    def _send(self, parts: list[bytes]) -> None:
        try:
            self._wire.write(parts)
        except OSError as error:
            self._end(reason(error))
            return
        self._restart_clock()

    def _restart_clock(self) -> None:
        if self._wire.waiting is not None:
            limit = self._block_limit
        elif not self._expect:
            self.deadline = math.inf
            return
        else:
            first = self._expect[0]
            limit = self._final_limit if first is Ask.DOT else self._data_limit if first is Ask.DATA else self._limit
        self.deadline = deadline = time.monotonic() + limit
        if deadline < self._engine.check_at:
            self._engine.check_at = deadline

    # --- hearing --------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        data = self._wire.read()
        if data is None:
            return
        if not data:
            self._end("the server closed the connection")
            return
        if not self._parser.inside and self._steady(data):
            return
        replies = self._parser.feed(data)
        left = len(replies)
        for reply in replies:
            if self._dead:
                return
            left -= 1
            self._surplus = left > 0 or self._parser.inside
            self._hear(reply)
        if not self._dead:
            self._settle()

    def _steady(self, data: bytes) -> bool:
        """The four plainest answers of the steady state, without taking them apart."""
        expect = self._expect
        if len(expect) != 4 or expect[0] is not Ask.DOT or self._wire.waiting is not None or self._item is None:
            return False
        if data != self._plainest:
            lines = data.split(b"\r\n")
            if len(lines) != 5 or lines[4] or lines[3][:4] != b"354 ":
                return False
            if lines[0][:4] != b"250 " or lines[1][:4] != b"250 " or lines[2][:4] != b"250 ":
                return False
            self._plainest = data  # many servers say the same again and again
        expect.clear()
        flown, self._flown = self._flown, None
        assert flown is not None
        self._served += 1
        self._engine.answered(flown, ACCEPTED)
        self._send_body()
        return True

    def _hear(self, reply: Reply) -> None:
        if not self._expect:
            # Taken for the answer to what we say next, it would be the wrong one.
            self._end(f"the server said what nobody had asked for: {reply.words}")
            return
        ask = self._expect.popleft()
        if ask is Ask.OPENING:
            self._step(reply)
        elif ask is Ask.DOT:
            self._hear_dot(reply)
        elif ask is Ask.MAIL:
            self._hear_mail(reply)
        elif ask is Ask.RCPT:
            self._hear_rcpt(reply)
        elif ask is Ask.DATA:
            self._hear_data(reply)
        elif ask is Ask.RSET:
            if reply.code != 250:
                self._end(reply.words)
            elif not self._expect:
                self._next(Ask.MAIL, self._commands.mail.encode())
        elif not reply.refusal and not 200 <= reply.code < 300:
            self._end(reply.words)

    def _settle(self) -> None:
        """All that has come is heard. Nothing is sent while part of a reply nobody asked for is here."""
        if self._expect:
            if not self._wire.unsent:
                self._restart_clock()
            return
        if self._parser.inside and self._script is None:
            self._end("the server said what nobody had asked for")
        elif self.ready and not self.busy:
            self._rest()

    def _rest(self) -> None:
        self.deadline, self.idle_since = math.inf, time.monotonic()
        self._engine.look = True
        if 0 < self._settings.messages_per_connection <= self._served:
            self.quit()

    def _hear_dot(self, reply: Reply) -> None:
        flown, self._flown = self._flown, None
        assert flown is not None
        self._served += 1
        code = reply.code
        if self._wire.unsent > self._behind:
            # It did not wait for the end, which is still with us: a no is a no, and anything else says nothing.
            if 400 <= code < 600:
                self._engine.answered(flown, _refusal(reply))
            else:
                self._engine.returned(flown, f"The connection was lost before the end: {reply.words}")
            self._end(reply.words)
        elif 200 <= code < 300:
            self._engine.answered(flown, SendResult(Outcome.ACCEPTED, code=code, reply=reply.words))
        elif 400 <= code < 600:
            self._engine.answered(flown, _refusal(reply))
            if code == 421:
                self._end(reply.words)
        else:
            words = clean(f"Not an answer: {reply.words}")
            self._engine.answered(flown, SendResult(Outcome.UNKNOWN, code=max(code, 0), reply=words))
            self._end(reply.words)

    def _hear_mail(self, reply: Reply) -> None:
        if reply.code == 421:
            self._end(reply.words)
            return
        self._mail = reply
        if reply.code != 250 and not reply.refusal:
            self._confused(reply)
        elif not self._expect:  # without PIPELINING
            if reply.code == 250:
                self._next(Ask.RCPT, self._commands.rcpt.encode())
            else:
                self._no(reply)

    def _hear_rcpt(self, reply: Reply) -> None:
        assert self._mail is not None
        self._rcpt = reply
        if reply.code not in (250, 251, 252) and not reply.refusal:
            self._confused(reply if self._mail.code == 250 else self._mail)
        elif not self._expect:  # without PIPELINING
            if reply.code < 300:
                self._next(Ask.DATA, DATA)
            else:
                self._dirty = True
                self._no(reply)

    def _hear_data(self, reply: Reply) -> None:
        """The group is complete: the first no in it is the message's answer."""
        mail, rcpt = self._mail, self._rcpt
        assert mail is not None and rcpt is not None
        no = mail if mail.code != 250 else rcpt if rcpt.code >= 300 else None
        if no is None and reply.code == 354:
            if self._surplus:
                self._confused(Reply(GARBAGE, ("More than was asked for.",)))
            else:
                self._send_body()
        elif no is None and reply.refusal:
            self._dirty = True
            self._no(reply)
        elif no is None:
            self._confused(reply)
        elif reply.code == 354 and rcpt.refusal:
            # Let in without a recipient. A dot alone ends it (RFC 2920 3.1): it can reach nobody.
            self._no(no)
            if not self._dead:
                self._next(Ask.LONE_DOT, b".\r\n")
        elif reply.refusal:
            self._dirty = mail.code == 250
            self._no(no)
        else:
            # Let in with a recipient but without a sender, or not an answer: a dot alone might send an empty letter.
            self._no(no)
            if not self._dead:
                self._end(reply.words)

    def _no(self, reply: Reply) -> None:
        """The message ends with this refusal."""
        if self._mail is reply and out_of_step(reply):
            # The answer to something else, which came late: to ask again on this connection would make it worse.
            self._mail = None
            self._end(reply.words)
            return
        item, self._item = self._item, None
        assert item is not None
        about_us = self._mail is reply and reply.code >= 500 and not about_the_message(reply)
        if about_us:
            error = trouble(self._settings, "does not take mail from this sender", reply, permanent=True)
            self._engine.returned(item, str(error))
            self._engine.stop(error)
            return
        self._served += 1
        self._engine.answered(item, _refusal(reply))

    def _confused(self, reply: Reply) -> None:
        """Neither a yes nor a no ("221 closing"): the message has not been handed over, and the two sides no longer
        agree on where they are.
        """
        item, self._item = self._item, None
        assert item is not None
        self._engine.answered(item, _refusal(reply))
        self._end(reply.words)

    def _next(self, ask: Ask, command: bytes) -> None:
        if self._surplus:
            self._end("the server said what nobody had asked for")
            return
        self._expect.append(ask)
        self._send([command])

    def _send_body(self) -> None:
        item = self._item
        assert item is not None
        self._item = None
        engine = self._engine
        if engine.stopped:
            # Its DATA is let in and waits for a text: only closing leaves it without one.
            engine.returned(item, "The run ended before it left.")
            self._end("the run ended")
            return
        # The message whose envelope may go in one write with this body.
        following, commands, most = None, NOTHING, self._settings.messages_per_connection
        if self._offer.pipelining and not 0 < most <= self._served + 1:
            while (following := engine.next()) is not None and (commands := self._prepare(following)) is NOTHING:
                pass
        if not engine.leaving(item):
            # Only closing leaves an open DATA without a text; the server did nothing wrong.
            if following is not None:
                engine.again(following)
            self._served += 1
            self._end("the run ended" if engine.stopped else "the reader left meanwhile")
            return
        parts = body(item)
        self._flown = item
        self._expect.append(Ask.DOT)
        self._behind = 0
        if following is not None:
            self._item, self._commands, self._mail, self._rcpt = following, commands, None, None
            self._expect.extend(_GROUP)
            group = commands.group
            self._behind = len(group)
            parts.append(group)
        self._send(parts)

    # --- the end --------------------------------------------------------------------------------------------------

    def _end(self, why: ProviderError | str) -> None:
        """The connection is of no use any more. What is under way ends here, each by how far it had come."""
        if self._dead:
            return
        self._dead = True
        unsent = self._wire.unsent
        self._wire.close()
        flown, self._flown = self._flown, None
        item, self._item = self._item, None
        words = str(why)
        not_begun = item is not None and self._mail is None
        if flown is not None and unsent > self._behind:
            self._engine.returned(flown, clean(f"The connection was lost before the end: {words}"))
        elif flown is not None:
            reply = clean(f"No answer after the final dot: {words}")
            self._engine.answered(flown, SendResult(Outcome.UNKNOWN, reply=reply))
        if item is not None and not_begun:
            # A server may close a connection between two messages (idle, or enough of them): a new one is not a retry.
            self._engine.again(item)
        elif item is not None:
            self._engine.returned(item, clean(f"The connection was lost before the end: {words}"))
        rested = self.ready and not flown and not item and time.monotonic() - self.idle_since > RESTED_SECONDS
        if self._served or rested:
            fault = Fault.WORN
        elif flown is not None or (item is not None and not not_begun):
            fault = Fault.FRESH
        else:
            fault = Fault.OPENING
        if not isinstance(why, ProviderError):
            away = "does not want to talk to us now" if self._script or self.ready else "can't be reached"
            why = trouble(self._settings, away, words)
        self._engine.gone(self, why, fault)


def _refusal(reply: Reply) -> SendResult:
    outcome = Outcome.REFUSED if 500 <= reply.code < 600 else Outcome.DEFERRED
    return SendResult(outcome, code=max(reply.code, 0), reply=reply.words)
