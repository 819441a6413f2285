"""Writes the bill of materials of the locked packages as CycloneDX; asks nobody."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)


def python_parts() -> list[dict[str, Any]]:
    text = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8")
    return [_part(name, version, f"pkg:pypi/{name.lower()}@{version}") for name, version in _PIN.findall(text)]


def page_parts() -> list[dict[str, Any]]:
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text(encoding="utf-8"))
    found = {path.rpartition("node_modules/")[2]: entry for path, entry in lock["packages"].items() if path}
    return [
        _part(name, entry["version"], f"pkg:npm/{name.replace('@', '%40')}@{entry['version']}")
        for name, entry in sorted(found.items())
    ]


def _part(name: str, version: str, address: str) -> dict[str, Any]:
    return {"type": "library", "name": name, "version": version, "purl": address, "bom-ref": address}


def main(target: str) -> None:
    parts = [*python_parts(), *page_parts()]
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "twin", "bom-ref": "twin"}},
        "components": parts,
    }
    Path(target).write_text(json.dumps(bill, indent=1) + "\n", encoding="utf-8")
    print(f"audit: {len(parts)} packages are served with, listed in {target}.")


if __name__ == "__main__":
    main(sys.argv[1])
