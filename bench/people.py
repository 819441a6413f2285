"""A program: makes as many people as it is told, `known0@example.org` and on, in the installation it runs for."""

from __future__ import annotations

import sys

import django

django.setup()

from twin.accounts.actions import create_person  # noqa: E402 - needs the settings

if __name__ == "__main__":
    for at in range(int(sys.argv[1])):
        create_person(email=f"known{at}@example.org", password="kiesel-wolke-9-anker", name="Known")  # noqa: S106 - of people who exist for a minute
