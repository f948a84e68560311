"""The short twin of `make prove ARGS=lists-studio`: its own people and issues, a few of each, and each of its pages."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from subscribers import listing
from tests.benchmarks import studio_lists
from tests.factories import make_list, make_newsletter
from tests.flow.compile.fixtures import home as home

# Outside of a transaction: PostgreSQL vacuums in none.
pytestmark = pytest.mark.django_db(transaction=True)


def test_the_proofs_rows_are_made_and_its_pages_open(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    make_newsletter()
    values = studio_lists.fill(issues=4, people=300)
    found = listing.counts(make_list())
    assert sum(number for name, number in found.items() if name != listing.SUPPRESSED) == 300
    assert found["active"] > found["unsubscribed"] > found["paused"] > 0 < found[listing.SUPPRESSED]
    client = Client()
    client.force_login(User.objects.get(username="mara"))
    for name, pattern in studio_lists.PAGES:
        assert client.get(pattern.format(**values)).status_code == 200, name
