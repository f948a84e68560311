"""What a sending domain must say in the DNS: the records to add, and how to read those that are there."""

from __future__ import annotations

from newsletter.core.domain.names import FREE_MAIL, a_label, domain_of, is_reserved, is_within, may_align, parents
from newsletter.core.domain.records import (
    Record,
    dkim_record,
    dmarc_problem,
    public_part,
    read_tags,
    txt_strings,
    wanted_dkim,
    wanted_dmarc,
    wanted_mx,
    wanted_spf,
)

__all__ = [
    "FREE_MAIL",
    "Record",
    "a_label",
    "dkim_record",
    "dmarc_problem",
    "domain_of",
    "is_reserved",
    "is_within",
    "may_align",
    "parents",
    "public_part",
    "read_tags",
    "txt_strings",
    "wanted_dkim",
    "wanted_dmarc",
    "wanted_mx",
    "wanted_spf",
]
