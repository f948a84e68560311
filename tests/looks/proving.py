"""Draw and measure every design: contact sheets, pictures for README and gallery, a table of what was measured."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from tests.letters.odd import ODD
from tests.looks import reference, sheets
from tests.looks.letters import DESIGNS, REFERENCES, ROOT, SERVICE
from tests.looks.letters import design as found
from tests.looks.letters import reference as letter
from tests.looks.window import ENOUGH, MODES, WIDTHS, Mode, Window, opened, too_faint

SINGLE = ROOT / "build" / "looks"
"""Every picture in full size; git leaves it out."""

SHEETS = ROOT / "docs" / "proofs" / "looks"
IMAGES = ROOT / "docs" / "images"
REFERENCE_PICTURES = Path(__file__).parent / "references"
DRAWN: tuple[Mode, ...] = ("light", "dark", "forced", "blind")

GALLERY: Sequence[tuple[str, int, Mode]] = (
    ("rich", 600, "light"),
    ("rich", 600, "dark"),
    ("rich", 375, "light"),
    ("rich-arabic", 600, "light"),
)


def looks() -> int:
    """Sheets, gallery and measurements of all designs; gives the number of faults."""
    began, faults = time.monotonic(), 0
    with opened() as window:
        for design in DESIGNS:
            faults += _drawn(window, design)
        _readme(window)
        print(f"\n{'design':10} {'letter':26} {'texts':>5}  least contrast by mode, of {ENOUGH}")
        for design in DESIGNS:
            for issue in (*REFERENCES, *ODD, *SERVICE):
                faults += _measured(window, design, issue)
        faults += len(window.strangers)
        print(
            f"\nrequests to anybody else: {len(window.strangers)}; faults: {faults}; {time.monotonic() - began:.0f} s"
        )
    return faults


def _drawn(window: Window, design: str) -> int:
    shown: dict[tuple[str, int, Mode], Image.Image] = {}
    for issue in REFERENCES:
        html = letter(design, issue).html
        row = []
        for mode in DRAWN:
            for width in WIDTHS:
                window.show(html, width=width, mode=mode)
                picture = window.picture()
                path = SINGLE / design / f"{issue}-{width}-{mode}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                picture.save(path)
                row.append((f"{mode} {width}", picture))
                if (issue, width, mode) in GALLERY:
                    shown[issue, width, mode] = picture
        size = sheets.sheet(row, SHEETS / f"{design}-{issue}.jpg")
        print(f"docs/proofs/looks/{design}-{issue}.jpg: {len(row)} pictures, {size // 1024} KB")
    gallery = {" ".join(map(str, each)): shown[each] for each in GALLERY}
    size = sheets.row(gallery, IMAGES / f"gallery-{design}.jpg", width=400, height=960)
    print(f"docs/images/gallery-{design}.jpg: {size // 1024} KB")
    return 0


def _readme(window: Window) -> None:
    pictures = {}
    for design in DESIGNS:
        # A design that is dark first is shown so.
        dark_first = found(design).tokens.get("twin") == "dark"
        window.show(letter(design, "rich").html, mode="dark" if dark_first else "light")
        pictures[design] = window.picture()
    size = sheets.row(pictures, IMAGES / "designs.jpg", width=420, height=900)
    print(f"docs/images/designs.jpg: {size // 1024} KB")


def _measured(window: Window, design: str, issue: str) -> int:
    html = letter(design, issue).html
    least, texts, faults = {}, 0, []
    for mode in MODES:
        window.show(html, mode=mode)
        pairs = window.pairs()
        texts = len(pairs)
        least[mode] = min(pair.ratio for pair in pairs)
        faults += [f"{mode}: {pair}" for pair in too_faint(pairs)]
    for width in WIDTHS:
        window.show(html, width=width)
        faults += [f"{width} px: {each}" for each in (*window.overflow(), *window.collisions(), *window.broken())]
    faults += [f"axe: {each}" for each in window.faults()]
    modes = "  ".join(f"{mode} {least[mode]:.2f}" for mode in MODES if mode != "blind")
    print(f"{design:10} {issue:26} {texts:5}  {modes}")
    for fault, count in Counter(faults).items():
        print(f"    {count} x {fault}")
    return len(faults)


def references(designs: Sequence[str] = DESIGNS) -> int:
    """Draw the reference pictures of some designs anew."""
    with opened() as window:
        for design in designs:
            for issue, width, mode in reference.SHOTS:
                window.show(letter(design, issue).html, width=width, mode=mode)
                reference.save(f"{design}-{issue}-{width}-{mode}", reference.taken(window), REFERENCE_PICTURES)
    print(f"{len(designs) * len(reference.SHOTS)} reference pictures: look at them before you commit them")
    return 0
