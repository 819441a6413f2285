"""What the operators' handbook and units name is there."""

from __future__ import annotations

import json
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


@pytest.mark.parametrize("name", ["runtime", "dev", "audit"])
def test_every_package_is_locked_by_version_and_hash(name: str) -> None:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    entries = re.findall(r"^(?!#)(\S.*(?:\n {4}\S.*)*)", lines, re.MULTILINE)
    assert len(entries) > 5
    loose = [
        entry.split()[0] for entry in entries if not re.match(r"\S+==\S+ \\\n {4}--hash=sha256:[0-9a-f]{64}", entry)
    ]
    assert loose == []


def test_every_file_of_the_pages_is_locked_by_its_hash() -> None:
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text(encoding="utf-8"))
    fetched = {name: one for name, one in lock["packages"].items() if name}
    assert fetched
    assert [name for name, one in fetched.items() if not one.get("integrity", "").startswith("sha512-")] == []


def test_every_target_of_make_that_is_named_is_one() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:`|&& |RUN )make ([a-z-]+)", "\n".join(FILES.values())))
    assert named - targets == set()
    assert "setup-server" in named
