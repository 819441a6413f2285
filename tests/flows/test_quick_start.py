"""What docs/api.md tells a newcomer to type works as it stands there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from typing import Any

import pytest

from tests.flows.installation import ROOT, Installation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def typed_commands(port: int) -> str:
    """Every shell block of the page as one script, for a server that already runs."""
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    script = "\n".join(re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    script = script.replace(".venv/bin/twin serve &\n", "").replace("localhost:8000", f"127.0.0.1:{port}")
    return "set -euo pipefail\n" + script.replace(".venv/bin/twin", f"PYTHONPATH={ROOT} {sys.executable} -m twin")


def answers(output: str) -> list[Any]:
    """The JSON documents that were printed one after another."""
    decoder, found, text = json.JSONDecoder(), [], output[output.index("{") :]
    while text:
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:].lstrip()
    return found


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page types curl")
def test_the_five_steps_lead_to_the_report(installation: Installation) -> None:
    installation.serve()
    done = subprocess.run(
        ["bash", "-c", typed_commands(installation.port)],
        cwd=installation.data_dir.parent, env=installation.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    *_, taken, report, usage = answers(done.stdout)
    assert taken == {"accepted": 2, "duplicates": 0, "unrated": 0, "conflicts": [], "rejected": []}
    [row] = report["sections"]["messaging"]["rows"]
    assert (row["company_name"], row["total_buy"], row["total_sell"], row["margin"]) == (
        "Acme",
        "0.03",
        "0.164",
        "0.134",
    )
    assert row["meters"]["sms.delivered"] == {"count": 2, "quantity": 3, "buy": "0.03", "sell": "0.164"}
    assert (usage["company"]["name"], usage["total_sell"]) == ("Acme", "0.164")
