"""A correction of everything one reseller charged: `twin metering rerate` from start to end, preview included."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.crowd import METERS
from bench.market import COUNTRIES, Market, text_of
from bench.measuring import Cpu, children_cpu, watch_memory
from tests.flows.installation import ROOT, Client, Installation

Figures = dict[str, Any]
_CHANGED = re.compile(r"changed: looked_at=(\d+) sell=(\d+) ")


def rerate(installation: Installation, folder: Path, market: Market, since: datetime) -> Figures:
    """Another price for every meter since then, so that nearly every charge is taken back and made again."""
    rates = folder / "rates.csv"
    rates.write_text(_rates(text_of(since)))
    with Client(installation.port, market.reseller_key) as client:
        card = client.get("/api/v1/rate-cards").json["items"][0]["id"]
    database, own, begun = Cpu(installation), children_cpu(), time.perf_counter()
    command = subprocess.Popen(
        [sys.executable, "-m", "twin", "metering", "rerate", "--seller", str(market.resellers[-1]), "--card", str(card),
         "--rates", str(rates), "--reason", "measured"],
        cwd=ROOT, env=installation.environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    largest = watch_memory(command.pid)
    told, _ = command.communicate()
    wall = time.perf_counter() - begun
    found = _CHANGED.search(told)
    if command.returncode or found is None:
        raise RuntimeError(f"metering rerate: exit {command.returncode}, {told}")
    return {
        "since": text_of(since),
        "looked_at": int(found[1]),
        "changed": int(found[2]),
        "seconds": wall,
        "memory_mb": largest / 1e6,
        "cpu_seconds": children_cpu() - own,
        "database_cpu_seconds": database.seconds(),
    }


def _rates(since: str) -> str:
    lines = [f"{meter},,0.0913,{since}" for meter in METERS]
    lines += [f"sms.delivered,country={country},0.0{n + 31},{since}" for n, country in enumerate(COUNTRIES)]
    return "\n".join(["meter,selector,unit_price,effective_from", *lines]) + "\n"
