"""People whose security pages are tried: signed in with their password, with the means to read what was sent."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth import get_user_model
from django.test import Client

from twin.kernel.models import Dispatch, SecurityEvent
from twin.kernel.sealing import unseal

PASSWORD = "harbour-lantern-quiet-41"


def make_person(email: str = "ada@example.org", name: str = "Ada Lane", **fields: Any) -> Any:
    fields = {"phone": "+4915123454417", **fields}
    return get_user_model().objects.create_user(email, PASSWORD, name=name, **fields)


def sign_in(email: str = "ada@example.org", **meta: Any) -> Client:
    """A browser that gave the password just now."""
    client = Client(**meta)
    client.post("/login", {"login": email, "password": PASSWORD})
    return client


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def mails(to: str | None = None, purpose: str | None = None) -> list[Any]:
    """What was queued to be sent by mail, in order."""
    found = Dispatch.objects.filter(channel="mail").order_by("pk")
    if to is not None:
        found = found.filter(recipient=to)
    if purpose is not None:
        found = found.filter(purpose=purpose)
    return list(found)


def text_of(dispatch: Any) -> str:
    return str(json.loads(unseal(dispatch.sealed_body))["text"])


def code_sent(to: str) -> str:
    """The digits of the last code that went there."""
    text = text_of(Dispatch.objects.filter(recipient=to, purpose__endswith="_code").latest("pk"))
    found = re.search(r"\b(\d{6})\b", text)
    assert found is not None
    return found[1]


def events(name: str) -> list[Any]:
    return list(SecurityEvent.objects.using("owner").filter(event=name).order_by("pk"))


def app_code(secret: str, *, steps: int = 0) -> str:
    """What an authenticator app with that secret shows."""
    return str(format_hotp_value(hotp_value(secret.replace(" ", ""), int(time.time()) // 30 + steps)))


def shown_secret(page: str) -> str:
    found = re.search(r'class="secret-text">([A-Z2-7 ]+)<', page)
    assert found is not None
    return found[1]


def set_up_app(client: Client) -> str:
    """Through the pages; the secret, for codes later on."""
    secret = shown_secret(client.get("/security/authenticator").text)
    answer = client.post("/security/authenticator", {"code": app_code(secret)})
    assert answer.status_code == 302, answer.text
    return secret


def recovery_codes(client: Client) -> list[str]:
    """As the page shows them right after they were made."""
    return re.findall(r"<li>(\d{4} \d{4})</li>", client.get("/security/recovery-codes").text)
