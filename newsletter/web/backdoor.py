"""Django's admin, behind the same second step as the studio."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig
from django.contrib.admin.sites import AdminSite
from django.http import HttpRequest


class Site(AdminSite):
    """Opens to admins, once they have what the installation asks of them."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Who is refused goes to the log-in, which knows what is missing (studio.login.for_admin)."""
        from newsletter.web.studio.access import lacks_second_step  # models are not ready when apps are named

        return super().has_permission(request) and not lacks_second_step(request.user)


class AdminConfig(DjangoAdminConfig):
    """In place of "django.contrib.admin" among the apps."""

    default_site = "newsletter.web.backdoor.Site"
