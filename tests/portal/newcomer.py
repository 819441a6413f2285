"""A newcomer at a browser without a screen, with a mailbox and a phone."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from twin.companies.actions import create_platform
from twin.kernel.models import Dispatch
from twin.kernel.sealing import unseal

PASSWORD = "kiesel-wolke-9-anker"
EMAIL = "jonas.weber@elbtal-energie.example"
PHONE = "+4915123454417"

DETAILS = {
    "name": "Jonas Weber",
    "email": EMAIL,
    "password": PASSWORD,
    "phone_country": "DE",
    "phone": "1512 3454417",
    "time_zone": "Europe/Berlin",
    "terms": "on",
    "personal_data": "on",
}


def found_platform() -> None:
    """All that registering needs of the world."""
    create_platform(name="Twin", time_zone="UTC", currency="EUR")


def messages_to(recipient: str) -> list[str]:
    """What went to an address or a number, the oldest first."""
    rows = Dispatch.objects.filter(recipient=recipient).order_by("id")
    return [json.loads(unseal(row.sealed_body))["text"] for row in rows]


def code_to(recipient: str) -> str:
    """The code of the last message there."""
    [code] = re.findall(r"\b\d{6}\b", messages_to(recipient)[-1])
    return str(code)


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


@dataclass
class Newcomer:
    """Fills the pages in; each step gives the answer of the server."""

    client: Client = field(default_factory=Client)
    details: dict[str, str] = field(default_factory=lambda: dict(DETAILS))

    def give_details(self, **changed: str) -> Any:
        self.details |= changed
        return self.client.post("/registration", self.details)

    def type_email_code(self, code: str | None = None) -> Any:
        return self.client.post("/registration/email", {"code": code or code_to(self.details["email"])})

    def type_phone_code(self, code: str | None = None, phone: str = PHONE) -> Any:
        return self.client.post("/registration/phone", {"code": code or code_to(phone)})

    def sign_in(self, **more: str) -> Any:
        return self.client.post(
            "/login", {"login": self.details["email"], "password": self.details["password"], **more}
        )

    def register(self) -> None:
        self.give_details()
        self.type_email_code()
        assert self.type_phone_code().url == "/login"
