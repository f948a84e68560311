"""The picture of one review in an issue: an editor's own in place of the source's, and which part of it is shown.

Kept among the editor's words: `picture` is the file that is shown, `picture_from` what it was made of (as `Picture`
calls it), `picture_crop` its shape and `picture_focus` ("30 60") the point that stays in view, in percent from the left
and from the top. Cropped files are made once, here, when the editor says so: a letter only names them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from newsletter import media
from newsletter.core.content import lead_picture
from newsletter.core.errors import IssueError
from newsletter.core.sentence import sentence
from newsletter.flow.compile.gathering import UPLOADED
from newsletter.flow.issue.editing import edit_fields
from newsletter.flow.issue.facts import content_of
from newsletter.models import Picture, Placement

FIELDS = frozenset({"picture", "picture_from", "picture_crop", "picture_focus"})
MIDDLE = (50, 50)


@dataclass(frozen=True, slots=True)
class Pictured:
    """What there is to look at: the whole picture (its path below the media folder, its measures), how it is cropped
    ("": not at all) and around what point, and whether it is an editor's own.
    """

    whole: str
    width: int
    height: int
    crop: str
    focus: tuple[int, int]
    is_own: bool
    shown: str


def pictured(row: Placement) -> Pictured | None:
    """The picture of a review as the issue shows it; None without one."""
    base = _base(row)
    if base is None:
        return None
    return Pictured(
        base.name,
        base.width,
        base.height,
        str(row.edits.get("picture_crop", "")),
        focus_of(str(row.edits.get("picture_focus", ""))),
        base.source_url.startswith(UPLOADED),
        str(row.edits.get("picture") or base.name),
    )


def use_picture(row: Placement, raw: bytes, *, folder: Path, now: datetime, by: str, seen: str | None = None) -> None:
    """Show an editor's own picture: redrawn, stripped and bounded as one that was fetched. What the other one showed,
    and whose it was, is not said of this one. Raises `PictureError`, `IssueError`, `StaleError` as `edit_fields`.
    """
    stored = media.store_bytes(raw, folder=folder, now=now, where="picture")
    _keep(f"{UPLOADED}{stored.sha256}", stored)
    fields = {"picture": stored.name, "picture_from": f"{UPLOADED}{stored.sha256}", "picture_crop": None,
              "picture_focus": None, "picture_alt": None, "picture_credit": None}  # fmt: skip
    edit_fields(row, fields, now=now, by=by, seen=_seen(seen), also=FIELDS)


def crop_picture(
    row: Placement, crop: str, focus: tuple[int, int], *, folder: Path, now: datetime, by: str, seen: str | None = None
) -> None:
    """Show the picture in a shape of `media.SHAPES` ("": whole) around a point. Raises as `use_picture` does, and
    `IssueError` without a picture or for another shape.
    """
    base = _base(row)
    if base is None:
        raise IssueError(sentence("This review has no picture to crop."), where="picture")
    if crop and crop not in media.SHAPES:
        raise IssueError(
            sentence("A picture is not cropped to {crop}.", crop=repr(crop)),
            hint=sentence("To: {shapes}.", shapes=", ".join(media.SHAPES)),
        )
    x, y = (min(100, max(0, each)) for each in focus)
    name: str | None = base.name if base.source_url.startswith(UPLOADED) else None
    if crop:
        stored = media.crop(base.name, media.SHAPES[crop], (x, y), folder=folder, now=now)
        _keep(f"crop:{base.name}:{crop}:{x}:{y}", stored)
        name = stored.name
    fields = {
        "picture": name,
        "picture_from": None if name is None else base.source_url,
        "picture_crop": crop or None,
        "picture_focus": None if (x, y) == MIDDLE else f"{x} {y}",
    }
    edit_fields(row, fields, now=now, by=by, seen=_seen(seen), also=FIELDS)


def source_picture(row: Placement, *, now: datetime, by: str, seen: str | None = None) -> None:
    """Show the source's own picture, whole. Raises as `edit_fields` does."""
    fields: dict[str, str | None] = dict.fromkeys(sorted(FIELDS))
    edit_fields(row, fields, now=now, by=by, seen=_seen(seen), also=FIELDS)


def focus_of(text: str) -> tuple[int, int]:
    """The point that "30 60" says; the middle for anything else."""
    parts = text.split()
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) < 4 for part in parts):
        return MIDDLE
    x, y = (min(100, int(part)) for part in parts)
    return x, y


def _seen(picture: str | None) -> dict[str, str] | None:
    return None if picture is None else {"picture": picture}


def _base(row: Placement) -> Picture | None:
    """What the shown picture was made of."""
    chosen = str(row.edits.get("picture_from", ""))
    found = lead_picture(content_of(row.review))
    held = Picture.objects.exclude(name="")
    for url in (chosen, found.url if found is not None else ""):
        if url and (picture := held.filter(source_url=url).first()) is not None:
            return picture
    return None


def _keep(url: str, stored: media.StoredPicture) -> None:
    Picture.objects.get_or_create(source_url=url, defaults={**stored.columns(), "fetched_at": stored.stored_at})
