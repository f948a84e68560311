"""Pages under test run with a configuration of their own: a secret, a public address, a media folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.conftest import SECRET

BASE_URL = "https://news.example.test"


@pytest.fixture(autouse=True)
def configured(settings: Settings, tmp_path: Path) -> Path:
    """Returns the media folder."""
    media = tmp_path / "media"
    media.mkdir()
    settings.NEWSLETTER = replace(settings.NEWSLETTER, secret_key=SECRET, base_url=BASE_URL, media_folder=media)
    settings.ALLOWED_HOSTS = ["news.example.test", "testserver", "localhost", "127.0.0.1"]
    # Half a second for each account otherwise; how a password is kept is Django's, and not what is tested here.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return media
