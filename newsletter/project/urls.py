"""Every address of the product."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("newsletter.web.public.urls")),
    path("admin/", admin.site.urls),
]
