"""Bounces written for people: the notices of mail servers that send no delivery status, known by their first words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from newsletter.core.bounce.judging import recipient
from newsletter.core.bounce.parts import Headers, Part
from newsletter.core.bounce.report import Recipient
from newsletter.core.verp import read_envelope

LONGEST_NOTICE = 12_000
MOST_RECIPIENTS = 20


@dataclass(frozen=True, slots=True)
class Voice:
    """A server's way to begin. `anybody` trusts the words alone; the others only count from a mail daemon."""

    name: str
    opening: re.Pattern[str]
    anybody: bool = False


def _voice(name: str, opening: str, *, anybody: bool = False) -> Voice:
    return Voice(name, re.compile(opening, re.I), anybody)


_VOICES = (
    _voice(
        "postfix", r"this is the (?:postfix|mail system)(?: program)? at host|this is the postfix program", anybody=True
    ),
    _voice("qmail", r"this is the qmail-send program|this is the \S+ program at|mail-send program", anybody=True),
    _voice("exim", r"this message was created automatically by mail delivery software", anybody=True),
    _voice(
        "sendmail",
        r"-{3,40} {0,9}the following addresses had (?:permanent|transient|fatal)"
        r"|-{3,40} {0,9}transcript of session follows",
        anybody=True,
    ),
    _voice(
        "exchange",
        r"did not reach (?:some or all of )?the (?:intended |following )?recipient|could(?:n't"
        r"| not) be delivered to (?:the following|these) (?:recipient|group)"
        r"|delivery has failed to these recipients|diagnostic information for administrators"
        r"|can't be reached.{0,40}recipient",
        anybody=True,
    ),
    _voice(
        "gmail",
        r"delivery to the following recipient(?:s)? (?:failed|has been delayed)|your message wasn't delivered to"
        r"|address not found|message not delivered|delivery incomplete",
    ),
    _voice(
        "yahoo",
        r"sorry,? (?:we were )?unable to deliver your message|unable to deliver message to the following address",
        anybody=True,
    ),
    _voice(
        "aol",
        r"the user\(s\) account is|your mail to the following recipients could not be delivered"
        r"|the mail you sent .{0,60}(?:aol|could not be delivered)",
    ),
    _voice("domino", r"your message\s[\s\S]{0,400}?was not delivered to|delivery failure: ", anybody=True),
    _voice(
        "groupwise",
        r"the message that you sent was undeliverable to the following|undeliverable mail|(?:gwia"
        r"|groupwise).{0,80}undeliverable",
    ),
    _voice("courier", r"this is a delivery status notification from|undeliverable mail.{0,60}courier"),
    _voice(
        "mdaemon",
        r"the following data may contain sections which represent bare"
        r"|the attached message had permanent fatal delivery errors"
        r"|mdaemon|session transcript",
    ),
    _voice(
        "imail",
        r"(?:unknown (?:user|host|local part)|user mailbox exceeds allowed size|undeliverable to"
        r"|delivery failed \d+ attempts):",
    ),
    _voice(
        "mimesweeper",
        r"a message could not be delivered to:|the following recipient.{0,40}could not be reached",
        anybody=True,
    ),
    _voice("surgemail", r"your message cannot be delivered to the following recipients"),
    _voice(
        "non-delivery", r"non-?delivery (?:report|notification)|the e-?mail below could not be delivered", anybody=True
    ),
    _voice("dovecot", r"your message to <[^>]+> was automatically rejected", anybody=True),
    _voice(
        "german", r"(?:konnte|kann|wurde)\s[^.]{0,120}?nicht\s(?:zugestellt|ausgeliefert)|unzustellbar", anybody=True
    ),
    _voice(
        "french",
        r"n'a pas pu (?:être|etre) (?:délivré|delivre|remis|distribué)|non remis|échec de la remise",
        anybody=True,
    ),
    _voice(
        "spanish", r"no (?:se )?(?:pudo|ha podido|puede) (?:ser )?(?:entrega|enviar)|no se ha entregado", anybody=True
    ),
    _voice(
        "italian", r"non (?:è stato possibile|può essere) (?:consegna|recapita)|impossibile recapitare", anybody=True
    ),
    _voice("portuguese", r"não (?:pôde|pode|foi) (?:ser )?(?:entregue|possível entregar)", anybody=True),
)
_PLAIN = re.compile(
    r"(?:could|can|was|were|has|have|will)\s?(?:not|n't)\s(?:be|been|able|yet been)?\s?(?:to\s)?(?:sent|deliver"
    r"|delivered|process)"
    r"|cannot be delivered|(?:delivery|mail|message|sending)\s\S{0,20}\s?(?:failed|failure|error)"
    r"|undeliver(?:able|ed)|unable to deliver"
    r"|returned\s(?:mail|to sender|because|message)|mail\serror|rejected|bounced?\b|failed\s(?:recipients?|addresses)"
    r"|user unknown|unknown user|no such user|does not exist|not a known user|mailbox (?:is )?full|quota",
    re.I,
)
_SUBJECT = re.compile(
    r"undeliver|deliver\w*\s(?:status|fail|problem|error|report|has failed|incomplete)|fail(?:ed"
    r"|ure)\s?(?:notice|notification|delivery|to deliver)?"
    r"|returned (?:mail|e-?mail|message|to sender)|mail (?:delivery|system|error|not delivered|failed)"
    r"|non.?deliver|non remis|bounced?\b"
    r"|rejected mail|message (?:rejected|not delivered)|nameserver error|could not (?:be delivered|send)"
    r"|unzustellbar|nicht zustell"
    r"|not listed in|warning: (?:message|could not send)|processing error|error during delivery|delayed",
    re.I,
)
_DAEMON = re.compile(
    r"mailer[-_.]?daemon|postmaster|mail[-_ ]?(?:delivery|system|daemon)|mdaemon|smtp_mail_service"
    r"|system administrator|microsoft exchange",
    re.I,
)
_CUT = re.compile(
    r"^[ \t>|*=-]{0,30}(?:-{2,40}.{0,60}(?:original|copy of|returned|message text|message header|unsent|header of"
    r"|forwarded|source mail|below this line|rest of|old message"
    r"|message follows|mail follows|body of|received headers|included message).*|(?:original message (?:follows"
    r"|headers|header)|message headers? follows?|old message)\b.*"
    r"|received: from .*|return-path: .*|[-=*]{3,40}[ \t]{0,10}(?:this is a copy|message follows).*)$",
    re.I | re.MULTILINE,
)
_ADDRESS = re.compile(
    r"(?<![\w.@+/-])([A-Za-z0-9!#$%&'*+/?^_`{|}~][A-Za-z0-9!#$%&'*+/?^_`{"
    r"|}~.-]{0,63}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,200}[A-Za-z0-9])?)(?![\w@])"
)
_DELAY = re.compile(
    r"not (?:yet )?been (?:successfully )?delivered (?:yet|to (?:all|one or more)|after)|has (?:not yet"
    r"|been) (?:been )?delayed|has not yet been delivered|message (?:\S+ )?delayed"
    r"|will (?:be retried|keep trying|continue (?:to try|trying)|try again)|delivery attempts will continue"
    r"|still being (?:tried|attempted)"
    r"|this is a warning message only|you do not need to resend|wird weiter versucht"
    r"|no action is required on your part",
    re.I,
)
_GAVE_UP = re.compile(
    r"permanent|giving up|gave up|no further|will not be retried|has failed|(?<!if )(?:could not|couldn't"
    r"|cannot) be delivered"
    r"(?! (?:yet|for the last))|fatal errors",
    re.I,
)
# Our own letter's fields, quoted without a ruler; and who a letter was from.
_ASIDE = re.compile(
    r"(?:^|\n)[ \t>]*(?:to|cc|from|reply-to|sender|subject|message-id):[^\n]*$|\bfrom:? <?$|contact <?$", re.I
)
_HELPERS = re.compile(
    r"^(?:postmaster|mailer-daemon|abuse|support|helpdesk|admin|administrator|info|hostmaster)@", re.I
)


def read_notice(mail: Part, ours: frozenset[str]) -> tuple[str, list[Recipient], bool] | None:
    """The voice, the recipients with what is said about each, and whether the server still tries; None where the mail
    is no notice. `ours` are addresses of our own, in lower case.

    A notice that names nobody has no recipients: with a token it is known all the same whom it is about.
    """
    headers = mail.headers
    said = notice_of(mail)
    subject = headers.get("subject")
    daemon = from_a_daemon(headers)
    voice = next((one.name for one in _VOICES if (daemon or one.anybody) and one.opening.search(said)), "")
    if not voice:
        by_subject = _SUBJECT.search(subject) is not None
        by_words = _PLAIN.search(said) is not None
        failed_field = bool(headers.get("x-failed-recipients"))
        # An answer that a person wrote quotes such words too: it is a reply, and no daemon sent it.
        person = bool(headers.get("in-reply-to")) or subject.lower().startswith(("re:", "aw:", "fwd:", "fw:"))
        if failed_field:
            voice = "x-failed-recipients"
        elif (daemon and (by_subject or by_words)) or (by_subject and by_words and not person):
            voice = "plain words"
    if not voice:
        return None
    late = _DELAY.search(f"{subject}\n{said}") is not None and not _GAVE_UP.search(said)
    helpers = {address.lower() for address in _ADDRESS.findall(" ".join(headers.all("from") + headers.all("sender")))}
    return voice, _recipients(said, subject, headers, ours | helpers, final=not late), late


def notice_of(mail: Part) -> str:
    """What the server itself wrote: the texts in front of the mail that comes back."""
    texts: list[str] = []
    for part in mail.walk():
        if part.type.startswith("message/") and part is not mail:
            break
        if part.type in ("text/plain", "text/html") or (part is mail and not part.parts):
            text = part.text[:LONGEST_NOTICE]
            if part.type == "text/html":
                if texts:
                    continue
                text = re.sub(r"<(?:style|script)\b[^<]{0,5000}", "", text, flags=re.I)
                text = re.sub(r"<(?!/?\w[^<>@]{0,60}@)[^<>]{0,500}>", " ", text)
            texts.append(text)
            if len(texts) == 2:
                break
    said = "\n".join(texts)
    # What stands before the first address is no copy of anything, however its ruler looks.
    for cut in _CUT.finditer(said):
        if len(said[: cut.start()].strip()) > 40:
            return said[: cut.start()]
    return said


def from_a_daemon(headers: Headers) -> bool:
    """Whether a mail server says that it wrote this: by its name, or by the null sender (RFC 5321 4.5.5)."""
    if headers.get("return-path").strip() == "<>":
        return True
    sender = f"{headers.get('from')} {headers.get('sender')} {headers.get('return-path')}"
    return _DAEMON.search(sender) is not None or "x-failed-recipients" in {name for name, _ in headers}


def _recipients(said: str, subject: str, headers: Headers, ours: frozenset[str], *, final: bool) -> list[Recipient]:
    """Each address of the notice with the words that follow it, up to the next address."""
    # Our own addresses stand in many notices, and none of them failed.
    domains = {address.rpartition("@")[2] for address in ours if read_envelope(address)}
    named = [
        (match[1], match.start(1), match.end(1))
        for match in _ADDRESS.finditer(said)
        if match[1].lower() not in ours
        and match[1].rpartition("@")[2].lower() not in domains
        and not _HELPERS.match(match[1])
        and not _ASIDE.search(said[max(0, match.start() - 80) : match.start()])
    ]
    by_field = [
        address
        for address in _ADDRESS.findall(" ".join(headers.all("x-failed-recipients")))
        if address.lower() not in ours
    ]
    by_subject = [address for address in _ADDRESS.findall(subject) if address.lower() not in ours]
    if by_field:
        wanted = {address.lower() for address in by_field}
        named = [one for one in named if one[0].lower() in wanted] or [(address, 0, 0) for address in by_field]
    if not named:
        named = [(address, 0, 0) for address in by_subject]
    found: dict[str, Recipient] = {}
    for index, (address, begin, end) in enumerate(named):
        following = named[index + 1 :]
        until = next((start for other, start, _ in following if other.lower() != address.lower()), len(said))
        line = said.rfind("\n", 0, begin) + 1
        words = f"{said[line:begin]}{said[end:until]}" if end else f"{subject} {said}"
        # One address says all that the notice says, also what stands in front of it.
        if len({other.lower() for other, _, _ in named}) == 1:
            words = f"{subject} {said}" if len(words.split()) < 4 else words
        one = recipient(address, diagnostic=words.replace(address, " "), final=final)
        known = found.get(address.lower())
        if known is None or (known.about.value == "transient" and one.about.value != "transient"):
            found[address.lower()] = one
        if len(found) >= MOST_RECIPIENTS:
            break
    return list(found.values())
