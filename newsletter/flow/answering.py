"""Whether addresses still answer: asked through the one guarded fetcher, on a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from newsletter.core.errors import FetchError
from newsletter.sources.fetch import Fetcher

AT_ONCE = 6
_GONE = frozenset({404, 410})


def dead_links(fetcher: Fetcher) -> Callable[[list[str]], Mapping[str, str]]:
    """What asks a list of addresses and returns those that lead nowhere, each with what came back.

    A page that is there but refuses us (403, 429), is too big or slow, answers readers: only 404, 410, a name that does
    not exist or a server that can't be reached count.
    """

    def ask(addresses: list[str]) -> Mapping[str, str]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = dict(zip(addresses, pool.map(lambda address: _answer(fetcher, address), addresses), strict=True))
        return {address: answer for address, answer in answers.items() if answer}

    return ask


def _answer(fetcher: Fetcher, address: str) -> str:
    try:
        fetcher.get(address)
    except FetchError as error:
        if error.status in _GONE:
            return error.message
        return "" if error.status is not None else error.message
    return ""
