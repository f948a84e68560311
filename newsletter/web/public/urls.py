"""Addresses that stand in mails: they must work for years, so none of them may ever change."""

from __future__ import annotations

from django.urls import path, re_path

from newsletter.web.public import confirm, pages, signup, skin, unsubscribe

urlpatterns = [
    path("u/<str:token>", unsubscribe.page, name="unsubscribe"),
    path("u/<str:token>/undo", unsubscribe.undo, name="unsubscribe-undo"),
    path("c/<str:token>", confirm.page, name="confirm"),
    path("c/<str:token>/again", confirm.again, name="confirm-again"),
    path("s/<slug:form>", signup.page, name="signup"),
    path("s/<slug:form>.json", signup.endpoint, name="signup-json"),
    path("s/<slug:form>.js", signup.script, name="signup-script"),
    path("skin/<slug:newsletter>.css", skin.sheet, name="skin"),
    path("i/<slug:newsletter>/<str:slot>", pages.view_online, name="view-online"),
    re_path(r"^media/(?P<name>[0-9a-f]{2}/[0-9a-f]{64}\.(?:jpg|png))$", pages.media, name="media"),
]
