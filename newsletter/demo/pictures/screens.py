"""Film and television: streets, water, space."""

from __future__ import annotations

from math import cos, pi, sin

from newsletter.demo.pictures.brush import Board, mix


def sunday(b: Board) -> None:
    """A lit laundromat at dusk, a night bus leaving, all of it again on the wet street."""
    ground = b.height * 0.72
    b.sky("#1b1636", "#47305f", "#a9506a", "#f0946b", "#ffce8f", bottom=ground)
    for _ in range(60):
        b.disc(
            b.dice.uniform(0, b.width), b.dice.uniform(0, 190), b.dice.uniform(0.5, 1.4), mix("#47305f", "#ffffff", 0.6)
        )
    x = -20.0
    while x < b.width:
        wide, high = b.dice.uniform(60, 130), b.dice.uniform(90, 250)
        b.box(x, ground - high, wide, high, mix("#3b2649", "#7c4160", b.dice.random() * 0.7))
        for row in range(int(high // 26) - 1):
            for column in range(int(wide // 24)):
                if b.dice.random() < 0.16:
                    b.box(x + 9 + column * 24, ground - high + 12 + row * 26, 9, 13, "#ffd98c")
        x += wide + b.dice.uniform(-4, 14)
    left, wide, top = 300.0, 560.0, ground - 250
    b.box(left, top, wide, 250, "#24162c")
    b.box(left - 14, top - 16, wide + 28, 26, "#1a1020")
    b.glow(left + wide / 2, ground - 80, 520, "#ffb347", 0.55, 0.55)
    b.box(left + 24, ground - 172, wide - 48, 160, "#ffe2a6", 4)
    b.box(left + 24, ground - 172, wide - 48, 34, "#ffefc9", 4)
    for at in range(7):
        cx = left + 76 + at * 68.5
        b.box(cx - 31, ground - 124, 62, 112, "#e9eef0", 5)
        b.box(cx - 31, ground - 124, 62, 20, "#c9d6d9", 5)
        b.disc(cx + 19, ground - 114, 4, "#c4003f")
        b.disc(cx, ground - 62, 25, "#8fa6ad")
        b.disc(cx, ground - 62, 20, "#2f4a5a")
        wash = ("#c4003f", "#f2d7a1", "#5f8aa0", "#ffffff", "#d98b3a", "#3f6f6a", "#c97b8f")[at]
        turn = b.dice.uniform(0, 6)
        b.polygon([(cx + 18 * cos(turn + k * 0.52), ground - 62 + 18 * sin(turn + k * 0.52)) for k in range(7)], wash)
    for bar in (0.25, 0.5, 0.75):
        b.box(left + 24 + (wide - 48) * bar - 3, ground - 172, 6, 160, "#24162c")
    for x, tall, coat in ((470, 104, "#5b1f35"), (548, 114, "#1d2b44")):
        b.disc(x, ground - tall, 13, "#2a1720")
        b.box(x - 19, ground - tall + 14, 38, tall - 16, coat, 14)
    b.words(left + wide / 2, top + 40, "WASH-O-RAMA", 44, "#ff8fb0", track=9, heavy=0.8)
    b.glow(left + wide / 2, top + 40, 330, "#ff2f6d", 0.5, 0.3)
    bus = 940.0
    b.box(bus, ground - 142, 340, 128, "#122033", 16)
    b.box(bus, ground - 74, 340, 10, "#c4003f")
    for at in range(5):
        b.box(bus + 22 + at * 64, ground - 126, 52, 44, mix("#ffe9b8", "#ffbf6e", at / 5), 5)
    b.disc(bus + 70, ground - 14, 22, "#07090f")
    b.disc(bus + 70, ground - 14, 9, "#3a4657")
    b.disc(bus + 6, ground - 40, 8, "#ff3b4e")
    b.glow(bus + 6, ground - 40, 90, "#ff2038", 0.9)
    for x in (120.0, 905.0):
        b.line([(x, ground), (x, ground - 205), (x + 34, ground - 216)], "#120c18", 5)
        b.disc(x + 40, ground - 214, 8, "#fff3d0")
        b.glow(x + 40, ground - 212, 150, "#ffd08a", 0.8)
    b.mirror(ground, 0.5, 2.2, "#100a1c")
    b.box(0, ground - 2, b.width, 5, "#0f0a16")


def tide(b: Board) -> None:
    """An auction house on stilts between two waters."""
    sea = b.height * 0.66
    b.sky("#24424a", "#4f7a7c", "#9fbcae", "#e6dcb9", bottom=sea)
    b.glow(880, 240, 420, "#fff2cf", 0.6)
    b.disc(880, 240, 92, "#f7ecd0")
    b.disc(850, 215, 16, "#eadfc0")
    b.disc(905, 265, 24, "#ecdfbf")
    for band in range(7):
        y = 120 + band * 52 + b.dice.uniform(-12, 12)
        x = b.dice.uniform(-200, 800)
        b.polygon([(x, y), (x + 260, y - 9), (x + 560, y), (x + 300, y + 10)], "#dfe6d6", 0.35)
    b.polygon([(0, sea), (0, sea - 40), (160, sea - 58), (330, sea - 26), (480, sea)], "#3b5f62")
    b.polygon([(220, sea - 92), (900, sea - 92), (870, sea - 70), (250, sea - 70)], "#14262b")
    for x in range(262, 880, 38):
        b.line([(x, sea - 74), (x + b.dice.uniform(-5, 5), sea + 4)], "#14262b", 6)
    b.box(280, sea - 240, 330, 150, "#1c343a")
    b.polygon([(258, sea - 236), (445, sea - 345), (632, sea - 236)], "#10221f")
    b.box(610, sea - 190, 230, 100, "#234048")
    b.polygon([(600, sea - 188), (660, sea - 236), (800, sea - 236), (856, sea - 188)], "#152b2a")
    b.box(424, sea - 420, 42, 120, "#1c343a")
    b.polygon([(414, sea - 418), (445, sea - 476), (476, sea - 418)], "#10221f")
    b.disc(445, sea - 380, 14, "#f9e6ae")
    b.line([(445, sea - 380), (445, sea - 390)], "#10221f", 2)
    b.line([(445, sea - 380), (452, sea - 377)], "#10221f", 2)
    for x in range(308, 590, 46):
        for y in (sea - 214, sea - 150):
            b.box(x, y, 24, 38, "#ffd27a" if b.dice.random() < 0.75 else "#6a7f70", 2)
    for x in range(630, 820, 44):
        b.box(x, sea - 160, 24, 40, "#ffc25e", 2)
    b.glow(450, sea - 150, 330, "#ffb347", 0.4, 0.6)
    b.mirror(sea, 0.62, 1.6, "#1f3b42")
    for _ in range(90):
        y = b.dice.uniform(sea + 6, b.height)
        x, wide = b.dice.uniform(0, b.width), b.dice.uniform(10, 90) * (y - sea) / 200
        b.line([(x, y), (x + wide, y)], "#bcd0c2", 0.8)


def eclipse(b: Board) -> None:
    """A black sun, and one window that is still green."""
    b.sky("#05060d", "#0b0a18", "#170d1c", "#0a0508")
    for _ in range(420):
        shade = b.dice.random() ** 2
        b.disc(
            b.dice.uniform(0, b.width), b.dice.uniform(0, b.height), 0.4 + shade * 1.3, mix("#20202e", "#ffffff", shade)
        )
    x, y, r = 640.0, 330.0, 236.0
    b.glow(x, y, 680, "#ff5a1f", 0.75)
    b.glow(x, y, 430, "#ff9d3c", 0.95)
    for ray in range(90):
        turn = ray / 90 * 2 * pi + b.dice.uniform(-0.03, 0.03)
        far = r + b.dice.uniform(10, 90) * (1 + 0.6 * cos(2 * turn))
        b.line([(x + r * cos(turn), y + r * sin(turn)), (x + far * cos(turn), y + far * sin(turn))], "#ffb46b", 1)
    b.soften(2.4)
    b.ring(x, y, r + 3, "#fff1cf", 5)
    b.soften(1.1)
    b.disc(x, y, r, "#030306")
    b.glow(x - 166, y - 166, 110, "#fff6e0", 1.0)
    b.polygon([(0, 800), (0, 690), (180, 655), (420, 690), (700, 640), (960, 700), (1200, 660), (1200, 800)], "#07060a")
    b.box(300, 596, 130, 62, "#20222e", 8)
    b.box(326, 566, 56, 40, "#1b1d28", 6)
    b.box(430, 622, 60, 36, "#171923", 4)
    b.line([(400, 600), (400, 520)], "#2a2c3a", 3)
    b.disc(400, 518, 4, "#ff4a3a")
    b.box(340, 618, 34, 14, "#8dffb0", 3)
    b.glow(357, 625, 120, "#3bff88", 0.8)


def harbor(b: Board) -> None:
    """Cranes at two in the morning, strings of lamps doubled in black water."""
    sea = b.height * 0.68
    b.sky("#060b1c", "#0c1d38", "#1f3c58", "#4a5a62", bottom=sea)
    b.glow(640, sea, 720, "#d98b3a", 0.35, 0.35)
    for x, reach, tall, shade in ((210, 300, 360, "#0a1524"), (560, 260, 300, "#0d1b2c"), (930, -310, 390, "#08111e")):
        foot = sea - 4
        for leg in (-46, 46):
            b.line([(x + leg, foot), (x + leg * 0.6, foot - tall * 0.62)], shade, 11)
        b.line([(x - 42, foot - 60), (x + 38, foot - 150), (x - 34, foot - 150), (x + 42, foot - 60)], shade, 5)
        deck = foot - tall * 0.62
        b.box(x - 60, deck - 30, 120, 38, shade, 3)
        b.line([(x, deck), (x - reach * 0.06, deck - tall * 0.42)], shade, 9)
        b.line([(x - reach * 0.35, deck - 34), (x + reach, deck - 52)], shade, 10)
        b.line([(x - reach * 0.06, deck - tall * 0.42), (x + reach * 0.94, deck - 54)], shade, 3)
        b.line([(x - reach * 0.06, deck - tall * 0.42), (x - reach * 0.34, deck - 36)], shade, 3)
        hook = x + reach * 0.72
        b.line([(hook, deck - 50), (hook, deck + 76)], shade, 2.5)
        b.box(hook - 30, deck + 76, 60, 30, "#c2622e", 2)
        b.disc(x, deck - 12, 7, "#ffe3a0")
        b.glow(x, deck - 12, 90, "#ffc163", 0.9)
        b.disc(x + reach, deck - 52, 3.5, "#ff4a3a")
        b.glow(x + reach, deck - 52, 40, "#ff2a1f", 0.9)
    for row in range(3):
        for at in range(20):
            x = 20 + at * 60 + (row % 2) * 14
            tone = b.dice.choice(("#7a3b2a", "#2c4a56", "#8a6a2f", "#33415c", "#5b2f3f"))
            if b.dice.random() < 0.82 - row * 0.25:
                b.box(x, sea - 26 - row * 26, 57, 24, tone, 1)
    for at in range(30):
        x = 14 + at * 41
        y = sea - 112 + 18 * sin(at * 0.9)
        b.disc(x, y, 2.6, "#fff0c0")
        b.glow(x, y, 34, "#ffbf5f", 0.85)
    b.mirror(sea, 0.8, 1.4, "#03060d")
    b.box(0, sea - 1, b.width, 3, "#04070e")


def mirrors(b: Board) -> None:
    """Six dressing-room mirrors ringed with bulbs, one of them lit."""
    b.sky("#2a1210", "#4b1c1a", "#2b100f")
    for x in range(0, b.width, 60):
        b.polygon([(x, 0), (x + 30, 0), (x + 30, b.height), (x, b.height)], "#6a2824", 0.18)
    places = [(120 + column * 370, 70 + row * 330) for row in range(2) for column in range(3)]
    for at, (x, y) in enumerate(places):
        lit = at == 4
        b.box(x - 14, y - 14, 248, 278, "#1b0b0a", 16)
        b.box(x, y, 220, 250, "#fbe2b0" if lit else "#5a3a37", 10)
        if not lit:
            b.polygon([(x + 16, y + 240), (x + 130, y + 10), (x + 176, y + 10), (x + 62, y + 240)], "#8b6a63", 0.28)
        else:
            b.disc(x + 110, y + 104, 40, "#6b3a2e")
            b.box(x + 56, y + 148, 108, 112, "#c4003f", 40)
            b.polygon([(x + 62, y + 92), (x + 110, y + 26), (x + 158, y + 92)], "#1d1a2b")
            b.disc(x + 110, y + 40, 9, "#ffd23f")
        spots = [(x - 4 + k * 57, y - 4) for k in range(5)] + [(x - 4, y + 56 + k * 62) for k in range(4)]
        spots += [(x + 224, y + 56 + k * 62) for k in range(4)]
        for spot in spots:
            b.disc(*spot, 9, "#fff6d8" if lit else "#7d625a")
            if lit:
                b.glow(*spot, 70, "#ffcf70", 0.75)
    b.glow(600, 520, 520, "#ffb85c", 0.55)
    b.box(0, 716, b.width, 84, "#1d0c0a")
    b.box(0, 716, b.width, 8, "#6b3a2a")
    for x, tone in ((190, "#d7b98a"), (470, "#c4003f"), (640, "#e9dcc0"), (880, "#3d5a68"), (1010, "#d7b98a")):
        b.box(x, 676, 36, 44, tone, 5)
    b.polygon([(740, 716), (752, 664), (806, 664), (818, 716)], "#b9c2c4")
    b.arc(779, 662, 22, 180, 360, "#b9c2c4", 6)


def pipes(b: Board) -> None:
    """Water mains over a city, drawn as its engineers see it."""
    b.sky("#0f2f4d", "#12385a", "#0d2a46")
    for step in range(0, 1240, 25):
        strong = step % 100 == 0
        tone = mix("#12385a", "#7fb3d6", 0.28 if strong else 0.12)
        b.line([(step, 0), (step, b.height)], tone, 1.2 if strong else 0.6)
        b.line([(0, step), (b.width, step)], tone, 1.2 if strong else 0.6)
    for row in range(6):
        for column in range(9):
            x, y = 30 + column * 130 + b.dice.uniform(-6, 6), 26 + row * 130 + b.dice.uniform(-6, 6)
            b.box(x, y, 96, 96, mix("#12385a", "#cfe6f5", 0.1), 4)
            for _ in range(3):
                px, py = x + b.dice.uniform(6, 46), y + b.dice.uniform(6, 46)
                b.box(
                    px,
                    py,
                    b.dice.uniform(20, 42),
                    b.dice.uniform(20, 42),
                    mix("#12385a", "#cfe6f5", b.dice.uniform(0.16, 0.34)),
                    2,
                )
    routes = (
        (
            "#ffd23f",
            16,
            [(-20, 140), (150, 140), (150, 400), (540, 400), (540, 270), (930, 270), (930, 660), (1220, 660)],
        ),
        ("#ff6b6b", 12, [(280, -20), (280, 530), (670, 530), (670, 820)]),
        ("#6fe3c4", 12, [(1220, 140), (800, 140), (800, 530), (410, 530), (410, 820)]),
        ("#8ecbff", 9, [(-20, 660), (410, 660), (540, 660), (540, 530)]),
        ("#8ecbff", 9, [(1060, -20), (1060, 400), (930, 400)]),
    )
    for colour, wide, points in routes:
        b.line([(x + 4, y + 6) for x, y in points], "#081c2f", wide + 4)
        b.line(points, colour, wide)
        for x, y in points:
            b.disc(x, y, wide * 0.5, colour)
    for x, y in ((150, 400), (540, 270), (930, 660), (280, 530), (670, 530), (800, 140), (410, 530), (930, 400)):
        b.disc(x, y, 19, "#0b2238")
        b.ring(x, y, 19, "#ffffff", 3.5)
        b.line([(x - 10, y - 10), (x + 10, y + 10)], "#ffffff", 3)
    b.glow(930, 270, 190, "#ff3b3b", 0.65)
    b.ring(930, 270, 34, "#ff5b5b", 3)
    b.ring(930, 270, 52, "#ff5b5b", 1.6)
    b.disc(930, 270, 15, "#ff3b3b")


def marquee(b: Board) -> None:
    """A cinema front at night: half of its bulbs have come back."""
    b.sky("#0c0a1e", "#2a1440", "#4a1b4c")
    b.box(140, 60, 920, 680, "#3a1530")
    for rib in range(160, 1050, 40):
        b.box(rib, 60, 3, 330, "#4b1d3c")
    b.box(520, 20, 160, 380, "#c4003f", 10)
    for at, letter in enumerate("ORPHEUM"):
        b.words(600, 62 + at * 50, letter, 46, "#fff1c9", heavy=1.2)
    b.glow(600, 200, 330, "#ff3f7a", 0.5)
    for side in (512, 688):
        for at in range(13):
            lit = side == 512 or at % 3 == 0
            b.disc(side, 34 + at * 29, 7, "#ffe9a8" if lit else "#5d3946")
            if lit:
                b.glow(side, 34 + at * 29, 46, "#ffc04d", 0.8)
    b.polygon([(90, 400), (1110, 400), (1170, 560), (30, 560)], "#f7ecd6")
    b.polygon([(90, 400), (1110, 400), (1116, 416), (84, 416)], "#c4003f")
    b.words(600, 458, "THE PLACE IS YOURS", 56, "#221321", track=9, heavy=1)
    b.words(600, 522, "2,114 OWNERS · ONE SCREEN · INTERVALS", 30, "#8a1f3f", track=4, heavy=0.4)
    for at in range(39):
        x = 40 + at * 29.4
        lit = at < 22 or at % 4 == 0
        b.disc(x, 568, 9, "#fff0b8" if lit else "#6b4650")
        if lit:
            b.glow(x, 568, 60, "#ffbd45", 0.8)
    b.box(190, 582, 820, 160, "#1c0b19")
    for x in (250, 400, 690, 840):
        b.box(x, 606, 110, 134, "#ffcf7a", 4)
        b.box(x + 52, 606, 6, 134, "#1c0b19")
    b.box(545, 612, 110, 128, "#7a2340", 10)
    b.box(560, 630, 80, 50, "#ffe7b0", 6)
    b.glow(600, 680, 520, "#ff9d3c", 0.5, 0.45)
    for x, tall in ((330, 84), (470, 78), (508, 92), (716, 86), (790, 62), (905, 90)):
        b.disc(x, 742 - tall, 11, "#12060f")
        b.box(x - 15, 752 - tall, 30, tall - 8, "#12060f", 11)
    b.mirror(744, 0.6, 1.2, "#0b0510")
