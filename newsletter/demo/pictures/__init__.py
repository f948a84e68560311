"""The magazine's pictures, drawn when they are first asked for and the same in every run."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from newsletter.demo.pictures import screens, sleeves, stages
from newsletter.demo.pictures.brush import Board

SHAPES = {"wide": (1200, 675), "card": (1200, 800), "square": (900, 900), "tall": (800, 1200)}
"""Width and height in pixels: 16:9 for the lead, 3:2 for cards, 1:1 for albums, 2:3 for books."""

SCENES: dict[str, Callable[[Board], None]] = {
    "baths": stages.baths,
    "chairs": stages.chairs,
    "cover": sleeves.cover,
    "eclipse": screens.eclipse,
    "ferry": sleeves.ferry,
    "gig": stages.gig,
    "harbor": screens.harbor,
    "lighthouse": sleeves.lighthouse,
    "marquee": screens.marquee,
    "moth": sleeves.moth,
    "pipes": screens.pipes,
    "portrait": stages.portrait,
    "radio": sleeves.radio,
    "road": sleeves.road,
    "rooms": stages.rooms,
    "stage": screens.mirrors,
    "sunday": screens.sunday,
    "tide": screens.tide,
    "vinyl": sleeves.vinyl,
    "weather": sleeves.weather,
}


@cache
def draw(scene: str, shape: str) -> bytes:
    """One picture as JPEG bytes; the same bytes for the same scene and shape."""
    board = Board(*SHAPES[shape], seed=scene)
    SCENES[scene](board)
    return board.finish()
