"""What the quick start says is run as it stands, by the shell and by Python; the reference says what is so."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from django.test import Client

from tests.api.client import Api
from tests.api.live import serving
from tests.world import World, key_of
from twin.companies.types import PERMISSIONS
from twin.kernel import clock
from twin.portal.api_reference_page import chapters
from twin.portal.quick_start import NEEDED, quick_start

RUNNERS = {"curl": ["bash", "-eu", "-o", "pipefail", "-c"], "python": [sys.executable, "-c"]}


@pytest.mark.parametrize("tongue", ["curl", "python"])
def test_the_steps_lead_from_a_key_to_the_report(world: World, tongue: str) -> None:
    key = key_of(world.twin.id, NEEDED)
    with serving() as base:
        program = "\n".join(step.code for step in quick_start(tongue, base, clock.now()))
        done = subprocess.run(
            [*RUNNERS[tongue], program],
            env={"TWIN_KEY": key, "PATH": "/usr/bin:/bin", "no_proxy": "*"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert re.search(r"[\"']accepted[\"']: ?1,", done.stdout), done.stdout
    answer = re.search(r'^\{\s*"company":', done.stdout, re.MULTILINE)
    assert answer is not None, done.stdout
    report = json.loads(done.stdout[answer.start() :])
    assert report["sections"]["messaging"]["rows"][0]["meters"]["sms.delivered"]["sell"] == "0.149"
    assert report["total_sell"] == "0.149"


def test_every_permission_of_the_reference_opens_its_address(api: Api, world: World) -> None:
    document = api.get("/openapi.json").json
    operations = [one for chapter in chapters(document) for one in chapter.operations]
    assert len(operations) == sum(len(each) for each in document["paths"].values())
    with_all: dict[str, str] = {}
    for one in operations:
        path = re.sub(r"\{\w+\}", "999999", one.path)
        for is_held in (True, False):
            # Conflicts and what waits for a price open by the sending of usage too.
            others = {one.permission, "usage:write"} if one.permission == "reports:read" else {one.permission}
            # Whoever corrects charges sets prices with the same key: the text of the reference says so.
            also = ("prices:write",) if "/corrections/" in path and one.method == "POST" else ()
            given = (one.permission, *also) if is_held else tuple(set(PERMISSIONS) - others)
            key = with_all.setdefault(",".join(sorted(given)), key_of(world.twin.id, given))
            sent = Client().generic(
                one.method, path, b"{}", one.body_type or "application/json", headers={"Authorization": f"Bearer {key}"}
            )
            assert (sent.status_code == 403) is not is_held, (one.method, path, is_held, sent.content)
