"""Why a review is in an issue, out, or waiting: rule by rule, as data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from newsletter.core.identity import title_key, url_key
from newsletter.core.sentence import sentence, word
from newsletter.core.week import Slot, Verdict, eligible, verdicts
from newsletter.flow.issue.elsewhere import AlsoAt, also_at
from newsletter.flow.issue.facts import next_free_slot, review_facts, taken_slots
from newsletter.ledger.issues import OPEN
from newsletter.ledger.placements import ACTIVE
from newsletter.models import Carry, Entry, Issue, Newsletter, Placement, Review


@dataclass(frozen=True, slots=True)
class Why:
    """One review and one newsletter. `state` is "in", "out" or "waiting"; `issue` the slot key that was asked about;
    `says` one sentence; `rules` what each rule says; `also_at` where else it can be read.
    """

    review: int
    title: str
    url: str
    newsletter: str
    issue: str
    state: str
    says: str
    rules: tuple[Verdict, ...]
    also_at: tuple[AlsoAt, ...] = ()


def find_reviews(text: str) -> list[Review]:
    """The reviews that an address names, or a title or a part of one; at most 20, newest first."""
    reviews = Review.objects.select_related("representative").order_by("-first_seen_at", "-pk")
    if address := url_key(text):
        return list(reviews.filter(entries__url_key=address).distinct()[:20])
    wanted = title_key(text)
    if not wanted:
        return []
    # The key folds what no database folds alike (accents in SQLite), so titles are compared here, not there.
    rows = Entry.objects.order_by("-first_seen_at").values_list("review", "title")
    found: dict[int, None] = {}
    for review, title in rows.iterator():
        if wanted in title_key(title):
            found.setdefault(review)
        if len(found) == 20:
            break
    return list(reviews.filter(pk__in=list(found)))


def why(text: str, newsletter: Newsletter, *, now: datetime) -> list[Why]:
    """Explain every review that `text` (an address or a title) names, with regard to the newsletter's open issue."""
    issue = Issue.objects.filter(newsletter=newsletter, state__in=OPEN).order_by("slot_at", "pk").first()
    slot = (
        Slot(issue.slot, issue.slot_at, issue.cutoff_at)
        if issue
        else next_free_slot(newsletter, now, taken_slots(newsletter))
    )
    return [_explain(review, newsletter, issue, slot) for review in find_reviews(text)]


def _explain(review: Review, newsletter: Newsletter, issue: Issue | None, slot: Slot) -> Why:
    facts = review_facts(newsletter, issue, [review])[review.pk]
    rules = list(verdicts(facts, issue=slot.key, cutoff=slot.cutoff))
    placed = (
        Placement.objects.filter(newsletter=newsletter, review=review, state__in=ACTIVE)
        .select_related("issue")
        .order_by("-run")
        .first()
    )
    if placed is not None:
        state, slot_key = "in", placed.issue.slot
        as_what = sentence("{kind}, number {position}", kind=word(placed.kind), position=placed.position)
        says = sentence("It is placed in the issue of {slot} as a {what}.", slot=slot_key, what=as_what)
        if placed.state == "sent":
            says = sentence("It ran in the issue of {slot} as a {what}.", slot=slot_key, what=as_what)
        rules.append(Verdict(*_split(placed.why)))
    elif eligible(facts, issue=slot.key, cutoff=slot.cutoff):
        state, slot_key = "waiting", slot.key
        carried = issue is not None and Carry.objects.filter(issue=issue, review=review).exists()
        says = (
            sentence("The issue of {slot} has no room for it: it waits for the next one.", slot=slot.key)
            if carried
            else sentence("It will be placed in the issue of {slot}.", slot=slot.key)
        )
        if carried:
            rules.append(
                Verdict("R14 room", False, sentence("Every card and line was taken by reviews that rank higher."))
            )
    else:
        stops = next(rule for rule in rules if not rule.passed)
        waits = stops.rule in ("R9 cutoff", "R4 embargo") or (stops.rule == "R15 left out" and facts.left_out_of_issue)
        state, slot_key, says = ("waiting" if waits else "out"), slot.key, stops.text
    if review.revisited_at:
        text = sentence(
            "Its source brought it up again on {day}: it can only run again by hand.",
            day=f"{review.revisited_at:%Y-%m-%d}",
        )
        rules.append(Verdict("R17 revisited", False, text))
    entry = review.representative
    url = str(entry.content.get("url", "")) if entry else ""
    elsewhere = also_at([review])[review.pk]
    return Why(review.pk, str(review), url, newsletter.slug, slot_key, state, says, tuple(rules), elsewhere)


def _split(why: str) -> tuple[str, bool, str]:
    rule, colon, text = why.partition(": ")
    return (rule, True, f"{text[:1].upper()}{text[1:]}.") if colon else ("R14", True, why)
