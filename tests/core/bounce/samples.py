"""Mails as common servers send them, written for these tests. Nothing here is anybody's real mail."""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import dedent

from newsletter.core.bounce import BounceClass, ReportKind

READER = "ada@box.test"
RETURNED = """\
Return-Path: <bounce+{token}@news.example.test>
From: The Weekly <hello@news.example.test>
To: ada@box.test
Subject: The best of this week
Message-ID: <copy-1@news.example.test>
List-Unsubscribe: <https://news.example.test/u/{link}>
"""


@dataclass(frozen=True)
class Sample:
    """One mail and what must be read in it. {token} and {link} stand for the tokens of one delivery."""

    name: str
    text: str
    kind: ReportKind
    about: BounceClass | None = None
    hard: bool = False
    address: str = READER
    status: str | None = None
    extra: dict[str, str] = field(default_factory=dict)

    def as_bytes(self, *, token: str = "T" * 24, link: str = "L" * 24) -> bytes:
        text = self.text.replace("{returned}", RETURNED)
        return text.replace("{token}", token).replace("{link}", link).replace("\n", "\r\n").encode()


def _mail(sender: str, subject: str, body: str, *, headers: str = "") -> str:
    extra = f"{headers}\n" if headers else ""
    return (
        f"Return-Path: <>\nFrom: {sender}\nTo: bounce+{{token}}@news.example.test\nSubject: {subject}\n"
        f"Message-ID: <report-1@mx.box.test>\n{extra}\n{dedent(body)}"
    )


def _dsn(
    sender: str, notice: str, fields: str, *, subject: str = "Undelivered Mail Returned to Sender", kind: str = ""
) -> str:
    status = kind or "message/delivery-status"
    lines = [
        "--b1", "Content-Type: text/plain; charset=utf-8", "", dedent(notice).strip(), "",
        "--b1", f"Content-Type: {status}", "", "Reporting-MTA: dns; mx.box.test", "", dedent(fields).strip(), "",
        "--b1", "Content-Type: text/rfc822-headers", "", "{returned}", "--b1--", "",
    ]  # fmt: skip
    return _mail(
        sender, subject, "\n".join(lines),
        headers='MIME-Version: 1.0\nAuto-Submitted: auto-replied\nContent-Type: multipart/report; '
        'report-type=delivery-status; boundary="b1"',
    )  # fmt: skip


def _fields(action: str, status: str, diagnostic: str = "") -> str:
    more = f"\nDiagnostic-Code: smtp; {diagnostic}" if diagnostic else ""
    return f"Final-Recipient: rfc822; {READER}\nAction: {action}\nStatus: {status}{more}"


DAEMON = "Mail Delivery System <MAILER-DAEMON@mx.box.test>"
B, D, C, A = ReportKind.BOUNCE, ReportKind.DELAY, ReportKind.COMPLAINT, ReportKind.AUTO_REPLY
ADDRESS, MAILBOX, POLICY = BounceClass.ADDRESS, BounceClass.MAILBOX, BounceClass.POLICY
CONTENT, TRANSIENT = BounceClass.CONTENT, BounceClass.TRANSIENT

SAMPLES = (
    Sample("postfix", _dsn(DAEMON, "This is the mail system at host mx.box.test.", _fields(
        "failed", "5.1.1", "550 5.1.1 <ada@box.test>: Recipient rejected: User unknown in local table")),
        B, ADDRESS, hard=True, status="5.1.1"),
    Sample("postfix late", _dsn(DAEMON, "Your message could not be delivered for more than 4 hours.", _fields(
        "delayed", "4.4.1", "connect to mx.box.test[192.0.2.1]:25: Connection timed out"),
        subject="Delayed Mail (still being retried)"), D, TRANSIENT),
    Sample("postfix expired", _dsn(DAEMON, "This is the mail system at host mx.box.test.", _fields(
        "failed", "4.4.1", "connect to mx.box.test[192.0.2.1]:25: Connection timed out")), B, TRANSIENT),
    Sample("gmail full", _dsn(DAEMON, "The recipient's inbox is out of storage space.", _fields(
        "failed", "5.2.2", "552-5.2.2 The recipient's inbox is out of storage space and inactive.")), B, MAILBOX),
    Sample("gmail blocks us", _dsn(DAEMON, "Message rejected", _fields(
        "failed", "5.7.26", "550-5.7.26 Unauthenticated email is not accepted due to DMARC policy")),
        B, POLICY),
    Sample("gmail no such account", _dsn(DAEMON, "Address not found", _fields(
        "failed", "5.1.1", "550-5.1.1 The account you tried to reach does not exist.")), B, ADDRESS, hard=True),
    Sample("outlook blocks us", _dsn("postmaster@outlook.test", "Delivery has failed to these recipients", _fields(
        "failed", "5.7.1", "550 5.7.1 Messages from [203.0.113.7] weren't sent. Part of their network is "
        "on our block list (S3150).")), B, POLICY),
    Sample("exchange online", _dsn("postmaster@box.test", "ada@box.test wasn't found at box.test.", _fields(
        "failed", "5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup")),
        B, ADDRESS, hard=True),
    Sample("a block that lies about the status", _dsn(DAEMON, "Failed", _fields(
        "failed", "5.1.1", "550 5.1.1 blocked, see https://rbl.box.test: listed in the RBL")), B, POLICY),
    Sample("too large", _dsn(DAEMON, "Failed", _fields(
        "failed", "5.3.4", "552 5.3.4 Message size exceeds fixed limit")), B, CONTENT),
    Sample("internationalised", _dsn(DAEMON, "Failed", "Final-Recipient: utf-8; ada@box.test\nAction: failed\n"
        "Status: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user", kind="message/global-delivery-status"),
        B, ADDRESS, hard=True),
    Sample("no domain", _dsn(DAEMON, "Failed", _fields(
        "failed", "5.4.4", "550 5.4.4 Host or domain name not found. Name service error for name=box.test type=AAAA")),
        B, ADDRESS, hard=True),
    Sample("delivered", _dsn(DAEMON, "Delivered.", _fields("delivered", "2.0.0"), subject="Success notice"),
        ReportKind.NONE),
    Sample("qmail", _mail("MAILER-DAEMON@mx.box.test", "failure notice", """\
        Hi. This is the qmail-send program at mx.box.test.
        I'm afraid I wasn't able to deliver your message to the following addresses.
        This is a permanent error; I've given up. Sorry it didn't work out.

        <ada@box.test>:
        Sorry, no mailbox here by that name. (#5.1.1)

        --- Below this line is a copy of the message.

        {returned}
        """), B, ADDRESS, hard=True, status="5.1.1"),
    Sample("exim", _mail("Mail Delivery System <Mailer-Daemon@mx.box.test>",
        "Mail delivery failed: returning message to sender", """\
        This message was created automatically by mail delivery software.

        A message that you sent could not be delivered to one or more of its
        recipients. This is a permanent error. The following address(es) failed:

          ada@box.test
            host mx.box.test [192.0.2.1]
            SMTP error from remote mail server after RCPT TO:<ada@box.test>:
            550 Unknown user

        ------ This is a copy of the message, including all the headers. ------

        {returned}
        """, headers="X-Failed-Recipients: ada@box.test"), B, ADDRESS, hard=True),
    Sample("exim late", _mail("Mail Delivery System <Mailer-Daemon@mx.box.test>",
        "Warning: message 1abcde-000 delayed 24 hours", """\
        This message was created automatically by mail delivery software.
        A message that you sent has not yet been delivered to one or more of its
        recipients after more than 24 hours on the queue on mx.box.test.

        The address to which the message has not yet been delivered is:

          ada@box.test

        No action is required on your part. Delivery attempts will continue for
        some time.
        """), D),
    Sample("postfix of old", _mail("MAILER-DAEMON@mx.box.test (Mail Delivery System)", "Undelivered Mail", """\
        This is the Postfix program at host mx.box.test.

        I'm sorry to have to inform you that the message returned
        below could not be delivered to one or more destinations.

        <ada@box.test>: host mx2.box.test[192.0.2.1] said: 552 5.2.2 mailbox full
        """), B, MAILBOX),
    Sample("sendmail", _mail("Mail Delivery Subsystem <MAILER-DAEMON@mx.box.test>", "Returned mail: User unknown", """\
        The original message was received at Thu, 5 Nov 2026 08:00:00 GMT

           ----- The following addresses had permanent fatal errors -----
        <ada@box.test>

           ----- Transcript of session follows -----
        ... while talking to mx.box.test.:
        >>> RCPT To:<ada@box.test>
        <<< 550 5.1.1 <ada@box.test>... User unknown
        """), B, ADDRESS, hard=True),
    Sample("exchange of old", _mail("System Administrator <postmaster@box.test>", "Undeliverable: The best of", """\
        Your message

          To:      ada@box.test
          Subject: The best of this week
          Sent:    Thu, 5 Nov 2026 08:00:00 +0000

        did not reach the following recipient(s):

        ada@box.test on Thu, 5 Nov 2026 08:00:01 +0000
            The recipient name is not recognized
            The MTS-ID of the original message is: c=us;a= ;p=box
            MSEXCH:IMS:BOX:MX:MX 0 (000C05A6) Unknown Recipient
        """), B, ADDRESS, hard=True),
    Sample("yahoo", _mail("MAILER-DAEMON@yahoo.test", "Failure Notice", """\
        Sorry, we were unable to deliver your message to the following address.

        <ada@box.test>:
        554: delivery error: dd This user doesn't have a box.test account (ada@box.test) [0]

        --- Below this line is a copy of the message.
        """), B, ADDRESS, hard=True),
    Sample("aol", _mail("Mail Delivery Subsystem <MAILER-DAEMON@aol.test>", "Mail Delivery Problem", """\
        Your mail to the following recipients could not be delivered because they are not accepting mail from
        hello@news.example.test:
            ada@box.test
        """), B, TRANSIENT),
    Sample("domino", _mail("Postmaster@box.test", "DELIVERY FAILURE: User ada not listed in Domino Directory",
        """\
        Your message

          Subject: The best of this week

        was not delivered to:

          ada@box.test

        because:

          User ada (ada@box.test) not listed in Domino Directory
        """), B, ADDRESS, hard=True),
    Sample("groupwise", _mail("Mailer-Daemon@box.test", "Message status - undeliverable", """\
        The message that you sent was undeliverable to the following:
            ada@box.test (user not found)
        """), B, ADDRESS, hard=True),
    Sample("imail", _mail("Postmaster <postmaster@box.test>", "Undeliverable Mail", """\
        User mailbox exceeds allowed size: ada@box.test

        Original message follows.

        {returned}
        """), B, TRANSIENT),
    Sample("courier", _mail("MAILER-DAEMON@mx.box.test", "NOTICE: mail delivery status.", """\
        This is a delivery status notification from mx.box.test,
        running the Courier mail server, version 0.78.

        <ada@box.test>:
             <<< 550 User unknown.
        """), B, ADDRESS, hard=True),
    Sample("german", _mail("postmaster@box.test", "Unzustellbar: The best of this week", """\
        Ihre Nachricht konnte nicht zugestellt werden:

        ada@box.test
        Das Postfach ist voll. (552 5.2.2 mailbox full)
        """), B, MAILBOX),
    Sample("feedback report", _mail("feedback@isp.test", "FW: The best of this week", """\
        --b2
        Content-Type: text/plain

        This is an email abuse report.

        --b2
        Content-Type: message/feedback-report

        Feedback-Type: abuse
        User-Agent: Feedback/1.0
        Version: 1
        Original-Mail-From: <bounce+{token}@news.example.test>

        --b2
        Content-Type: message/rfc822

        {returned}

        --b2--
        """, headers='MIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report; boundary="b2"'),
        C, address=""),
    Sample("complaint without a report", _mail("staff@hotmail.test", "complaint about message from 203.0.113.7", """\
        --b3
        Content-Type: message/rfc822

        X-HmXmrOriginalRecipient: ada@box.test
        {returned}

        --b3--
        """, headers='MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b3"'), C),
    Sample("on holiday", _mail("Ada <ada@box.test>", "Out of office: The best of this week",
        "I am away until Monday. In urgent cases mail bob@box.test.", headers="Auto-Submitted: auto-replied"), A),
    Sample("auf Urlaub", _mail("Ada <ada@box.test>", "Abwesenheitsnotiz", "Ich bin bis Montag nicht im Haus."), A),
    Sample("a person",
        "From: Ada <ada@box.test>\nTo: bounce+{token}@news.example.test\nSubject: Re: The best of this week\n"
        "In-Reply-To: <copy-1@news.example.test>\n\nLovely issue! My mailbox was full last week.\n", ReportKind.NONE),
    Sample("not spam", _mail("feedback@isp.test", "FW: not spam", """\
        --b2
        Content-Type: message/feedback-report

        Feedback-Type: not-spam
        Version: 1

        --b2--
        """, headers='MIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report; boundary="b2"'),
        ReportKind.NONE),
)  # fmt: skip
