"""Pictures: fetched through the guarded fetcher, checked, made small, stripped, stored by their hash, served by us.

What a magazine's server sends is never passed on: it is decoded within limits, drawn again, and encoded as JPEG, or as
PNG where it is transparent (mail programs show nothing else everywhere). No metadata, no tracking, no dead hot-links.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from PIL import Image, ImageOps, UnidentifiedImageError

from newsletter.core.errors import PictureError
from newsletter.core.sentence import sentence

logger = logging.getLogger(__name__)

WIDTH = 1200
MAX_SOURCE_BYTES = 10 * 1024 * 1024
MAX_STORED_BYTES = 2 * 1024 * 1024
# What a format may unpack to, so that one picture stays below 300 MiB of memory: a JPEG is decoded at a smaller scale,
# the decoders of WebP and AVIF keep copies of their own.
MAX_PIXELS = {"JPEG": 50_000_000, "WEBP": 12_000_000, "AVIF": 12_000_000}
MAX_PIXELS_ELSE = 20_000_000
MAX_HEIGHT_RATIO = 4
SHAPES = {"wide": (3, 2), "square": (1, 1), "tall": (2, 3)}
"""What a picture can be cropped to: width to height."""
SMALLEST = 16
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF")
_SUFFIX = {"image/jpeg": ".jpg", "image/png": ".png"}
_QUALITIES = (82, 72, 60, 45)


class _Answer(Protocol):
    @property
    def body(self) -> bytes: ...


class PictureFetcher(Protocol):
    """What `store_picture` needs of `sources.fetch.Fetcher`."""

    def get(self, url: str, *, accept: str = ..., max_bytes: int | None = ...) -> _Answer:
        """Fetch an address or raise `FetchError`."""
        ...


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A picture in the media folder. `name` is its path relative to it, made of the hash; `size` is in bytes."""

    sha256: str
    width: int
    height: int
    media_type: str
    size: int
    name: str
    stored_at: datetime

    def columns(self) -> dict[str, str | int]:
        """What a row of `Picture` says about the file."""
        return {
            "sha256": self.sha256,
            "name": self.name,
            "width": self.width,
            "height": self.height,
            "media_type": self.media_type,
            "size": self.size,
        }


def store_picture(
    url: str, *, fetcher: PictureFetcher, folder: Path, width: int = WIDTH, now: datetime
) -> StoredPicture:
    """Fetch a picture and store it at most `width` pixels wide (twice the width it is shown at).

    Raises `FetchError` when it can't be had, `PictureError` when it is none, counts readers, or is too large.
    The same picture twice is one file; a file appears whole or not at all.
    """
    answer = fetcher.get(url, accept="image/jpeg, image/png, image/webp, image/*;q=0.8", max_bytes=MAX_SOURCE_BYTES)
    return store_bytes(answer.body, folder=folder, width=width, now=now, where=url)


def store_bytes(raw: bytes, *, folder: Path, width: int = WIDTH, now: datetime, where: str = "") -> StoredPicture:
    """Check, redraw and store the bytes of a picture; see `store_picture`."""
    data, media_type, size = redrawn(raw, width=width, where=where)
    return _stored(data, media_type, size, folder, now)


def _stored(data: bytes, media_type: str, size: tuple[int, int], folder: Path, now: datetime) -> StoredPicture:
    sha256 = hashlib.sha256(data).hexdigest()
    name = f"{sha256[:2]}/{sha256}{_SUFFIX[media_type]}"
    _write(folder / name, data)
    return StoredPicture(sha256, size[0], size[1], media_type, len(data), name, now)


def crop(name: str, shape: tuple[int, int], focus: tuple[int, int], *, folder: Path, now: datetime) -> StoredPicture:
    """The largest part of a stored picture that has this shape (width to height), with the point `focus` (percent from
    the left, from the top) as near to its middle as the edges let it. Raises `PictureError` where there is no file.
    """
    try:
        raw = (folder / name).read_bytes()
    except OSError as error:
        raise PictureError(
            sentence("The picture's file is gone."), where=name, hint=sentence("Gather again, or use another.")
        ) from error
    image = _opened(raw, name)
    across, down = shape
    width = max(1, min(image.width, image.height * across // down))
    height = max(1, min(image.height, image.width * down // across))
    left = _within(image.width * focus[0] / 100, width, image.width)
    top = _within(image.height * focus[1] / 100, height, image.height)
    data, media_type, size = _encoded(_plain_mode(image.crop((left, top, left + width, top + height))), name)
    return _stored(data, media_type, size, folder, now)


def _within(middle: float, length: int, whole: int) -> int:
    """Where a stretch of that length begins which lies in the whole, and around the middle as far as can be."""
    return min(max(0, round(middle - length / 2)), whole - length)


def redrawn(raw: bytes, *, width: int = WIDTH, where: str = "") -> tuple[bytes, str, tuple[int, int]]:
    """The picture as (bytes, media type, size), checked and drawn anew; raises `PictureError`. Nothing is stored."""
    return _encoded(_fitted(_opened(raw, where), width), where)


def _opened(raw: bytes, where: str) -> Image.Image:
    """The decoded picture. Its header is judged before one pixel is unpacked."""
    if len(raw) > MAX_SOURCE_BYTES:
        raise PictureError(
            sentence("The picture is larger than {max_source_bytes} bytes.", max_source_bytes=f"{MAX_SOURCE_BYTES:,}"),
            where=where,
        )
    if not raw:
        raise PictureError(sentence("The picture is empty: not one byte."), where=where)
    try:
        image = Image.open(io.BytesIO(raw), formats=_FORMATS)
        _check_size(image, where)
        image.draft("RGB", (2 * WIDTH, 2 * WIDTH))
        image.seek(0)
        image.load()
        # In place: a turned copy of a large picture would cost as much memory again.
        ImageOps.exif_transpose(image, in_place=True)
        return image
    except PictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError(sentence("The picture unpacks to more pixels than any screen has."), where=where) from error
    except UnidentifiedImageError as error:
        raise PictureError(_not_a_picture(raw), where=where) from error
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, TypeError, LookupError, ArithmeticError) as error:
        raise PictureError(
            sentence("The picture is damaged."), where=where, hint=f"({type(error).__name__})"
        ) from error


def _check_size(image: Image.Image, where: str) -> None:
    width, height = image.size
    if width <= 1 or height <= 1:
        raise PictureError(sentence("This is a counter of one pixel, not a picture."), where=where)
    if width < SMALLEST or height < SMALLEST:
        raise PictureError(
            sentence("The picture is only {width} by {height} pixels.", width=width, height=height), where=where
        )
    if width * height > MAX_PIXELS.get(image.format or "", MAX_PIXELS_ELSE):
        raise PictureError(
            sentence("The picture has {width} by {height} pixels: too many.", width=width, height=height), where=where
        )


def _not_a_picture(raw: bytes) -> str:
    start = raw[:400].lstrip().lower()
    if start.startswith((b"<svg", b"<?xml")) and b"<svg" in raw[:4000].lower():
        return "SVG drawings can't be shown in mail."
    if start.startswith((b"<!doctype", b"<html")):
        return "The address gives a web page, not a picture."
    return "This is not a picture that can be read."


def _fitted(image: Image.Image, width: int) -> Image.Image:
    """At most `width` wide and never enlarged; what is absurdly tall is cut to four times its width, from the top."""
    image = _plain_mode(image)
    if image.height > MAX_HEIGHT_RATIO * image.width:
        image = image.crop((0, 0, image.width, MAX_HEIGHT_RATIO * image.width))
    if image.width > width:
        image = image.resize((width, max(1, round(image.height * width / image.width))), Image.Resampling.LANCZOS)
    return image


def _plain_mode(image: Image.Image) -> Image.Image:
    """RGB, or RGBA where something shows through."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA") if image.mode != "RGBA" else image
        opaque = image.getchannel("A").histogram()[255] == image.width * image.height
        return image.convert("RGB") if opaque else image
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = image.point(lambda value: value / 256).convert("L")
    return image.convert("RGB") if image.mode != "RGB" else image


def _encoded(image: Image.Image, where: str) -> tuple[bytes, str, tuple[int, int]]:
    """(bytes, media type, size). Only pixels are handed to the encoder, so nothing of the old file rides along."""
    bare = Image.frombytes(image.mode, image.size, image.tobytes())
    for _ in range(4):
        if bare.mode == "RGBA":
            data = _saved(lambda out: bare.save(out, "PNG", optimize=True))  # noqa: B023 - called at once
            if len(data) <= MAX_STORED_BYTES:
                return data, "image/png", bare.size
        else:
            for quality in _QUALITIES:
                data = _saved(
                    lambda out: bare.save(out, "JPEG", quality=quality, optimize=True, progressive=True)  # noqa: B023
                )
                if len(data) <= MAX_STORED_BYTES:
                    return data, "image/jpeg", bare.size
        bare = bare.resize((max(1, bare.width // 2), max(1, bare.height // 2)), Image.Resampling.LANCZOS)
    raise PictureError(sentence("The picture stays too large however small it is drawn."), where=where)


def _saved(save: Callable[[io.BytesIO], None]) -> bytes:
    out = io.BytesIO()
    save(out)
    return out.getvalue()


def _write(path: Path, data: bytes) -> None:
    """Write the file whole or not at all; one that is there already has the same bytes, for its name is their hash."""
    if path.is_file() and path.stat().st_size == len(data):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".picture-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
