"""Every cell of every seller's report equals brute force, for random worlds and periods."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from tests.flows.driver import Twins
from tests.flows.worlds import World

EXAMPLES = int(os.environ.get("TWIN_ORACLE_EXAMPLES", "25"))

pytestmark = [pytest.mark.database, pytest.mark.timeout(60 + 12 * EXAMPLES)]


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    # A failing world is rebuilt from the numbers it prints; making it smaller would take minutes.
    phases=[Phase.generate],
    derandomize="TWIN_ORACLE_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
@given(
    seed=st.integers(0, 2**32),
    companies=st.integers(1, 12),
    steps=st.integers(3, 22),
    batch_size=st.integers(1, 60),
)
def test_every_cell_of_every_report_equals_the_oracle(
    empty_database: Callable[[], None], seed: int, companies: int, steps: int, batch_size: int
) -> None:
    note(f"seed={seed} companies={companies} steps={steps} batch_size={batch_size}")
    empty_database()
    world = World(Twins(), seed, companies)
    for _ in range(steps):
        world.step(batch_size)
    world.settle()
