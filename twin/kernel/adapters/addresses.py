"""Reading the address of a gateway from a setting; what it holds of passwords is never repeated."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from twin.kernel.errors import TwinError


class GatewayUnusable(TwinError):
    """The address of a gateway cannot be used; the message names the setting, never its value."""


@dataclass(frozen=True)
class Gateway:
    """Where to connect and as whom."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    path: str
    options: dict[str, str]

    def __repr__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


def read_gateway(setting: str, url: str, ports: dict[str, int]) -> Gateway:
    """The parts of the address; `ports` names the schemes that are spoken and their usual ports."""
    schemes = " or ".join(f"{scheme}://" for scheme in ports)
    try:
        parts = urlsplit(url)
        port = parts.port
        options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    except ValueError:
        raise GatewayUnusable(f"{setting} cannot be read: write {schemes}USER:PASSWORD@HOST:PORT/….") from None
    if parts.scheme not in ports or not parts.hostname:
        raise GatewayUnusable(f"{setting} must begin with {schemes} and name a host.")
    if " " in url or any(ord(letter) < 32 or ord(letter) == 127 for letter in unquote(url)):
        raise GatewayUnusable(f"{setting} holds blanks or control characters; blanks are written %20.")
    return Gateway(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or ports[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        path=parts.path,
        options=options,
    )
