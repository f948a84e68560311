"""Every address of the product."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from newsletter.demo.urls import mailbox_urls
from newsletter.web.studio.login import for_admin

urlpatterns = [
    path("", include("newsletter.web.public.urls")),
    path("", include("newsletter.web.studio.urls")),
    path("admin/login/", for_admin),
    path("admin/", admin.site.urls),
    *mailbox_urls(settings.NEWSLETTER.home),
]
