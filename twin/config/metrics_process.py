"""The process that answers `/metrics`, to those alone who reach TWIN_METRICS_HOST and TWIN_METRICS_PORT."""

from __future__ import annotations

import os
import threading
from importlib import import_module

import django
from django.conf import settings
from prometheus_client import start_http_server

from twin.engine.lifeline import end_with_parent


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twin.config.settings")
    end_with_parent()
    django.setup()
    # Its tables can be imported only now.
    collected = import_module("twin.config.metrics").registry(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    start_http_server(settings.METRICS_PORT, settings.METRICS_HOST, collected)
    threading.Event().wait()


if __name__ == "__main__":
    main()
