from __future__ import annotations

import pytest

from tests.pricing.factories import House, build_house


@pytest.fixture
def house(db_clean: object) -> House:
    """Platform, two resellers and a customer in a database of their own."""
    return build_house()
