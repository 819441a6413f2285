"""What the operators' handbook and units name is there."""

from __future__ import annotations

import re

import pytest

from tests.architecture.sins import SETTING, settings_documented
from tests.architecture.source import ROOT
from twin.cli.main import COMMANDS

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
FILES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "deploy").iterdir()}
FILES["Containerfile"] = (ROOT / "Containerfile").read_text(encoding="utf-8")
FILES["operations.md"] = PAGE


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_setting_named_is_one(name: str) -> None:
    known = settings_documented((ROOT / "docs" / "settings.md").read_text(encoding="utf-8"))
    assert set(re.findall(SETTING.pattern, FILES[name])) - known == set()


def test_every_command_named_is_one() -> None:
    named = set(re.findall(r"(?:as-twin|`twin|bin/twin) ([a-z][a-z-]+)", "\n".join(FILES.values())))
    assert named - set(COMMANDS) == set()
    assert {"backup", "restore", "doctor", "migrate", "init"} <= named


def test_every_metric_named_is_counted() -> None:
    sources = [ROOT / "twin" / "config" / "metrics.py", ROOT / "twin" / "kernel" / "metrics.py"]
    known = set(re.findall(r'"(twin_[a-z_]+)"', "\n".join(path.read_text(encoding="utf-8") for path in sources)))
    named = set(re.findall(r"\b(twin_[a-z_]+?)(?:_total)?(?=\{|`)", PAGE))
    assert named - known - {"twin_owner", "twin_app", "twin_writer"} == set()
    assert len(named & known) >= 10


def test_the_log_of_the_proxy_keeps_no_secret_of_an_address() -> None:
    """Links of invitations and recoveries carry theirs in the path, strangers put keys behind a question mark."""
    logged = re.search(r"log_format twin '([^']*)'", FILES["nginx.conf"])
    assert logged is not None
    assert not {"$request ", '$request"', "$request_uri", "$uri", "$args", "$http_referer"} & set(
        re.split(r"(?<=[ \"])", logged[1])
    )
    assert "$twin_logged" in logged[1]
    hidden = re.search(r'"(~\^\(\?<twin_way>[^"]*)"', FILES["nginx.conf"])
    assert hidden is not None
    pattern = re.compile(hidden[1].removeprefix("~").replace("?<", "?P<"))
    for way in ("/invitation/", "/recovery/", "/attachment/", "/sms/receipt/"):
        assert pattern.match(f"{way}{'a1' * 10}")
    for page in ("/reports/reseller-companies", "/api/v1/usage/events", "/second-factor-reset"):
        assert not pattern.match(page)
    assert FILES["nginx.conf"].count("access_log /var/log/nginx/twin.log twin;") == FILES["nginx.conf"].count(
        "server_name"
    )


def test_every_target_of_make_that_is_named_is_one() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:`|&& |RUN )make ([a-z-]+)", "\n".join(FILES.values())))
    assert named - targets == set()
    assert "setup-server" in named
