"""Everything a letter is made from, as one value with one canonical text and one fingerprint."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from importlib.metadata import version
from typing import Any

from newsletter.core.context import IssueContent, from_json, to_json
from newsletter.core.errors import IssueError
from newsletter.core.letter import Design
from newsletter.core.sentence import sentence

COMPILER_VERSION = "3"
"""Rises with every change that can change a letter's bytes for the same inputs."""

_LIBRARIES = ("jinja2", "markupsafe", "mjml-python")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who the mail is from: addresses, names, and the List-Id ("Words <label.domain>")."""

    from_name: str
    from_address: str
    reply_to: str
    list_id: str
    feedback_id: str
    return_path: str = ""
    """Where bounces go, before a message's own mark is put into it; "" is the From address."""

    def as_json(self) -> dict[str, str]:
        """Its part of the canonical text. Without an empty return path: what was approved before there was one keeps
        its fingerprint.
        """
        fields = asdict(self)
        return fields if self.return_path else {name: fields[name] for name in fields if name != "return_path"}

    @property
    def domain(self) -> str:
        """The domain of the From address, as an A-label."""
        return self.from_address.rpartition("@")[2].encode("idna").decode("ascii").lower()


@dataclass(frozen=True, slots=True)
class Frozen:
    """The inputs of an issue. `audience` is the rule of whom it goes to, `base_url` what readers' links start with."""

    content: IssueContent
    design: Design
    sender: Sender
    base_url: str
    audience: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def canonical(self) -> str:
        """JSON with sorted keys: the same inputs give the same text everywhere."""
        return json.dumps(
            {
                "audience": self.audience,
                "base_url": self.base_url,
                "content": to_json(self.content),
                "design": {
                    "files": dict(self.design.files),
                    "name": self.design.name,
                    "tokens": dict(self.design.tokens),
                },
                "sender": self.sender.as_json(),
                "versions": self.versions,
            },
            ensure_ascii=False,
            sort_keys=True,
            separators=(",", ":"),
        )

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical text, in hex."""
        return fingerprint(self.canonical())


def fingerprint(canonical: str) -> str:
    """SHA-256 of a canonical text, in hex. A lone surrogate is counted as it is, so nothing can't be fingerprinted."""
    return sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def versions() -> dict[str, str]:
    """What turns inputs into bytes, with its version: our compiler and the libraries it stands on."""
    return {"compiler": COMPILER_VERSION} | {name: version(name) for name in _LIBRARIES}


def thaw(canonical: str, expected: str, where: str) -> Frozen:
    """The inputs that `canonical` holds. Raises `IssueError` when it is not what was approved, or can't be read."""
    if fingerprint(canonical) != expected:
        raise IssueError(
            sentence("The frozen inputs are not those that were approved."),
            where=where,
            hint=sentence("Approve it again."),
        )
    data = json.loads(canonical)
    try:
        design = data["design"]
        return Frozen(
            content=from_json(data["content"]),
            design=Design(design["name"], design["files"], design["tokens"]),
            sender=Sender(**data["sender"]),
            base_url=data["base_url"],
            audience=data["audience"],
            versions=data["versions"],
        )
    except (KeyError, TypeError) as error:
        raise IssueError(
            sentence("This issue was frozen by another version of newsletter ({error}).", error=error),
            where=where,
            hint=sentence("Approve it again."),
        ) from error


def require_same_versions(found: Frozen, where: str) -> None:
    """Raise `IssueError` when other versions would now turn the inputs into bytes than when they were approved."""
    now = versions()
    changed = [
        f"{name} {found.versions.get(name, 'unknown')}, now {now.get(name, 'gone')}"
        for name in sorted(now.keys() | found.versions.keys())
        if found.versions.get(name) != now.get(name)
    ]
    if changed:
        raise IssueError(
            sentence("This issue was approved under other versions: {changed}.", changed="; ".join(changed)),
            where=where,
            hint=sentence(
                "Letters could differ from what was approved. Approve it again, or go back to those versions."
            ),
        )
