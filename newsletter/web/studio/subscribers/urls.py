"""Addresses under /studio/subscribers/. Fixed words come before numbers and names."""

from __future__ import annotations

from django.urls import path

from newsletter.web.studio.subscribers import bounces, forms, importing, pages, person, segments

urlpatterns = [
    path("", pages.index, name="subscribers"),
    path("export", pages.export, name="subscribers-export"),
    path("segments/", segments.index, name="segments"),
    path("new-segment", segments.new, name="segment-new"),  # not within: a segment may be called "new"
    path("segments/<slug:segment>/", segments.edit, name="segment"),
    path("segments/<slug:segment>/count", segments.count, name="segment-count"),
    path("segments/<slug:segment>/delete", segments.delete, name="segment-delete"),
    path("bounces/", bounces.index, name="bounces"),
    path("bounces/aside/<str:name>", bounces.aside, name="bounces-aside"),
    path("forms/", forms.index, name="forms"),
    path("new-form", forms.new, name="form-new"),
    path("forms/<slug:form>/", forms.page, name="form"),
    path("forms/<slug:form>/preview", forms.preview, name="form-preview"),
    path("forms/<slug:form>/edit", forms.edit, name="form-edit"),
    path("forms/<slug:form>/turn", forms.turn, name="form-turn"),
    path("import/", importing.begin, name="import"),
    path("import/<str:token>/", importing.step, name="import-step"),
    path("import/<str:token>/try", importing.try_out, name="import-try"),
    path("import/<str:token>/run", importing.run, name="import-run"),
    path("import/<str:token>/drop", importing.drop, name="import-drop"),
    path("import/<str:token>/differences.csv", importing.differences, name="import-differences"),
    path("<int:person>/", person.page, name="subscriber"),
    path("<int:person>/unsubscribe", person.unsubscribe, name="subscriber-unsubscribe"),
    path("<int:person>/let-in", person.let_in, name="subscriber-let-in"),
    path("<int:person>/erase", person.erase, name="subscriber-erase"),
    path("<int:person>/data", person.data, name="subscriber-data"),
]
