"""The pages, for any WSGI server; `newsletter serve` adds the clock."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
application = get_wsgi_application()
