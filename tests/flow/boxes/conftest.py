from __future__ import annotations

from tests.providers.conftest import certificate as certificate
