"""The pictures of the reference issues, drawn by code: each shows what its alternative text says."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import cos, pi, sin

from newsletter.demo.pictures.brush import Board, mix

SIZES = {
    "sunday": (1200, 675),
    "bread": (1200, 675),
    "salt": (480, 720),
    "orange": (480, 720),
    "tin": (720, 720),
    "port": (720, 720),
    "night": (720, 480),
    "hall": (720, 480),
    "mara": (720, 480),
    "garden": (720, 480),
    "club": (720, 480),
    "cover": (480, 640),
}
"""Width and height in pixels, by the picture's name."""


@cache
def drawn(name: str) -> bytes:
    """One picture as JPEG bytes, the same in every run. Raises `KeyError` for a name that is not in `SIZES`."""
    board = Board(*SIZES[name], seed=name)
    _SCENES[name](board)
    return board.finish()


def _sunday(b: Board) -> None:
    """A kitchen table after lunch: eleven plates, one chair pushed back."""
    b.sky("#e9b872", "#d98f4e", "#8c4a35")
    for column in range(0, b.width, 60):
        b.box(column, 0, 1, 190, mix("#d98f4e", "#8c4a35", 0.35))
    b.box(420, 40, 360, 150, "#f7e2b0", 6)
    b.box(432, 52, 164, 126, "#bfe0e6", 3)
    b.box(604, 52, 164, 126, "#a9d3dc", 3)
    b.glow(600, 120, 520, "#fff0c8", 0.6, 0.7)
    b.polygon([(150, 250), (1050, 250), (1190, 610), (10, 610)], "#f4ead7")
    b.polygon([(10, 610), (1190, 610), (1190, 640), (10, 640)], "#cfb893")
    for row, count in enumerate((4, 4, 3)):
        for at in range(count):
            y = 312 + row * 102
            x = 600 + (at - (count - 1) / 2) * (200 + row * 34)
            size = 52 + row * 11
            b.disc(x + 5, y + 7, size, mix("#f4ead7", "#8c4a35", 0.3), 0.46)
            b.disc(x, y, size, "#ffffff", 0.46)
            b.disc(x, y, size * 0.68, "#e8e4dc", 0.46)
            b.disc(x + b.dice.uniform(-12, 12), y + 2, size * 0.2, ("#b0432f", "#7b8f3a", "#c98b2f")[at % 3], 0.5)
    b.box(1000, 330, 16, 250, "#5b2b22", 4)
    b.box(1110, 350, 16, 300, "#5b2b22", 4)
    b.polygon([(985, 470), (1100, 490), (1150, 540), (1010, 545)], "#7c3a2b")
    for rail in range(3):
        b.box(1006, 345 + rail * 38, 112, 14, "#6a3226", 4)


def _bread(b: Board) -> None:
    """A baker's oven glowing before dawn, flat loaves on a board."""
    b.sky("#10162e", "#27305c", "#5a3b5e")
    b.box(0, 0, 760, 675, "#2a1a1c")
    for row in range(12):
        for column in range(13):
            b.box(column * 62 - (31 if row % 2 else 0), row * 57, 58, 53, mix("#3a2324", "#5a302a", b.dice.random()), 3)
    b.glow(390, 360, 520, "#ff8a2b", 0.85)
    b.disc(390, 380, 190, "#1a0d0c")
    b.box(200, 380, 380, 130, "#1a0d0c")
    b.disc(390, 392, 160, "#ff9a35")
    b.box(230, 392, 320, 112, "#ffb347")
    b.disc(390, 430, 110, "#ffe08a", 0.7)
    for at in range(3):
        b.disc(310 + at * 80, 486, 46, "#c47a33", 0.36)
        b.disc(306 + at * 80, 480, 34, "#e6a95a", 0.34)
    b.box(60, 560, 1080, 30, "#4a2a1e", 4)
    for at in range(7):
        x = 150 + at * 150
        b.disc(x, 556, 66, "#a8632b", 0.34)
        b.disc(x - 4, 548, 58, "#dba35c", 0.32)
        for spot in range(5):
            b.disc(x - 30 + spot * 14, 545 + b.dice.uniform(-5, 5), 5, "#8d4f22", 0.5)
    b.disc(980, 190, 54, "#f3e6c0")
    b.disc(1000, 178, 48, "#1d2547")
    for _ in range(40):
        b.disc(b.dice.uniform(780, 1190), b.dice.uniform(10, 330), b.dice.uniform(0.6, 1.8), "#e9e4ff")


def _salt(b: Board) -> None:
    """The cover of The Salt Road: a white line on white paper."""
    b.sky("#f6f3ec", "#efeae0", "#e4ddd0")
    for shade, push in (("#d3cabb", 6), ("#ffffff", 0)):
        line = [
            (240 + 130 * sin(step / 40 * 2.6 * pi) * (step / 40) ** 1.3 + push, 240 + step * 12) for step in range(41)
        ]
        for step, (x, y) in enumerate(line):
            b.disc(x, y, 3 + step * 0.9, shade, 0.6)
    b.words(240, 92, "THE SALT ROAD", 50, "#8b2f1f", track=1.5, heavy=0.5)
    b.line([(90, 138), (390, 138)], "#8b2f1f", 2)
    b.words(240, 168, "IMRE VASHTI", 25, "#3b342b", track=5)
    b.disc(240, 222, 4, "#8b2f1f")


def _orange(b: Board) -> None:
    """A book cover: an orange tree whose shadow is a woman reading."""
    b.sky("#f3c45b", "#f0a63c", "#e7862b")
    b.polygon([(0, 470), (480, 430), (480, 720), (0, 720)], "#c9571f")
    b.box(172, 300, 20, 170, "#4a2413", 6)
    for x, y, r in ((180, 250, 92), (118, 290, 66), (248, 286, 70), (182, 190, 62)):
        b.disc(x, y, r, "#23482f")
    for _ in range(22):
        turn, far = b.dice.uniform(0, 2 * pi), b.dice.uniform(10, 96)
        b.disc(182 + far * cos(turn), 250 + far * 0.8 * sin(turn), 11, "#ff8a1f")
    shade = "#8f3a14"
    b.polygon([(185, 468), (330, 560), (392, 640), (300, 668), (222, 560)], shade)
    b.disc(352, 560, 34, shade)
    b.polygon([(296, 612), (250, 650), (300, 672), (340, 640)], "#f4d9a0")
    b.disc(400, 96, 46, "#fff3cf")
    b.box(60, 690, 360, 3, "#fff3cf")


def _tin(b: Board) -> None:
    """The cover of Tin Hymnal: an open tin door, the sea behind it."""
    b.sky("#5f6b73", "#78858c", "#4c565d")
    for column in range(0, 720, 24):
        b.box(column, 0, 10, 720, mix("#78858c", "#3c454b", 0.35 + 0.2 * (column % 48 > 0)))
    for _ in range(90):
        b.disc(b.dice.uniform(0, 720), b.dice.uniform(0, 720), b.dice.uniform(1, 6), "#8d4a2a", 0.7)
    b.box(226, 130, 268, 590, "#0e2a3a")
    b.box(236, 140, 248, 300, "#f2c48d")
    b.glow(360, 410, 210, "#fff2c9", 0.9, 0.6)
    b.disc(360, 420, 44, "#fff6dc")
    b.box(236, 436, 248, 284, "#14667a")
    for at in range(26):
        y = 446 + at * 10
        b.box(360 - b.dice.uniform(10, 90), y, b.dice.uniform(20, 150), 2.5, mix("#14667a", "#f6e0b5", 0.65))
    b.polygon([(494, 130), (640, 60), (640, 720), (494, 720)], "#a9b4ba")
    for step in range(6):
        x = 506 + step * 24
        b.polygon([(x, 124 - step * 11), (x + 8, 120 - step * 11), (x + 8, 720), (x, 720)], "#7d898f")
    b.disc(520, 430, 11, "#2b3338")
    b.words(360, 70, "TIN HYMNAL", 44, "#f6ead2", track=8, heavy=0.6)


def _port(b: Board) -> None:
    """A record sleeve: cranes like a row of notes over a dark harbour."""
    b.sky("#0b1f3a", "#123a63", "#2f6d8f", bottom=470)
    b.disc(540, 150, 60, "#f4e3b2")
    b.glow(540, 150, 240, "#f4e3b2", 0.5)
    for line in range(5):
        b.box(0, 210 + line * 42, 720, 2, mix("#2f6d8f", "#ffffff", 0.35))
    for at, lift in enumerate((3, 1, 2, 0, 2, 4)):
        x, y = 90 + at * 108, 214 + lift * 42
        b.disc(x, y, 20, "#07111f", 0.8)
        b.box(x + 14, y - 120, 6, 124, "#07111f")
        b.polygon([(x + 20, y - 120), (x + 70, y - 92), (x + 20, y - 100)], "#07111f")
    b.box(0, 470, 720, 250, "#07182b")
    b.mirror(470, 0.45, 2, "#04101d")


def _night(b: Board) -> None:
    """A lit bus window at night with one passenger asleep."""
    b.sky("#060913", "#0d1530", "#1a1c3a")
    for _ in range(70):
        x, y = b.dice.uniform(0, 720), b.dice.uniform(0, 120)
        b.disc(x, y, b.dice.uniform(0.5, 1.5), "#8f9bd0")
    b.box(-20, 90, 760, 320, "#c23b2e", 26)
    b.box(-20, 330, 760, 80, "#7f221b")
    b.box(-20, 318, 760, 8, "#f2d6a2")
    for at in range(3):
        x = 24 + at * 236
        b.box(x, 124, 206, 168, "#ffdf9a", 16)
        b.box(x, 124, 206, 40, "#fff1c9", 16)
        b.box(x + 20, 232, 66, 60, "#4f3a67", 12)
        b.box(x + 118, 232, 66, 60, "#4f3a67", 12)
    b.disc(322, 214, 30, "#5c3520")
    b.disc(318, 200, 32, "#20140f", 0.7)
    b.polygon([(276, 292), (286, 246), (352, 240), (374, 292)], "#2c6b73")
    b.line([(300, 222), (314, 226)], "#20140f", 2.5)
    b.glow(360, 210, 420, "#ffca6b", 0.42, 0.6)
    b.words(662, 352, "14", 40, "#ffe9b0", heavy=0.8)
    for x in (120.0, 600.0):
        b.disc(x, 410, 46, "#05070c")
        b.disc(x, 410, 18, "#4b5568")
    b.box(0, 448, 720, 32, "#0a0d16")


def _hall(b: Board) -> None:
    """A singer at a microphone, looking at her wrist."""
    b.sky("#1c0b24", "#34103c", "#120716")
    for x, colour in ((140, "#ff4f8b"), (360, "#ffd166"), (580, "#6c8cff")):
        b.beam((x, -30), (360 - 190, 480), (360 + 190, 480), colour, 0.5, 12)
    b.box(0, 420, 720, 60, "#0b050e")
    b.disc(330, 160, 38, "#2b1520")
    b.disc(322, 150, 44, "#120910")
    b.polygon([(286, 206), (376, 206), (398, 420), (262, 420)], "#8a1740")
    b.line([(368, 222), (440, 268), (392, 226)], "#2b1520", 18)
    b.line([(294, 222), (262, 300), (330, 280)], "#2b1520", 16)
    b.disc(396, 228, 11, "#ffe08a")
    b.box(470, 170, 6, 260, "#c9c2cf")
    b.line([(473, 172), (420, 150)], "#c9c2cf", 5)
    b.disc(412, 148, 14, "#e9e4ef", 0.8)
    b.glow(340, 190, 300, "#ffb3cf", 0.35)
    for at in range(26):
        b.disc(at * 29 + b.dice.uniform(-8, 8), 476, b.dice.uniform(15, 24), "#06030a")


def _mara(b: Board) -> None:
    """A playwright alone in the third row of an empty theatre."""
    b.sky("#3b0f14", "#5a161c", "#25090d")
    b.box(0, 0, 720, 96, "#1a0709")
    for at in range(9):
        b.disc(40 + at * 80, 96, 7, "#ffd98a")
        b.glow(40 + at * 80, 96, 70, "#ffcf7a", 0.5)
    for row in range(5):
        y, wide = 168 + row * 66, 54 + row * 9
        count = 15 - row * 2
        for at in range(count):
            x = 360 + (at - (count - 1) / 2) * (wide + 8)
            if row == 2 and at == count // 2 + 2:
                b.disc(x, y - 22, 20, "#e2b98c")
                b.disc(x, y - 32, 21, "#2a1a14", 0.7)
                b.polygon([(x - 26, y + 34), (x - 20, y), (x + 20, y), (x + 26, y + 34)], "#e9dfcb")
            b.box(x - wide / 2, y + 8, wide, 62, mix("#a32a33", "#5a161c", 0.12 * (4 - row)), 14)
            b.box(x - wide / 2 + 5, y + 14, wide - 10, 8, mix("#d65a5f", "#a32a33", 0.4), 4)
    b.beam((360, -40), (380, 480), (620, 480), "#ffe3b0", 0.35, 14)


def _garden(b: Board) -> None:
    """A drawn greenhouse in the rain."""
    b.sky("#7f97a3", "#a9bcc2", "#c9d4cf")
    b.box(0, 380, 720, 100, "#44603f")
    b.polygon([(150, 200), (360, 80), (570, 200), (570, 390), (150, 390)], "#d7ece6", 0.82)
    for at in range(7):
        b.box(150 + at * 70 - 3, 200, 6, 190, "#f6faf7")
    for y in (200.0, 290.0, 386.0):
        b.box(146, y - 3, 428, 6, "#f6faf7")
    b.line([(146, 202), (360, 78), (574, 202)], "#f6faf7", 8)
    b.line([(360, 80), (360, 200)], "#f6faf7", 5)
    for at in range(24):
        x, tall = 166 + at * 17, b.dice.uniform(26, 130)
        b.line([(x, 386), (x + b.dice.uniform(-10, 10), 386 - tall)], mix("#2f5a34", "#6f8f3a", b.dice.random()), 4)
        b.disc(x + b.dice.uniform(-8, 8), 386 - tall, b.dice.uniform(5, 13), mix("#3f7a3f", "#8a6a2f", b.dice.random()))
    for _ in range(190):
        x, y, drop = b.dice.uniform(0, 740), b.dice.uniform(-20, 470), b.dice.uniform(9, 24)
        b.line([(x, y), (x - drop * 0.3, y + drop)], "#e8f1f2", 1.1)


def _club(b: Board) -> None:
    """Four red seats."""
    b.sky("#f2c9a0", "#e7a77c", "#c97a5a")
    b.box(0, 380, 720, 100, "#8a4a3a")
    for at in range(4):
        x = 96 + at * 136
        b.box(x, 150, 120, 190, "#b3202e", 26)
        b.box(x + 12, 164, 96, 40, "#d0454c", 18)
        b.box(x - 6, 316, 132, 66, "#8f1422", 20)
        b.box(x + 14, 380, 14, 50, "#3a1a18", 4)
        b.box(x + 92, 380, 14, 50, "#3a1a18", 4)
        b.disc(x + 60, 226, 15, "#f6d58a")
        b.words(x + 60, 226, str(at + 1), 18, "#5a1018", heavy=0.6)
    b.glow(360, 80, 460, "#fff0cf", 0.4, 0.6)


def _cover(b: Board) -> None:
    """The print magazine: a lunch table seen from above under its name."""
    b.sky("#0f4c4a", "#0c3d3d", "#092f30")
    b.words(240, 74, "LANTERN", 74, "#ffe3a3", track=3, heavy=1.2)
    b.words(240, 130, "THE LONG LUNCH", 24, "#ffffff", track=6)
    b.disc(240, 390, 186, "#f4ead7")
    for at in range(11):
        turn = at * 2 * pi / 11
        x, y = 240 + 142 * cos(turn), 390 + 142 * sin(turn)
        b.disc(x, y, 32, "#ffffff")
        b.disc(x, y, 21, ("#e8b04b", "#c9573a", "#7f9a4a")[at % 3])
    b.disc(240, 390, 58, "#c9573a")
    b.disc(240, 390, 44, "#e07a4f")
    b.words(240, 606, "38", 34, "#ffe3a3", heavy=0.8)


_SCENES: dict[str, Callable[[Board], None]] = {
    "sunday": _sunday,
    "bread": _bread,
    "salt": _salt,
    "orange": _orange,
    "tin": _tin,
    "port": _port,
    "night": _night,
    "hall": _hall,
    "mara": _mara,
    "garden": _garden,
    "club": _club,
    "cover": _cover,
}
