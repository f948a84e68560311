from __future__ import annotations

import re

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from newsletter.web.headers import LETTER_FRAMED, HeadersMiddleware


def answered(csp: str = "", *, ask: bool = False) -> tuple[HttpResponse, str]:
    """What the middleware makes of a view's answer, and the nonce that the view wrote."""
    wrote: list[str] = []

    def view(request: HttpRequest) -> HttpResponse:
        if ask:
            wrote.extend(str(request.csp_nonce) for _ in range(2))  # type: ignore[attr-defined] # the middleware's
        return HttpResponse(headers={"Content-Security-Policy": csp} if csp else {})

    response = HeadersMiddleware(view)(RequestFactory().get("/"))
    assert len(set(wrote)) <= 1
    return response, wrote[0] if wrote else ""


def test_a_page_that_asks_for_a_nonce_runs_scripts_with_it_alone() -> None:
    plain, _ = answered()
    assert "script-src 'self';" in plain.headers["Content-Security-Policy"]
    scripted, nonce = answered(ask=True)
    policy = scripted.headers["Content-Security-Policy"]
    assert re.search(r"script-src ([^;]+);", policy)[1] == f"'nonce-{nonce}'"  # type: ignore[index]
    assert len(nonce) >= 22
    assert "unsafe" not in policy
    assert answered(ask=True)[1] != nonce


def test_only_what_pages_of_ours_frame_may_be_framed() -> None:
    assert answered(LETTER_FRAMED)[0].headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "X-Frame-Options" not in answered()[0].headers  # then Django's own says DENY


@pytest.mark.django_db
def test_the_log_in_is_framed_by_nobody() -> None:
    answer = Client().get("/login/")
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
