"""Python code that Jinja2 made of a template, kept: parsing and generating it takes ten times as long as running it.

The studio, previews, checks, freezes and workers each build an environment of their own for one and the same design.
"""

from __future__ import annotations

from types import CodeType

from jinja2.bccache import Bucket, BytecodeCache

MAX_CODES = 256
"""Templates kept, all designs and both environments together; about 30 KB each."""


class Codes(BytecodeCache):
    """Code by the kind of environment, what else its code depends on (`code_mark`), and the name and the very source of
    the template.

    Constants are folded with the filters at hand: environments of one kind that share it must have the same filters.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[type, str, str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get(_key(bucket))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            if len(self._kept) >= MAX_CODES:
                self._kept.clear()
            self._kept[_key(bucket)] = bucket.code


def _key(bucket: Bucket) -> tuple[type, str, str, str]:
    return type(bucket.environment), getattr(bucket.environment, "code_mark", ""), bucket.key, bucket.checksum
