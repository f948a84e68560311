"""A small brush box on Pillow: light, texture and shapes, in final pixels, drawn twice as large and reduced."""

from __future__ import annotations

import random
from collections.abc import Sequence
from io import BytesIO

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

Colour = str | tuple[int, int, int]
Point = tuple[float, float]

OVERSAMPLE = 2


class Board:
    """A picture in the making. Coordinates and sizes are pixels of the finished picture; `dice` is its own and seeded,
    so that the same picture comes out of every run.
    """

    def __init__(self, width: int, height: int, seed: str) -> None:
        self.width, self.height = width, height
        self.size = (width * OVERSAMPLE, height * OVERSAMPLE)
        self.image = Image.new("RGB", self.size)
        self.dice = random.Random(seed)

    # --- grounds -----------------------------------------------------------------------------------------------

    def sky(self, *stops: str, top: float = 0, bottom: float | None = None) -> None:
        """A vertical gradient through `stops`, from `top` to `bottom`."""
        low = self.height if bottom is None else bottom
        column = Image.new("RGB", (1, len(stops)))
        for row, stop in enumerate(stops):
            column.putpixel((0, row), _rgb(stop))
        box = (0, round(top * OVERSAMPLE), self.size[0], round(low * OVERSAMPLE))
        steps = max(2, (len(stops) - 1) * 64)
        smooth = column.resize((1, steps), Image.Resampling.BILINEAR, box=(0, 0.5, 1, len(stops) - 0.5))
        self.image.paste(smooth.resize((box[2], box[3] - box[1]), Image.Resampling.BILINEAR), box[:2])

    # --- shapes ------------------------------------------------------------------------------------------------

    def polygon(self, points: Sequence[Point], colour: Colour, alpha: float = 1.0) -> None:
        """A filled polygon."""
        scaled = [(x * OVERSAMPLE, y * OVERSAMPLE) for x, y in points]
        if alpha >= 1:
            ImageDraw.Draw(self.image).polygon(scaled, fill=colour)
        else:
            mask = Image.new("L", self.size)
            ImageDraw.Draw(mask).polygon(scaled, fill=round(255 * alpha))
            self.image.paste(Image.new("RGB", self.size, colour), mask=mask)

    def box(self, x: float, y: float, w: float, h: float, colour: Colour, radius: float = 0) -> None:
        """A filled box, its corners rounded by `radius`."""
        draw = ImageDraw.Draw(self.image)
        edges = (x * OVERSAMPLE, y * OVERSAMPLE, (x + w) * OVERSAMPLE - 1, (y + h) * OVERSAMPLE - 1)
        draw.rounded_rectangle(edges, radius * OVERSAMPLE, fill=colour)

    def disc(self, x: float, y: float, r: float, colour: Colour, squash: float = 1.0) -> None:
        """A filled disc; `squash` is its height by its width."""
        edges = tuple(v * OVERSAMPLE for v in (x - r, y - r * squash, x + r, y + r * squash))
        ImageDraw.Draw(self.image).ellipse(edges, fill=colour)

    def ring(self, x: float, y: float, r: float, colour: Colour, line: float = 2) -> None:
        """A circle's outline."""
        edges = tuple(v * OVERSAMPLE for v in (x - r, y - r, x + r, y + r))
        ImageDraw.Draw(self.image).ellipse(edges, outline=colour, width=max(1, round(line * OVERSAMPLE)))

    def arc(self, x: float, y: float, r: float, start: float, end: float, colour: Colour, line: float = 2) -> None:
        """A part of a circle, degrees clockwise from three o'clock."""
        edges = tuple(v * OVERSAMPLE for v in (x - r, y - r, x + r, y + r))
        ImageDraw.Draw(self.image).arc(edges, start, end, fill=colour, width=max(1, round(line * OVERSAMPLE)))

    def line(self, points: Sequence[Point], colour: Colour, line: float = 2) -> None:
        """A line through `points` with round joints."""
        scaled = [(x * OVERSAMPLE, y * OVERSAMPLE) for x, y in points]
        ImageDraw.Draw(self.image).line(scaled, fill=colour, width=max(1, round(line * OVERSAMPLE)), joint="curve")

    def words(
        self, x: float, y: float, text: str, size: float, colour: Colour, *, track: float = 0, heavy: float = 0
    ) -> None:
        """`text` centred on `x`, its middle at `y`, in the one typeface that Pillow brings along."""
        font = ImageFont.load_default(size * OVERSAMPLE)
        draw = ImageDraw.Draw(self.image)
        widths = [font.getlength(letter) + track * OVERSAMPLE for letter in text]
        left = x * OVERSAMPLE - (sum(widths) - track * OVERSAMPLE) / 2
        for letter, width in zip(text, widths, strict=True):
            draw.text(
                (left, y * OVERSAMPLE), letter, fill=colour, font=font, anchor="lm", stroke_width=heavy * OVERSAMPLE
            )
            left += width

    # --- light -------------------------------------------------------------------------------------------------

    def glow(self, x: float, y: float, r: float, colour: str, strength: float = 1.0, squash: float = 1.0) -> None:
        """Light that falls off around a point."""
        r *= OVERSAMPLE
        x *= OVERSAMPLE
        y *= OVERSAMPLE
        # Pillow's gradient is 0 in the middle and 255 at a corner, 181 at the edge of the inscribed circle.
        fall = Image.radial_gradient("L").point(
            [round(255 * strength * max(0.0, 1 - v / 128) ** 2) for v in range(256)]
        )
        mask = fall.resize((max(2, round(2 * r)), max(2, round(2 * r * squash))), Image.Resampling.BILINEAR)
        corner = (round(x - r), round(y - r * squash))
        self._shine(mask, corner, colour)

    def beam(self, tip: Point, left: Point, right: Point, colour: str, strength: float = 0.6, soft: float = 6) -> None:
        """A cone of light from `tip` to the edge between `left` and `right`, fading on its way."""
        small = (self.size[0] // 4, self.size[1] // 4)
        scale = OVERSAMPLE / 4
        mask = Image.new("L", small)
        draw = ImageDraw.Draw(mask)
        steps = 40
        for step in range(steps, 0, -1):
            far = step / steps
            ends = [(tip[0] + (p[0] - tip[0]) * far, tip[1] + (p[1] - tip[1]) * far) for p in (left, right)]
            shade = round(255 * strength * (1 - far) ** 0.8)
            draw.polygon([(px * scale, py * scale) for px, py in (tip, *ends)], fill=shade)
        mask = mask.filter(ImageFilter.GaussianBlur(soft * scale)).resize(self.size, Image.Resampling.BILINEAR)
        self._shine(mask, (0, 0), colour)

    def _shine(self, mask: Image.Image, corner: tuple[int, int], colour: str) -> None:
        box = (
            max(0, corner[0]),
            max(0, corner[1]),
            min(self.size[0], corner[0] + mask.width),
            min(self.size[1], corner[1] + mask.height),
        )
        if box[0] >= box[2] or box[1] >= box[3]:
            return
        part = mask.crop((box[0] - corner[0], box[1] - corner[1], box[2] - corner[0], box[3] - corner[1]))
        tint = _rgb(colour)
        light = Image.merge("RGB", [part.point([v * channel // 255 for v in range(256)]) for channel in tint])
        self.image.paste(ImageChops.screen(self.image.crop(box), light), box[:2])

    def mirror(self, y: float, dim: float = 0.55, blur: float = 3, tint: str = "#000000") -> None:
        """Wet ground: everything above `y` again below it, dimmed, blurred and broken into ripples."""
        line = round(y * OVERSAMPLE)
        depth = self.size[1] - line
        above = self.image.crop((0, max(0, line - depth), self.size[0], line)).transpose(
            Image.Transpose.FLIP_TOP_BOTTOM
        )
        above = above.resize((self.size[0], depth)).filter(ImageFilter.GaussianBlur(blur * OVERSAMPLE))
        above = Image.blend(Image.new("RGB", above.size, tint), above, dim)
        strip = 3 * OVERSAMPLE
        for top in range(0, depth, strip):
            push = round(self.dice.uniform(-1, 1) * OVERSAMPLE * (2 + 9 * top / depth))
            row = ImageChops.offset(above.crop((0, top, self.size[0], min(depth, top + strip))), push, 0)
            self.image.paste(row, (0, line + top))

    def soften(self, radius: float) -> None:
        """Blur what has been drawn so far, as out of focus."""
        self.image = self.image.filter(ImageFilter.GaussianBlur(radius * OVERSAMPLE))

    # --- finish ------------------------------------------------------------------------------------------------

    def finish(self, grain: float = 0.03, vignette: float = 0.25) -> bytes:
        """Reduce, darken the corners, lay grain over it, and encode: JPEG bytes."""
        image = self.image.reduce(OVERSAMPLE)
        if vignette:
            curve = [255 - round(255 * vignette * max(0.0, (v - 70) / 185) ** 1.6) for v in range(256)]
            shade = Image.radial_gradient("L").point(curve).resize(image.size, Image.Resampling.BICUBIC)
            image = ImageChops.multiply(image, Image.merge("RGB", (shade, shade, shade)))
        if grain:
            noise = Image.frombytes("L", image.size, self.dice.randbytes(image.width * image.height))
            noise = noise.filter(ImageFilter.GaussianBlur(0.6)).point(
                [128 + round((v - 128) * 1.6) for v in range(256)]
            )
            rough = ImageChops.overlay(image, Image.merge("RGB", (noise, noise, noise)))
            image = Image.blend(image, rough, grain * 4)
        out = BytesIO()
        image.save(out, "JPEG", quality=88, optimize=True, progressive=True)
        return out.getvalue()


def _rgb(colour: str) -> tuple[int, int, int]:
    value = colour.lstrip("#")
    return int(value[0:2], 16), int(value[2:4], 16), int(value[4:6], 16)


def mix(one: str, other: str, share: float) -> tuple[int, int, int]:
    """`share` of `other` in `one`."""
    first, second = _rgb(one), _rgb(other)
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue
