"""Django's settings: all of it follows from one Config. Importable with no home; then SECRET_KEY is empty.

`settings.NEWSLETTER` is the Config, for the edges (commands, pages, apps); flow and below get values as arguments.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dj_database_url

from newsletter.config.home import DATABASE_FILE, template_folders
from newsletter.config.load import current
from newsletter.config.schema import Config
from newsletter.core.errors import ConfigError

NEWSLETTER: Config = current().config
_TEMPLATES = template_folders(NEWSLETTER.home)

SECRET_KEY = NEWSLETTER.secret_key  # Django itself refuses to sign with an empty one
SECRET_KEY_FALLBACKS = list(NEWSLETTER.previous_secret_keys)
DEBUG = NEWSLETTER.debug
ALLOWED_HOSTS = [NEWSLETTER.host, "localhost", "127.0.0.1", "[::1]", *NEWSLETTER.allowed_hosts]

INSTALLED_APPS = [
    "newsletter.web.backdoor.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "subscribers",
    "newsletter",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "newsletter.web.headers.HeadersMiddleware",
]
ROOT_URLCONF = "newsletter.project.urls"
WSGI_APPLICATION = "newsletter.project.wsgi.application"


def database(url: str) -> dict[str, Any]:
    """Django's entry for `url`; "" is the SQLite file of the home, or memory when there is no home."""
    if not url:
        file = NEWSLETTER.home / DATABASE_FILE if NEWSLETTER.home else ":memory:"
        entry: dict[str, Any] = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file)}
    else:
        try:
            entry = {**dj_database_url.parse(url, conn_max_age=0)}
        except ValueError as error:
            # The address may hold a password: neither it nor the parser's words are repeated.
            raise ConfigError(
                "The database's address can't be read.", where="DATABASE_URL", hint="Like: postgresql://user@host/name"
            ) from error
    if entry["ENGINE"] == "django.db.backends.sqlite3":
        entry["ENGINE"] = "newsletter.project.sqlite"
        entry["OPTIONS"] = {
            # A writer takes its lock at BEGIN, so it waits for its turn; one that reads first and upgrades later is
            # refused at once with "database is locked" however long the time-out is.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            # FULL: what was committed must be there after a power cut. Large pages, and room for 8 MB of them: a send
            # reads and writes neighbours, and each page is a system call (0.2 a message in place of 0.6); a file keeps
            # the size of page that it began with.
            "init_command": "PRAGMA page_size=16384; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
            "PRAGMA cache_size=-8000",
        }
    return entry


DATABASES = {"default": database(NEWSLETTER.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [folder / "web" for folder in _TEMPLATES],
        "APP_DIRS": False,
        "OPTIONS": {"environment": "newsletter.web.jinja.environment"},
    },
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,  # the admin's own
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    },
]

# Served by whitenoise straight from the finders: no collectstatic step between an upgrade and a right page.
STATIC_URL = "/static/"
STATICFILES_DIRS = [folder / "web" / "static" for folder in _TEMPLATES if (folder / "web" / "static").is_dir()]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
# What readers are spoken to in; the catalogues are in newsletter/locale. The last four say goodbye only so far.
LANGUAGES = [
    ("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("es", "Español"), ("ar", "العربية"),
    ("it", "Italiano"), ("he", "עברית"), ("ja", "日本語"), ("zh-hans", "简体中文"),
]  # fmt: skip
COMPLETE_LANGUAGES = ("en", "de", "fr", "es", "ar")
LOCALE_PATHS = [Path(__file__).resolve().parent.parent / "locale"]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "studio"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "newsletter.web.studio.again.forged"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"  # what pages of ours frame says otherwise itself (HeadersMiddleware)
CSRF_TRUSTED_ORIGINS = [NEWSLETTER.base_url] if NEWSLETTER.base_url.startswith("https:") else []
# Only a proxy can have spoken TLS with the browser; without one a Secure cookie would never come back.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = NEWSLETTER.https_proxy
SECURE_SSL_REDIRECT = NEWSLETTER.https_proxy
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if NEWSLETTER.https_proxy else 0
# Other hosts of the domain, and lists of browser makers, are not ours to promise for.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if NEWSLETTER.https_proxy else None

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "newsletter.project.log.AddressFreeFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "newsletter": {"level": NEWSLETTER.log_level},
        "subscribers": {"level": NEWSLETTER.log_level},
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
    },
}
