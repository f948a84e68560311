"""Contact sheets: one reference issue in one design, every way of looking side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SCALE = 0.25
GAP, LABEL = 14, 26
DESK = "#8a8a8a"
QUALITY = 45


def sheet(pictures: Sequence[tuple[str, Image.Image]], target: Path, *, scale: float = SCALE) -> int:
    """Write the labelled pictures in one row as JPEG; gives its size in bytes."""
    small = [
        (label, each.resize((round(each.width * scale), round(each.height * scale)), Image.Resampling.LANCZOS))
        for label, each in pictures
    ]
    width = sum(each.width for _, each in small) + GAP * (len(small) + 1)
    height = max(each.height for _, each in small) + LABEL + GAP
    whole = Image.new("RGB", (width, height), DESK)
    draw, font, x = ImageDraw.Draw(whole), ImageFont.load_default(12), GAP
    for label, each in small:
        draw.text((x, 7), label, fill="#ffffff", font=font)
        whole.paste(each, (x, LABEL))
        x += each.width + GAP
    target.parent.mkdir(parents=True, exist_ok=True)
    whole.save(target, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return target.stat().st_size


def row(pictures: Mapping[str, Image.Image], target: Path, *, height: int, width: int) -> int:
    """Write the tops of some pictures side by side, each `width` wide and cut at `height`, as JPEG; gives its size."""
    whole = Image.new("RGB", (width * len(pictures) + GAP * (len(pictures) - 1), height), "#ffffff")
    for place, each in enumerate(pictures.values()):
        top = each.crop((0, 0, each.width, min(each.height, round(height * each.width / width))))
        small = top.resize((width, round(top.height * width / top.width)), Image.Resampling.LANCZOS)
        whole.paste(small, (place * (width + GAP), 0))
    target.parent.mkdir(parents=True, exist_ok=True)
    whole.save(target, "JPEG", quality=82, optimize=True, progressive=True)
    return target.stat().st_size
