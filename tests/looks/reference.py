"""Reference pictures: a letter's blocks, their places, their flat colours and how they look from afar.

A font renderer moves line ends, edges and greys, and never a block, a fill or a picture. So three things are compared,
block by block from the top: where it stands and how large it is (heights by a few lines more or less), which flat fills
it has (exact colours, by their share of its area), and a blurred picture of a few cells. `python -m tests.looks
references` draws them anew; look at the pictures in git's diff before you commit them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageFilter, ImageStat

from tests.looks.window import Box, Mode, Window

SCALE = 4
"""The picture that is kept is so many times smaller than the page."""

RUN, ROWS, FLAT = 16, 3, 0.002
"""A fill is one exact colour over so many pixels side by side and rows on end, and so much of its block in all:
wider than the stem of any letter, higher than any rule.
"""

SIDEWAYS, LINES, TALLER = 3.0, 64.0, 0.2
"""What may differ: pixels of x, width and edge; pixels of height, or this share of it, whichever is more."""

AGREED = 0.75
"""Where so many lines of a block begin at one place, half as many must still begin there."""

FILL_SHARE = 0.45
"""How much a fill's share may differ, of itself."""

SHOTS: tuple[tuple[str, int, Mode], ...] = (
    ("rich", 600, "light"),
    ("rich", 375, "dark"),
    ("rich-arabic", 600, "light"),
    ("no-pictures", 320, "forced"),
)
"""What is kept of each design."""

_NOTHING = (1, 2, 3)
"""Stands for what is no fill."""

CELL, COLOUR = 60, 14.0
"""Width and height of a blurred cell in pixels of the page; mean difference of cells, of 255, that is no change."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block: where it stands, and its fills as share of its area by "#rrggbb"."""

    box: Box
    fills: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Shot:
    """One letter drawn: its blocks, and the whole picture, `SCALE` times smaller."""

    blocks: tuple[Block, ...]
    picture: Image.Image


def taken(window: Window) -> Shot:
    """What the window shows now."""
    whole = window.picture()
    blocks = tuple(Block(box, fills(_part(whole, box, 1))) for box in window.blocks())
    return Shot(blocks, whole.reduce(SCALE))


def fills(part: Image.Image) -> dict[str, float]:
    """The flat colours of a block and their shares. Letters and pictures have none."""
    flat = Image.new("L", part.size, 255)
    for away in ((1, 0), (RUN // 2, 0), (-RUN // 2, 0), (0, ROWS // 2), (0, -(ROWS // 2))):
        red, green, blue = ImageChops.difference(part, ImageChops.offset(part, *away)).split()
        differs = ImageChops.lighter(ImageChops.lighter(red, green), blue)
        flat = ImageChops.darker(flat, differs.point([255, *[0] * 255]))
    shown = Image.composite(part, Image.new("RGB", part.size, _NOTHING), flat)
    area = part.width * part.height
    return {
        "#{:02x}{:02x}{:02x}".format(*colour): round(count / area, 4)  # type: ignore[misc]
        for count, colour in sorted(shown.getcolors(area) or [], reverse=True)
        if count >= FLAT * area and colour != _NOTHING
    }


def differences(now: Shot, then: Shot) -> list[str]:
    """What has changed, a line each, as far as a person would see it."""
    if len(now.blocks) != len(then.blocks):
        return [f"{len(now.blocks)} blocks, where there were {len(then.blocks)}"]
    found: list[str] = []
    for number, (new, old) in enumerate(zip(now.blocks, then.blocks, strict=True), 1):
        told = [*_places(new.box, old.box), *_fills(new.fills, old.fills)]
        away = _distance(_part(now.picture, new.box, SCALE), _part(then.picture, old.box, SCALE))
        if away > COLOUR:
            told.append(f"looks {away:.0f} of 255 different from afar")
        found += [f"block {number}: {each}" for each in told]
    return found


def _places(new: Box, old: Box) -> Iterable[str]:
    for name in ("x", "width"):
        before, after = getattr(old, name), getattr(new, name)
        if abs(before - after) > SIDEWAYS:
            yield f"{name} is {after:.0f}, was {before:.0f}"
    if old.agreed >= AGREED and (new.agreed < AGREED / 2 or abs(new.edge - old.edge) > SIDEWAYS):
        yield f"{new.agreed:.0%} of its lines begin at {new.edge:.0f}, where {old.agreed:.0%} began at {old.edge:.0f}"
    if abs(new.height - old.height) > max(LINES, TALLER * old.height):
        yield f"height is {new.height:.0f}, was {old.height:.0f}"


def _fills(new: Mapping[str, float], old: Mapping[str, float]) -> Iterable[str]:
    # Twice the least share, so that a colour on the edge of counting is no change when it counts no more.
    for colour in sorted(set(new) | set(old)):
        before, after = old.get(colour, 0.0), new.get(colour, 0.0)
        if max(before, after) >= 2 * FLAT and abs(before - after) > FILL_SHARE * max(before, after):
            yield f"{colour} fills {after:.1%}, filled {before:.1%}"


def _part(whole: Image.Image, box: Box, scale: int) -> Image.Image:
    left, top = round(box.x / scale), round(box.y / scale)
    return whole.crop(
        (
            left,
            top,
            max(left + 1, round((box.x + box.width) / scale)),
            max(top + 1, round((box.y + box.height) / scale)),
        )
    )


def _distance(new: Image.Image, old: Image.Image) -> float:
    """Mean difference of blurred cells. The new block is stretched onto the old one: some lines more or less."""
    cells = (max(2, round(old.width * SCALE / CELL)), max(2, round(old.height * SCALE / CELL)))
    blurred = [
        each.resize((cells[0] * 4, cells[1] * 4), Image.Resampling.BOX)
        .filter(ImageFilter.GaussianBlur(3))
        .resize(cells)
        for each in (new, old)
    ]
    return max(ImageStat.Stat(ImageChops.difference(*blurred)).mean)


def save(name: str, shot: Shot, folder: Path) -> None:
    """Write the picture as `NAME.png`, and where its blocks stand as `NAME.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    shot.picture.quantize(96).save(folder / f"{name}.png", optimize=True)
    rows = [json.dumps({**asdict(block.box), "fills": dict(block.fills)}) for block in shot.blocks]
    (folder / f"{name}.json").write_text("[\n  " + ",\n  ".join(rows) + "\n]\n")


def load(name: str, folder: Path) -> Shot:
    """What `save` wrote. Raises `FileNotFoundError` for a reference that is not there."""
    rows: Sequence[dict[str, object]] = json.loads((folder / f"{name}.json").read_text())
    blocks = tuple(Block(Box(**{k: row[k] for k in Box.__dataclass_fields__}), row["fills"]) for row in rows)  # type: ignore[arg-type]
    with Image.open(folder / f"{name}.png") as picture:
        return Shot(blocks, picture.convert("RGB"))
