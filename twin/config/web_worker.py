"""What one web worker runs."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from django.conf import settings

from twin.config import wsgi
from twin.engine.lifeline import end_with_parent

end_with_parent()
# Django loads the pages and the API behind its addresses when the first request comes, which waited a second for it;
# and what is loaded here is frozen below.
import_module(settings.ROOT_URLCONF)
# A batch makes tens of thousands of objects that live for one request and form no rings:
# collecting among them at the usual pace costs a tenth of ingestion and finds nothing.
gc.freeze()
gc.set_threshold(100_000, 50, 50)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The Django application, without the name and version of the server in every answer."""

    def start_unnamed(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        # Left out, granian writes its own name.
        return start_response(status, [*headers, ("Server", "Twin")], *rest)

    answer: Iterable[bytes] = wsgi.application(environ, start_unnamed)
    return answer
