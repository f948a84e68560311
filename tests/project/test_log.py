from __future__ import annotations

import io
import logging

import pytest

from newsletter.project.log import AddressFreeFormatter


def _logged(message: str, *arguments: object, error: Exception | None = None) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(AddressFreeFormatter("%(levelname)s %(message)s"))
    logger = logging.Logger("test")
    logger.addHandler(handler)
    logger.warning(message, *arguments, exc_info=error)
    return stream.getvalue()


@pytest.mark.parametrize(
    "text",
    ["ada@example.org", "<ada@example.org>", "ada+list@mail.example.org,", "to=ada@example.org;", "ädä@exämple.org"],
)
def test_a_line_names_no_reader(text: str) -> None:
    line = _logged("refused: %s by the server", text)
    assert "ada" not in line and "ädä" not in line
    assert "example.org" in line or "exämple.org" in line


def test_a_traceback_names_no_reader_either() -> None:
    try:
        raise ValueError("no such mailbox: ada@example.org")
    except ValueError as error:
        line = _logged("failed", error=error)
    assert "Traceback" in line and "…@example.org" in line and "ada@" not in line


def test_a_readers_link_is_not_a_readers_link_in_the_log() -> None:
    line = _logged("Not Found: /u/AbCdEfGhIjKlMnOpQrStUvWx from 127.0.0.1")
    assert line == "WARNING Not Found: /u/… from 127.0.0.1\n"
