"""Pictures: checked, made small, stripped, stored by hash; fifty ways to be no picture."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from newsletter.core.errors import PictureError
from newsletter.media import MAX_STORED_BYTES, store_bytes, store_picture

NOW = datetime(2026, 11, 3, 17, tzinfo=UTC)


def drawn(size: tuple[int, int] = (1600, 900), mode: str = "RGB", form: str = "JPEG", **options: object) -> bytes:
    image = Image.linear_gradient("L").resize(size).convert(mode)
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def opened(folder: Path, name: str) -> Image.Image:
    image = Image.open(folder / name)
    image.load()
    return image


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def test_a_wide_picture_is_made_as_wide_as_the_design_needs(tmp_path: Path) -> None:
    stored = store_bytes(drawn((2400, 1350)), folder=tmp_path, now=NOW)
    assert (stored.width, stored.height, stored.media_type) == (1200, 675, "image/jpeg")
    assert opened(tmp_path, stored.name).size == (1200, 675)
    assert stored.size == (tmp_path / stored.name).stat().st_size
    assert stored.name == f"{stored.sha256[:2]}/{stored.sha256}.jpg"
    assert stored.stored_at == NOW


def test_a_small_picture_is_never_enlarged(tmp_path: Path) -> None:
    assert store_bytes(drawn((300, 200)), folder=tmp_path, now=NOW).width == 300


def test_the_same_picture_twice_is_one_file_with_the_same_name(tmp_path: Path) -> None:
    first = store_bytes(drawn(), folder=tmp_path, now=NOW)
    assert store_bytes(drawn(), folder=tmp_path, now=NOW) == first
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize(
    ("form", "mode"),
    [
        ("PNG", "RGB"),
        ("PNG", "P"),
        ("PNG", "L"),
        ("PNG", "1"),
        ("PNG", "I;16"),
        ("GIF", "P"),
        ("WEBP", "RGB"),
        ("BMP", "RGB"),
        ("TIFF", "CMYK"),
        ("JPEG", "CMYK"),
        ("JPEG", "L"),
        ("AVIF", "RGB"),
    ],
)
def test_every_usual_format_becomes_a_jpeg(tmp_path: Path, form: str, mode: str) -> None:
    stored = store_bytes(drawn((400, 300), mode, form), folder=tmp_path, now=NOW)
    image = opened(tmp_path, stored.name)
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (400, 300))


def test_what_shows_through_stays_a_png(tmp_path: Path) -> None:
    image = Image.new("RGBA", (400, 300), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 200, 300))
    out = io.BytesIO()
    image.save(out, "PNG")
    stored = store_bytes(out.getvalue(), folder=tmp_path, now=NOW)
    assert stored.media_type == "image/png" and stored.name.endswith(".png")
    assert opened(tmp_path, stored.name).getpixel((390, 10)) == (255, 0, 0, 0)


def test_an_alpha_channel_that_shows_nothing_is_dropped(tmp_path: Path) -> None:
    assert store_bytes(drawn((400, 300), "RGBA", "PNG"), folder=tmp_path, now=NOW).media_type == "image/jpeg"


def test_the_first_frame_of_an_animation_is_kept(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "green", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    stored = store_bytes(out.getvalue(), folder=tmp_path, now=NOW)
    red, green, _ = opened(tmp_path, stored.name).getpixel((10, 10))  # type: ignore[misc]
    assert red > 200 > 60 > green


def test_metadata_does_not_ride_along_and_rotation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "canary-description"
    gps = exif.get_ifd(0x8825)
    gps[1] = "N"
    raw = drawn((400, 200), exif=exif.tobytes(), comment=b"canary-comment")
    stored = store_bytes(raw, folder=tmp_path, now=NOW)
    data = (tmp_path / stored.name).read_bytes()
    assert (stored.width, stored.height) == (200, 400)
    assert b"canary" in raw and b"canary" not in data and b"Exif" not in data


def test_text_in_a_png_does_not_ride_along(tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "canary")
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 9))
    out = io.BytesIO()
    image.save(out, "PNG", pnginfo=info)
    stored = store_bytes(out.getvalue(), folder=tmp_path, now=NOW)
    assert b"canary" not in (tmp_path / stored.name).read_bytes()


def test_a_noisy_picture_stays_under_the_limit(tmp_path: Path) -> None:
    noise = Image.effect_noise((2400, 4000), 200).convert("RGB")
    out = io.BytesIO()
    noise.save(out, "JPEG", quality=75)
    stored = store_bytes(out.getvalue(), folder=tmp_path, now=NOW)
    assert stored.size <= MAX_STORED_BYTES
    rgba = Image.merge("RGBA", [Image.effect_noise((1200, 1200), 200) for _ in range(4)])
    out = io.BytesIO()
    rgba.save(out, "PNG")
    assert store_bytes(out.getvalue(), folder=tmp_path, now=NOW).size <= MAX_STORED_BYTES


def test_a_tower_is_cut_to_four_times_its_width(tmp_path: Path) -> None:
    stored = store_bytes(drawn((100, 3000)), folder=tmp_path, now=NOW)
    assert (stored.width, stored.height) == (100, 400)


@pytest.mark.parametrize("size", [(1, 1), (1, 600), (600, 1), (2, 2), (15, 15)])
def test_a_counter_is_no_picture(tmp_path: Path, size: tuple[int, int]) -> None:
    with pytest.raises(PictureError, match="pixel"):
        store_bytes(drawn(size, form="PNG"), folder=tmp_path, now=NOW, where="https://pixel.example.org/b.gif")


GOOD = drawn((400, 300))
GOOD_PNG = drawn((400, 300), form="PNG")
HOSTILE = {
    "nothing": b"",
    "words": b"just words",
    "a page": b"<!DOCTYPE html><html></html>",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "svg with a declaration": b"<?xml version='1.0'?><svg/>",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nquit",
    "pdf": b"%PDF-1.4",
    "zip": b"PK\x03\x04" + b"\0" * 100,
    "a bomb": png_header(60000, 60000),
    "a bigger bomb": png_header(2**31 - 1, 2**31 - 1),
    "a long bomb": png_header(10, 2**30),
    "too many pixels": png_header(10000, 5000),
    "no pixels": png_header(0, 0),
    "too many pixels for webp": b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (4000).to_bytes(3, "little") * 2,
    "a cut png": GOOD_PNG[: len(GOOD_PNG) // 2],
    "a cut jpeg": GOOD[: len(GOOD) // 2],
    "a jpeg head": GOOD[:20],
    "a gif head": b"GIF89a",
    "a webp head": b"RIFF\x00\x00\x00\x00WEBPVP8 ",
    "a tiff loop": b"II*\0\x08\0\0\0\x01\0\0\x01\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0",
    "an icon": b"\0\0\1\0\1\0" + b"\0" * 30,
    "large": b"\xff\xd8\xff" + b"\0" * (11 * 1024 * 1024),
    "a bmp that lies": b"BM"
    + struct.pack("<IHHIIiiHHIIiiII", 100, 0, 0, 54, 40, 2**30, 2**30, 1, 24, 0, 0, 0, 0, 0, 0),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_picture_is_refused_in_words_and_leaves_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(PictureError) as caught:
        store_bytes(HOSTILE[name], folder=tmp_path, now=NOW, where="https://p.example.org/x.jpg")
    assert "https://p.example.org/x.jpg" in str(caught.value)
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("step", range(24))
def test_a_damaged_picture_is_stored_or_refused_and_never_crashes(tmp_path: Path, step: int) -> None:
    for base in (GOOD, GOOD_PNG, drawn((64, 48), "P", "GIF"), drawn((64, 48), form="WEBP")):
        data = bytearray(base)
        for n in range(8):
            data[(step * 131 + n * 977) % len(data)] ^= 1 << (n + step) % 8
        try:
            store_bytes(bytes(data), folder=tmp_path, now=NOW)
        except PictureError as error:
            assert error.message


def test_a_crash_while_writing_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        store_bytes(GOOD, folder=tmp_path, now=NOW)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_picture_is_fetched_with_a_byte_cap(tmp_path: Path) -> None:
    asked: list[tuple[str, str, int | None]] = []

    @dataclass(frozen=True)
    class Answer:
        body: bytes

    class Shop:
        def get(self, url: str, *, accept: str = "", max_bytes: int | None = None) -> Answer:
            asked.append((url, accept, max_bytes))
            return Answer(GOOD)

    stored = store_picture("https://p.example.org/a.jpg", fetcher=Shop(), folder=tmp_path, width=200, now=NOW)
    assert (stored.width, stored.height) == (200, 150)
    assert asked[0][0] == "https://p.example.org/a.jpg" and asked[0][2] == 10 * 1024 * 1024


def test_the_hungriest_picture_that_is_let_in_stays_below_300_mib(tmp_path: Path) -> None:
    """In a process of its own, for memory once used is never given back to be measured again. Linux' `ru_maxrss` begins
    with what the parent used, which is what all tests before this one used; `VmHWM` is the child's alone.
    """
    (tmp_path / "large.png").write_bytes(drawn((4472, 4470), "RGBA", "PNG", compress_level=1))
    script = (
        "import re, resource, sys, pathlib, datetime; from newsletter.media import store_bytes;"
        "folder = pathlib.Path(sys.argv[1]);"
        "store_bytes((folder / 'large.png').read_bytes(), folder=folder, now=datetime.datetime.now(datetime.UTC));"
        "status = pathlib.Path('/proc/self/status');"
        "print(re.search(r'VmHWM:\\s+(\\d+) kB', status.read_text())[1] if status.exists()"
        "      else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    run = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(run.stdout) * unit < 300 * 2**20
