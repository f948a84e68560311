"""SMTP (RFC 5321): a few persistent connections on one loop, careful about the one question that matters: was it taken?

The line is drawn at the final dot (RFC 5321 4.1.1.4, 1047). Until that dot has been handed to the operating system, the
server can't have taken the message. From then on only its answer can tell, and when none comes nobody knows.

    settings    where and how to connect
    replies     bytes in, replies out; bounded
    commands    what a server offers, and the commands of one message
    opening     greeting, EHLO, STARTTLS, AUTH
    wire        one socket that never waits
    link        one connection up to the point where it may send
    session     the same connection from there on: what was asked, what the answers mean
    engine      all connections on one loop, between them and the dispatch
"""

from newsletter.providers.smtp.provider import SmtpProvider
from newsletter.providers.smtp.settings import FINAL_SECONDS, LONGEST_FINAL, SmtpSettings

__all__ = ["FINAL_SECONDS", "LONGEST_FINAL", "SmtpProvider", "SmtpSettings"]
