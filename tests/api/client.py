"""A client of the API that needs no server."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.test import Client

from tests.world import Party

PROBLEM = "application/problem+json"
BATCH = "application/cloudevents-batch+json"
SINGLE = "application/cloudevents+json"


@dataclass(frozen=True)
class Answer:
    """A response, with its JSON when it has some."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def media_type(self) -> str:
        return self.headers["content-type"].split(";")[0]

    @property
    def detail(self) -> str:
        assert self.media_type == PROBLEM, self.content[:300]
        return str(self.json["detail"])

    @property
    def places(self) -> list[list[str | int]]:
        """Where the problem names wrong fields."""
        return [item["loc"] for item in self.json["errors"]]


@dataclass(frozen=True)
class Api:
    """Speaks for a party, or with a key as it stands, or for nobody."""

    client: Client

    def send(
        self,
        method: str,
        path: str,
        asker: Party | str | None = None,
        body: Any = None,
        *,
        raw: bytes | None = None,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        sent = dict(headers or {})
        key = asker.key if isinstance(asker, Party) else asker
        if key is not None:
            sent["authorization"] = f"Bearer {key}"
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        has_body = body is not None or raw is not None
        sent["content-type"] = content_type if has_body else ""
        response = self.client.generic(method, f"/api/v1{path}", content, content_type="", headers=sent)
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, found, b"".join(response) if response.streaming else response.content)

    def get(self, path: str, asker: Party | str | None = None, **headers: str) -> Answer:
        return self.send("GET", path, asker, headers=headers)

    def post(self, path: str, asker: Party | str | None, body: Any) -> Answer:
        return self.send("POST", path, asker, body)

    def patch(self, path: str, asker: Party | str | None, body: Any) -> Answer:
        return self.send("PATCH", path, asker, body)

    def put(self, path: str, asker: Party | str | None, body: Any) -> Answer:
        return self.send("PUT", path, asker, body)

    def usage(self, asker: Party | str | None, *events: dict[str, Any]) -> Answer:
        """Send a batch."""
        return self.send("POST", "/usage/events", asker, list(events), content_type=BATCH)


def event(company_id: int | str, key: str, **changes: Any) -> dict[str, Any]:
    """A good event: one SMS sent in March 2026; `changes` go to the envelope, `data` wholly."""
    return {
        "specversion": "1.0",
        "type": "twin.usage",
        "source": "smsc-1",
        "id": key,
        "subject": str(company_id),
        "time": "2026-03-01T12:00:00Z",
        "data": {"meter": "sms.sent", "quantity": 1},
        **changes,
    }
