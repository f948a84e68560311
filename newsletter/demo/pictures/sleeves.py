"""Things one holds: books, albums, a record, a game, a road, and the print magazine."""

from __future__ import annotations

from math import cos, pi, sin

from newsletter.demo.pictures.brush import Board, mix


def weather(b: Board) -> None:
    """Bands of land and cloud through a wet window."""
    b.sky("#39474f", "#5f7079", "#93999a", "#c9b88f", "#c98f3d", "#8a5a24", "#4d3a22")
    for band in range(26):
        y = 30 + band * 34 + b.dice.uniform(-10, 10)
        tone = b.dice.choice(("#2f3c44", "#6d7c84", "#d9c79b", "#b9762b", "#e9dcc0", "#54402a"))
        points = [(float(x), y + 9 * sin(x / 130 + band) + b.dice.uniform(-5, 5)) for x in range(-20, 940, 40)]
        high = b.dice.uniform(5, 30)
        b.polygon([*points, *[(x, v + high) for x, v in reversed(points)]], tone, 0.4)
    b.soften(7)
    b.glow(620, 430, 330, "#fff3d2", 0.5)
    for _ in range(42):
        x, y = b.dice.uniform(0, b.width), b.dice.uniform(-60, b.height)
        far = b.dice.uniform(60, 300)
        points = [(x + b.dice.uniform(-4, 4), y + far * k / 8) for k in range(9)]
        b.line(points, mix("#93999a", "#ffffff", b.dice.uniform(0.1, 0.5)), b.dice.uniform(0.6, 2))
        b.disc(points[-1][0], points[-1][1], b.dice.uniform(3, 7), "#e9efef", 1.25)
        b.disc(points[-1][0] - 1, points[-1][1] + 1.5, b.dice.uniform(1.5, 3), "#8b9698")
    for _ in range(240):
        b.disc(b.dice.uniform(0, b.width), b.dice.uniform(0, b.height), b.dice.uniform(0.6, 2.6), "#dfe5e4")
    b.words(450, 806, "slow weather", 62, "#fff7e6", track=3)
    b.words(450, 856, "ADA FONTAINE-OKAFOR", 21, "#fff7e6", track=7)


def radio(b: Board) -> None:
    """A cream radio on tomato red, in circles."""
    b.sky("#d8392b", "#c92f24")
    for r in range(11, 0, -1):
        b.disc(450, 470, 70 + r * 62, mix("#d8392b", "#f26a4b" if r % 2 else "#b3241c", 0.6))
    b.box(142, 322, 632, 392, "#8f1c16", 60)
    b.box(130, 300, 632, 392, "#f8ead0", 58)
    b.box(150, 320, 592, 352, "#f2dfba", 44)
    b.disc(312, 496, 140, "#3a2a22")
    for r in range(6):
        b.ring(312, 496, 128 - r * 21, "#e7b04b" if r % 2 else "#8d6a3d", 4)
    b.disc(312, 496, 13, "#e7b04b")
    b.box(486, 372, 222, 108, "#2c4a48", 14)
    for tick in range(15):
        b.line([(502 + tick * 13.5, 390), (502 + tick * 13.5, 408 if tick % 3 else 424)], "#f8ead0", 2.4)
    b.line([(624, 382), (624, 470)], "#ff5a3c", 4)
    b.words(597, 450, "88  96  104", 20, "#f8ead0", track=5)
    for x in (540, 652):
        b.disc(x, 574, 42, "#3a2a22")
        b.disc(x, 574, 32, "#d8392b")
        b.line([(x, 574), (x + 20, 552)], "#f8ead0", 6)
    b.line([(680, 302), (760, 96)], "#f8ead0", 8)
    b.disc(762, 92, 13, "#f8ead0")
    for x in (210, 650):
        b.box(x, 690, 50, 24, "#3a2a22", 6)
    b.words(450, 160, "TIN PARADE", 76, "#f8ead0", track=12, heavy=1.6)
    b.words(450, 812, "KITCHEN RADIO", 58, "#f8ead0", track=15, heavy=1)


def lighthouse(b: Board) -> None:
    """A novel's jacket: a striped tower whose beam is ruled like a ledger."""
    b.sky("#f4e9d2", "#efe0c0", "#e3cfa4")
    b.polygon([(424, 372), (840, 190), (840, 590)], "#fbf6e6")
    for rule in range(11):
        share = rule / 10
        b.line([(424, 372), (840, 190 + 400 * share)], "#b9503f" if rule == 2 else "#7f9aa3", 1.4)
    for column in range(1, 7):
        x = 424 + column * 62
        half = 200 * (x - 424) / 416
        b.line([(x, 390 - half - 9), (x, 390 + half - 9)], "#7f9aa3", 1.4)
    for x, figures in ((620, "11%"), (706, "2 gr."), (750, "1")):
        b.words(x, 392, figures, 24, "#22384a")
    for stripe in range(7):
        top, low = 440 + stripe * 84, 440 + (stripe + 1) * 84
        wide = [52 + (y - 440) * 0.085 for y in (top, low)]
        tone = "#22384a" if stripe % 2 == 0 else "#f7f0df"
        b.polygon([(400 - wide[0], top), (400 + wide[0], top), (400 + wide[1], low), (400 - wide[1], low)], tone)
        shade = [(400 + wide[0] * 0.3, top), (400 + wide[0], top), (400 + wide[1], low), (400 + wide[1] * 0.3, low)]
        b.polygon(shade, "#0c1c2a", 0.2)
    b.box(330, 424, 140, 16, "#22384a", 3)
    b.box(360, 340, 80, 84, "#ffd267", 4)
    for bar in (360, 398, 436):
        b.box(bar, 340, 5, 84, "#22384a")
    b.polygon([(344, 342), (400, 280), (456, 342)], "#b9503f")
    b.disc(400, 276, 9, "#b9503f")
    b.glow(400, 382, 190, "#ffcf5a", 0.5)
    for wave in range(9):
        y = 1010 + wave * 24
        points = [(x, y + 11 * sin(x / 46 + wave * 1.3)) for x in range(-20, 840, 12)]
        b.polygon([*points, (840, 1220), (-20, 1220)], mix("#22384a", "#6f93a0", 0.75 - wave * 0.085))
    b.words(400, 96, "THE LIGHTHOUSE", 68, "#22384a", track=5, heavy=0.8)
    b.words(400, 172, "ACCOUNTANT", 68, "#b9503f", track=11, heavy=0.8)
    b.words(400, 1136, "EDDA MARROW", 42, "#f7f0df", track=13)


def moth(b: Board) -> None:
    """A natural history's jacket: a moth of triangles under a bulb."""
    b.sky("#10241f", "#17352c", "#0d1c18")
    b.line([(400, 0), (400, 150)], "#d8c9a0", 4)
    b.box(380, 140, 40, 44, "#b39a5e", 6)
    b.disc(400, 236, 58, "#ffe59a")
    b.glow(400, 236, 620, "#ffd267", 0.75)
    b.disc(400, 236, 50, "#fff6d6")
    pale = ("#f4ead2", "#e6d3ab", "#cdb88b", "#fff8ea", "#b79a6b", "#dcc7a0")
    upper = [(400, 560), (180, 430), (84, 500), (110, 640), (220, 720), (380, 680)]
    lower = [(384, 690), (230, 728), (180, 830), (236, 912), (330, 868), (392, 772)]
    for wing in (upper, lower):
        cx, cy = sum(x for x, _ in wing) / len(wing), sum(y for _, y in wing) / len(wing)
        for at, (one, two) in enumerate(zip(wing, wing[1:] + wing[:1], strict=True)):
            middle = ((one[0] + two[0]) / 2, (one[1] + two[1]) / 2)
            for part, tri in enumerate(([one, middle, (cx, cy)], [middle, two, (cx, cy)])):
                tone = pale[(at * 2 + part * 3) % len(pale)]
                b.polygon(tri, tone)
                b.polygon([(800 - x, y) for x, y in tri], mix(tone, "#6b5a3a", 0.12))
    for x in (210, 590):
        b.disc(x, 590, 34, "#3b2a1d")
        b.disc(x, 590, 22, "#c98f3d")
        b.disc(x - 6, 582, 8, "#fff8ea")
    b.polygon([(400, 520), (428, 600), (420, 800), (400, 880), (380, 800), (372, 600)], "#6b5236")
    for ring in range(8):
        b.line([(378, 630 + ring * 26), (422, 630 + ring * 26)], "#3b2a1d", 3)
    for side in (-1, 1):
        b.line([(400, 528), (400 + side * 30, 460), (400 + side * 84, 410)], "#d8c9a0", 4)
        for hair in range(6):
            x, y = 400 + side * (34 + hair * 9), 455 - hair * 8
            b.line([(x, y), (x + side * 12, y + 9)], "#d8c9a0", 2)
    b.words(400, 990, "A HISTORY OF", 40, "#f4ead2", track=11)
    b.words(400, 1062, "THE MOTH", 86, "#ffd267", track=13, heavy=1)
    b.words(400, 1138, "LUCASTA BIRDWHISTLE", 28, "#f4ead2", track=9)


def ferry(b: Board) -> None:
    """Hills of cut paper, a wide river, a boat with one lamp."""
    b.sky("#f7d9a6", "#f3b98a", "#d98a86", "#7d6f96", bottom=520)
    b.disc(880, 210, 80, "#fff1d0")
    b.glow(880, 210, 330, "#fff1d0", 0.55)
    layers = (
        ("#8f7a9c", 330, 90, 0.004),
        ("#6b6690", 392, 76, 0.006),
        ("#4c5681", 450, 60, 0.008),
        ("#33456b", 505, 40, 0.011),
    )
    for at, (tone, base, swing, rate) in enumerate(layers):
        hills = [
            (float(x), base - swing * (sin(x * rate + at * 1.9) + 0.4 * sin(x * rate * 2.7 + at)))
            for x in range(-20, 1230, 10)
        ]
        b.polygon([(x, y + 7) for x, y in hills] + [(1230, 560), (-20, 560)], "#1d2440", 0.25)
        b.polygon([*hills, (1230, 560), (-20, 560)], tone)
        for _ in range(13):
            x, y = b.dice.choice(hills)
            tall = 16 + at * 9
            b.polygon([(x - tall * 0.3, y + 6), (x, y - tall), (x + tall * 0.3, y + 6)], mix(tone, "#141c33", 0.35))
    b.sky("#2f6f7c", "#1f5a68", "#123d4b", top=536)
    b.glow(520, 690, 430, "#ffcf7a", 0.5, 0.35)
    for _ in range(130):
        y = b.dice.uniform(545, 795)
        x, wide = b.dice.uniform(-30, b.width), b.dice.uniform(14, 110) * (0.3 + (y - 540) / 260)
        b.line([(x, y), (x + wide, y)], mix("#1f5a68", "#9fd6d0", b.dice.uniform(0.1, 0.6)), 1.4)
    b.polygon([(380, 640), (690, 640), (640, 704), (426, 704)], "#43241c")
    b.polygon([(372, 632), (700, 632), (692, 650), (380, 650)], "#6f3b28")
    b.line([(450, 640), (328, 742)], "#2b1711", 6)
    b.line([(600, 640), (724, 748)], "#2b1711", 6)
    for x, tall, coat in ((470, 108, "#1c2436"), (596, 96, "#c4003f")):
        b.disc(x, 640 - tall, 17, "#1a1014")
        b.polygon([(x - 12, 658 - tall), (x + 12, 658 - tall), (x + 34, 640), (x - 34, 640)], coat)
    b.line([(664, 636), (664, 520), (640, 514)], "#2b1711", 5)
    b.box(628, 520, 24, 34, "#ffe7a8", 5)
    b.glow(640, 536, 210, "#ffc65a", 0.95)
    for at in range(9):
        b.line([(640 - 26 + at * 3, 716 + at * 9), (640 + 20 - at * 2, 716 + at * 9)], "#ffd88a", 3)


def vinyl(b: Board) -> None:
    """The second-to-last song, seen from very near."""
    b.sky("#e7dccb", "#d9c6aa")
    x, y = 470.0, 470.0
    b.disc(x + 14, y + 20, 520, "#a8926f")
    b.disc(x, y, 520, "#141216")
    for groove in range(150):
        r = 190 + groove * 2.17
        loud = 0.08 + 0.1 * abs(sin(groove * 0.7)) + b.dice.uniform(0, 0.07)
        b.ring(x, y, r, mix("#141216", "#8c8794", loud), 1.1)
    for gap in (214, 292, 352, 420, 486):
        b.ring(x, y, gap, "#050507", 6)
    for turn, strength in ((-0.62, 0.3), (pi - 0.62, 0.3), (0.95, 0.14), (pi + 0.95, 0.14)):
        left = (x + 520 * cos(turn - 0.16), y + 520 * sin(turn - 0.16))
        right = (x + 520 * cos(turn + 0.16), y + 520 * sin(turn + 0.16))
        b.beam((x, y), left, right, "#fff4e0", strength * 1.5, 10)
    for r in range(214, 292, 3):
        b.arc(x, y, r, -80, 60, "#ffb347", 1)
    b.disc(x, y, 172, "#c4003f")
    b.ring(x, y, 160, "#ffd23f", 3)
    b.ring(x, y, 66, "#a00033", 2)
    b.words(x, y - 96, "SIDE TWO", 28, "#fff4e0", track=6)
    b.words(x, y + 92, "4. COAT", 20, "#fff4e0", track=3)
    b.words(x, y + 122, "5. GOODBYE", 20, "#e58aa5", track=3)
    b.disc(x, y, 13, "#e7dccb")
    b.line([(1140, 70), (1050, 420), (760, 560), (690, 612)], "#5f5a57", 19)
    b.line([(1136, 70), (1046, 418), (758, 556), (692, 606)], "#d9d5cf", 9)
    b.disc(1140, 80, 66, "#8b857f")
    b.disc(1140, 80, 46, "#c9c4bd")
    b.polygon([(716, 566), (742, 604), (664, 650), (640, 622)], "#2a2628")


def road(b: Board) -> None:
    """Four hundred miles of it, and the sun going down in stripes."""
    horizon = 430.0
    b.sky("#1d1a3d", "#5a2a5e", "#c2475c", "#f58a4b", "#ffcf73", bottom=horizon)
    b.glow(600, 400, 560, "#ffd98a", 0.6)
    b.disc(600, 372, 190, "#ffe08a")
    for stripe in range(5):
        y = 318.0 + stripe * 24
        chord = (190**2 - (y - 372) ** 2) ** 0.5
        b.box(600 - chord - 2, y, 2 * chord + 4, 3 + stripe * 1.7, mix("#d9534f", "#f28a4b", stripe / 8))
    far = [(x, horizon - 26 - 26 * sin(x / 170) - 13 * sin(x / 61)) for x in range(-10, 1220, 10)]
    b.polygon([*far, (1220, 470), (-10, 470)], "#4a1f4d")
    b.sky("#3a1b3c", "#1f1029", "#120a1a", top=horizon)
    for at in range(14):
        x = -2000.0 + at * 400
        b.line([(600, horizon), (x, 800)], "#4d2450", 1)
    b.polygon([(588, horizon), (612, horizon), (1060, 800), (140, 800)], "#1a1420")
    b.polygon([(586, horizon), (588, horizon), (160, 800), (120, 800)], "#f2d7a1")
    b.polygon([(612, horizon), (614, horizon), (1080, 800), (1040, 800)], "#f2d7a1")
    for at in range(11):
        near = 1 / (1 + at * 0.62)
        y = horizon + 370 * near
        low = horizon + 370 * (1 / (1 + (at - 0.34) * 0.62)) if at else 860
        b.polygon(
            [(600 - 13 * near, y), (600 + 13 * near, y), (600 + 17 * near, low), (600 - 17 * near, low)], "#fff0cf"
        )
        for side in (-1, 1):
            x = 600 + side * 520 * near
            b.disc(x, y, 7 * near + 0.6, "#ffb03f")
            b.glow(x, y, 60 * near + 6, "#ff9a2f", 0.8)
    for at in range(7):
        near = 1 / (1 + at * 0.75)
        x, y, tall = 600 - 780 * near, horizon + 150 * near, 460 * near
        b.line([(x, y), (x, y - tall)], "#150b1c", 9 * near + 1)
        b.line([(x - 60 * near, y - tall * 0.9), (x + 60 * near, y - tall * 0.9)], "#150b1c", 6 * near + 1)
        behind = 1 / (1 + (at + 1) * 0.75)
        for side in (-55, 55):
            ends = [(600 - 780 * n + side * n, horizon + 150 * n - 460 * n * 0.9) for n in (near, behind)]
            sag = ((ends[0][0] + ends[1][0]) / 2, (ends[0][1] + ends[1][1]) / 2 + 22 * near)
            b.line([ends[0], sag, ends[1]], "#150b1c", 1.4)


def cover(b: Board) -> None:
    """The print magazine: a lantern, and everything that comes to it."""
    b.sky("#ffd23f", "#ffb52e", "#f07a3a")
    b.glow(400, 640, 620, "#fff3c4", 0.85)
    for ray in range(24):
        turn = ray / 24 * 2 * pi
        wide = 0.055
        ends = [(400 + 900 * cos(turn + w), 640 + 900 * sin(turn + w)) for w in (-wide, wide)]
        b.polygon([(400, 640), *ends], "#fff3c4", 0.26)
    b.arc(400, 388, 74, 180, 360, "#1a1014", 13)
    b.polygon([(300, 470), (340, 392), (460, 392), (500, 470)], "#1a1014")
    b.box(286, 466, 228, 26, "#1a1014", 6)
    b.box(306, 492, 188, 290, "#fffbe9", 12)
    b.glow(400, 640, 300, "#ffe27a", 0.8)
    for bar in (306, 393, 482):
        b.box(bar, 492, 13, 290, "#1a1014")
    b.box(280, 778, 240, 40, "#1a1014", 8)
    b.polygon([(400, 560), (434, 650), (418, 716), (382, 716), (366, 650)], "#c4003f")
    b.polygon([(400, 620), (416, 668), (408, 712), (392, 712), (384, 668)], "#ffd23f")
    for x, y, r in ((150, 560, 15), (208, 400, 11), (640, 470, 17), (600, 330, 10), (700, 700, 12), (128, 760, 12)):
        for side in (-1, 1):
            b.polygon([(x, y), (x + side * r * 1.7, y - r * 1.2), (x + side * r * 1.3, y + r * 0.8)], "#1a1014")
        b.disc(x, y, r * 0.36, "#1a1014", 2)
    b.words(400, 160, "LANTERN", 150, "#1a1014", track=6, heavy=4)
    b.words(400, 262, "THE MOTH ISSUE", 34, "#c4003f", track=13, heavy=0.8)
    b.box(0, 1010, 800, 190, "#1a1014")
    b.words(400, 1066, "104 pages of things to argue about", 36, "#fffbe9", track=1)
    b.words(400, 1128, "FILMS · BOOKS · LOUD ROOMS", 30, "#ffd23f", track=7)
