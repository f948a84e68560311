"""Rooms with an audience: concerts, theatre, art, a portrait."""

from __future__ import annotations

from math import cos, pi, sin

from newsletter.demo.pictures.brush import Board, mix


def _person(b: Board, x: float, foot: float, tall: float, colour: str) -> None:
    b.disc(x, foot - tall * 0.9, tall * 0.1, colour)
    b.box(x - tall * 0.15, foot - tall * 0.79, tall * 0.3, tall * 0.46, colour, tall * 0.1)
    b.polygon(
        [
            (x - tall * 0.14, foot - tall * 0.4),
            (x + tall * 0.14, foot - tall * 0.4),
            (x + tall * 0.16, foot),
            (x - tall * 0.16, foot),
        ],
        colour,
    )


def gig(b: Board) -> None:
    """A band under fans of light, in the rain."""
    b.sky("#0a0418", "#220a38", "#5a1250", "#a31b5a")
    for at in range(9):
        x = 70.0 + at * 132
        tone = ("#ff2f87", "#ffb347", "#8a4dff")[at % 3]
        lean = (at - 4) * 46 + b.dice.uniform(-40, 40)
        b.beam((x, -10), (x + lean - 90, 640), (x + lean + 90, 640), tone, 0.75)
        b.glow(x, 4, 120, "#fff0e0", 0.9)
    b.glow(600, 560, 620, "#ff3f8a", 0.55, 0.5)
    b.glow(600, 600, 360, "#ffd08a", 0.6, 0.5)
    b.box(0, 596, b.width, 210, "#12041a")
    b.box(0, 592, b.width, 6, "#ff6ba8")
    dark = "#0d0314"
    _person(b, 600, 598, 196, dark)
    b.line([(648, 440), (560, 508)], dark, 9)
    b.disc(572, 506, 24, dark)
    b.line([(634, 598), (634, 434)], dark, 4)
    b.box(380, 506, 150, 12, dark, 3)
    b.line([(394, 512), (394, 598)], dark, 5)
    b.line([(516, 512), (516, 598)], dark, 5)
    _person(b, 440, 590, 178, dark)
    b.disc(800, 556, 44, dark)
    b.disc(866, 540, 26, dark)
    b.disc(748, 536, 24, dark)
    b.line([(720, 598), (716, 480)], dark, 3)
    b.box(688, 476, 60, 5, dark, 2)
    b.box(858, 466, 66, 5, dark, 2)
    b.line([(890, 598), (890, 468)], dark, 3)
    _person(b, 806, 568, 150, dark)
    for _ in range(260):
        x, y = b.dice.uniform(-40, b.width), b.dice.uniform(-40, b.height)
        far = b.dice.uniform(14, 40)
        b.line([(x, y), (x - far * 0.16, y + far)], mix("#7a2f6a", "#ffe6f2", b.dice.uniform(0, 0.55)), 0.8)
    for row in range(3):
        for at in range(24 - row * 4):
            x = at * (54 + row * 14) + b.dice.uniform(-12, 12)
            y = 700 + row * 44 + b.dice.uniform(-10, 10)
            r = 19 + row * 6
            b.disc(x, y, r, "#06010b")
            b.box(x - r * 1.5, y + r * 0.8, r * 3, 120, "#06010b", r)
            if b.dice.random() < 0.2:
                b.line([(x + r, y + 30), (x + r + b.dice.uniform(0, 16), y - b.dice.uniform(50, 100))], "#06010b", 9)


def baths(b: Board) -> None:
    """A drained pool, tiled, with five singers at the deep end."""
    b.sky("#0d211d", "#12342c")
    far = ((380, 250), (820, 250))
    deep, wall = 470.0, 250.0
    b.polygon([far[0], far[1], (820, deep), (380, deep)], "#8fd8b4")
    b.polygon([far[0], (380, deep), (60, 800), (-260, 800), (-260, 60)], "#4f9f84")
    b.polygon([far[1], (820, deep), (1140, 800), (1460, 800), (1460, 60)], "#4f9f84")
    b.polygon([(380, deep), (820, deep), (1140, 800), (60, 800)], "#a9ead0")
    for step in range(23):
        x = 380 + step * 20
        b.line([(x, wall), (x, deep), (60 + step * 49.1, 800)], "#5aa98d", 1)
    for step in range(12):
        b.line([(380, wall + step * 20), (820, wall + step * 20)], "#5aa98d", 1)
    for step in range(1, 14):
        y = deep + (800 - deep) * (step / 13) ** 1.7
        edge = (y - deep) / (800 - deep) * 320
        b.line([(380 - edge, y), (820 + edge, y)], "#5aa98d", 1 + step / 10)
    for step in range(14):
        share = step / 13
        b.line([(380, wall + share * 220), (-260, 60 + share * 740)], "#3b8069", 1)
        b.line([(820, wall + share * 220), (1460, 60 + share * 740)], "#3b8069", 1)
    for step in range(12):
        x = 380 - 640 * (step / 11) ** 1.8
        b.line([(x, wall - (380 - x) * 0.297), (x, deep + (380 - x) * 0.9)], "#3b8069", 1)
        b.line([(1200 - x, wall - (380 - x) * 0.297), (1200 - x, deep + (380 - x) * 0.9)], "#3b8069", 1)
    b.box(0, 0, b.width, 120, "#0b1d19")
    for at in range(5):
        b.box(250 + at * 150, 26, 100, 70, "#1d4a44", 40)
        b.glow(300 + at * 150, 70, 120, "#5fd0c0", 0.35)
    b.words(600, 292, "6 FT", 34, "#2f6d59", track=6, heavy=0.6)
    b.glow(600, 470, 560, "#e8fff2", 0.75, 0.6)
    b.glow(600, 640, 620, "#6affc0", 0.25, 0.6)
    for at, x in enumerate((478, 538, 600, 664, 722)):
        tall = (132, 146, 138, 150, 130)[at]
        for share in range(8):
            b.polygon(
                [(x - 18, 508), (x + 18, 508), (x + 30, 508 + 14 * share), (x - 30, 508 + 14 * share)], "#2b6b57", 0.06
            )
        _person(b, x, 510, tall, ("#1b1a22", "#40202b", "#1d2b33", "#31233f", "#22302a")[at])
    b.line([(1010, 800), (1010, 590)], "#dfeee7", 8)
    b.line([(1090, 800), (1090, 560)], "#dfeee7", 8)
    for rung in range(5):
        b.line([(1010, 620 + rung * 42), (1090, 600 + rung * 42)], "#dfeee7", 6)


def chairs(b: Board) -> None:
    """Eleven chairs in a circle of light; one has gone over."""
    b.sky("#0c0a0d", "#15110f", "#0c0908")
    b.polygon([(0, 470), (1200, 470), (1200, 800), (0, 800)], "#1d130d")
    for at in range(17):
        x = -200.0 + at * 100
        b.line([(600 + (x - 600) * 0.5, 470), (x + (x - 600) * 0.4, 800)], "#130c08", 2)
    b.beam((600, -120), (60, 700), (1140, 700), "#ffe9bd", 0.75, 12)
    b.disc(600, 600, 520, "#6b4a2b", 0.3)
    b.disc(600, 600, 492, "#8a6238", 0.3)
    b.glow(600, 590, 560, "#ffdf9e", 0.8, 0.42)
    seats = []
    for at in range(12):
        turn = at / 12 * 2 * pi - pi / 2 + 0.1
        seats.append((600 + 400 * cos(turn), 600 + 118 * sin(turn), at))
    for x, y, at in sorted(seats, key=lambda seat: seat[1]):
        if at == 6:
            continue
        size = 0.74 + 0.42 * (y - 482) / 236
        tone = "#c4003f" if at == 4 else mix("#2b1a10", "#4a2f1d", b.dice.random())
        b.disc(x + 10, y + 4, 50 * size, "#3b2716", 0.28)
        if at == 4:
            _fallen(b, x, y, size)
        else:
            _chair(b, x, y, size, tone, y < 600)


def _chair(b: Board, x: float, y: float, size: float, tone: str | tuple[int, int, int], far: bool) -> None:
    half, seat, back = 34 * size, 62 * size, 136 * size
    if far:
        b.box(x - half, y - back, 2 * half, 54 * size, tone, 7 * size)
    for leg in (-1, 1):
        b.line([(x + leg * half * 0.9, y - (back if far else seat)), (x + leg * half * 0.96, y)], tone, 7 * size)
        b.line([(x + leg * half * 0.6, y - seat), (x + leg * half * 0.66, y - 14 * size)], tone, 5 * size)
    b.box(x - half * 1.08, y - seat - 5 * size, half * 2.16, 15 * size, tone, 5 * size)
    if not far:
        for leg in (-1, 1):
            b.line([(x + leg * half * 0.9, y - seat), (x + leg * half * 0.98, y - back)], tone, 7 * size)
        for rail in (0.0, 26.0):
            b.box(x - half, y - back + rail * size, 2 * half, 15 * size, tone, 6 * size)


def _fallen(b: Board, x: float, y: float, size: float) -> None:
    red = "#c4003f"
    b.line([(x - 66 * size, y - 4), (x + 62 * size, y - 12 * size)], red, 8 * size)
    b.line([(x - 60 * size, y - 48 * size), (x + 66 * size, y - 56 * size)], red, 8 * size)
    b.box(x - 10 * size, y - 66 * size, 15 * size, 66 * size, red, 5 * size)
    b.polygon(
        [
            (x + 24 * size, y - 56 * size),
            (x + 66 * size, y - 58 * size),
            (x + 62 * size, y - 10 * size),
            (x + 20 * size, y - 8 * size),
        ],
        red,
    )


def rooms(b: Board) -> None:
    """Doorways of coloured light, one inside the other."""
    tones = ("#2b1055", "#5b1a7a", "#a32a7c", "#e2526a", "#ff8a57", "#ffc05c", "#ffe9a3", "#fffbe8")
    b.sky("#160a30", "#2b1055")
    centre, floor, wide, tall = 600.0, 770.0, 1080.0, 720.0
    for at, tone in enumerate(tones):
        shift = (-26, 40, -34, 30, -20, 16, -8, 0)[at]
        b.glow(centre + shift, floor - tall / 2, wide * 0.62, tone, 0.35, 0.8)
        b.box(centre + shift - wide / 2, floor - tall, wide, tall, tone)
        b.polygon(
            [
                (centre + shift - wide / 2, floor),
                (centre + shift + wide / 2, floor),
                (centre + shift + wide / 2 - wide * 0.12, floor - tall * 0.1),
                (centre + shift - wide / 2 + wide * 0.12, floor - tall * 0.1),
            ],
            mix(tone, "#ffffff", 0.22),
        )
        b.polygon(
            [
                (centre + shift + wide / 2, floor),
                (centre + shift + wide / 2, floor - tall),
                (centre + shift + wide / 2 - wide * 0.1, floor - tall * 0.94),
                (centre + shift + wide / 2 - wide * 0.12, floor - tall * 0.1),
            ],
            mix(tone, "#1a0a33", 0.18),
        )
        floor -= tall * 0.1
        wide, tall = wide * 0.73, tall * 0.74
    b.glow(600, 500, 420, "#fff2c8", 0.45)
    _person(b, 452, 716, 176, "#1a0a2a")


def portrait(b: Board) -> None:
    """A profile cut out of staves, and a drop about to fall."""
    b.sky("#f4a259", "#f28a4a", "#d95d39")
    b.glow(860, 260, 620, "#ffe8b8", 0.75)
    for row in range(4):
        for line in range(5):
            y = 96.0 + row * 180 + line * 20
            points = [(x, y + 14 * sin(x / 150 + row * 0.8)) for x in range(0, 1210, 24)]
            b.line(points, mix("#e8743f", "#7a2618", 0.55), 1.6)
        for _ in range(9):
            x = b.dice.uniform(30, 1170)
            y = 96 + row * 180 + b.dice.randrange(9) * 10 + 14 * sin(x / 150 + row * 0.8)
            b.disc(x, y, 11, "#7a2618", 0.76)
            b.line([(x + 10, y), (x + 10, y - 62)], "#7a2618", 3)
    face = [
        (300, 800), (312, 690), (250, 640), (214, 540), (214, 400), (256, 270), (350, 180), (470, 144), (580, 160),
        (652, 214), (684, 286), (686, 340), (700, 386), (742, 452), (746, 470), (714, 488), (708, 502), (718, 524),
        (704, 540), (716, 562), (700, 584), (698, 622), (672, 652), (604, 656), (560, 676), (548, 726), (566, 800),
    ]  # fmt: skip
    b.polygon(_rounded(face), "#3a1020")
    hair = [(214, 540), (190, 430), (214, 280), (310, 150), (470, 100), (610, 128), (668, 214), (590, 232), (520, 300),
            (500, 400), (470, 470), (430, 520), (400, 620), (330, 690), (262, 650)]  # fmt: skip
    b.polygon(_rounded(hair), "#1d0812")
    b.disc(256, 180, 92, "#1d0812")
    b.disc(452, 508, 15, "#ffd23f")
    for line in range(5):
        b.line([(300 + line * 4, 700 + line * 16), (600 - line * 6, 690 + line * 18)], "#f4a259", 1.6)
    b.polygon([(930, 250), (958, 322), (902, 322)], "#fff4da")
    b.disc(930, 332, 30, "#fff4da")
    b.arc(930, 332, 20, 20, 90, "#d95d39", 4)
    for r in (60, 110, 170):
        b.arc(930, 700, r, 200, 340, "#fff4da", 3)


def _rounded(points: list[tuple[int, int]]) -> list[tuple[float, float]]:
    """The polygon with its corners cut twice (Chaikin): a pair of scissors would do the same."""
    path: list[tuple[float, float]] = [(float(x), float(y)) for x, y in points]
    for _ in range(3):
        cut: list[tuple[float, float]] = []
        for (ax, ay), (bx, by) in zip(path, path[1:] + path[:1], strict=True):
            cut += [(ax * 0.75 + bx * 0.25, ay * 0.75 + by * 0.25), (ax * 0.25 + bx * 0.75, ay * 0.25 + by * 0.75)]
        path = cut
    return path
