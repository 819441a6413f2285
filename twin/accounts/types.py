"""What other apps know of a person."""

from __future__ import annotations

from typing import Any, Protocol


class Person(Protocol):
    """Somebody at a browser: a user of ours, or the nobody Django puts there before sign-in."""

    @property
    def pk(self) -> Any: ...

    @property
    def is_active(self) -> bool: ...

    @property
    def is_authenticated(self) -> bool: ...
