"""Addresses that stand in mails: they must work for years, so none of them may ever change."""

from __future__ import annotations

from django.urls import path, re_path

from newsletter.web.public import confirm, keep, pages, preferences, privacy, signup, skin, unsubscribe

urlpatterns = [
    path("u/<str:token>", unsubscribe.page, name="unsubscribe"),
    path("u/<str:token>/undo", unsubscribe.undo, name="unsubscribe-undo"),
    path("u/<str:token>/pause", unsubscribe.pause, name="unsubscribe-pause"),
    path("u/<str:token>/fewer", unsubscribe.fewer, name="unsubscribe-fewer"),
    path("u/<str:token>/reason", unsubscribe.reason, name="unsubscribe-reason"),
    path("p/<str:token>", preferences.page, name="preferences"),
    path("p/<str:token>/pause", preferences.pause, name="preferences-pause"),
    path("p/<str:token>/resume", preferences.resume, name="preferences-resume"),
    path("p/<str:token>/link", preferences.fresh, name="preferences-link"),
    path("d/<str:token>", preferences.data, name="data"),
    path("d/<str:token>/my-data.json", preferences.export, name="data-export"),
    path("d/<str:token>/address", preferences.move, name="data-address"),
    path("d/<str:token>/name", preferences.name, name="data-name"),
    path("d/<str:token>/erase", preferences.erase, name="data-erase"),
    path("d/<str:token>/keep", preferences.keep, name="data-keep"),
    path("k/<str:token>", keep.page, name="keep"),
    path("privacy/<slug:newsletter>", privacy.page, name="privacy"),
    path("a/<str:token>", preferences.moved, name="new-address"),
    path("c/<str:token>", confirm.page, name="confirm"),
    path("c/<str:token>/again", confirm.again, name="confirm-again"),
    path("s/<slug:form>", signup.page, name="signup"),
    path("s/<slug:form>.json", signup.endpoint, name="signup-json"),
    path("s/<slug:form>.js", signup.script, name="signup-script"),
    path("skin/<slug:newsletter>.css", skin.sheet, name="skin"),
    path("i/<slug:newsletter>/<str:slot>", pages.view_online, name="view-online"),
    re_path(r"^media/(?P<name>[0-9a-f]{2}/[0-9a-f]{64}\.(?:jpg|png))$", pages.media, name="media"),
]
