"""The large world: one reseller with thousands of companies, beside the ones of the demonstration."""

from __future__ import annotations

from typing import Final

from twin.demo.types import Customer, Person, Seller, WorldSize

MAGNA: Final = Seller("R-MAGNA", "Magna Telecom", "", "Europe/Berlin", ("DE", "AT", "PL"), 110)
MAGNA_PERSON: Final = Person(
    "Clara Weiss", "clara@magna.example", "marble-river-trumpet-83", MAGNA.code, "administrator"
)
LARGE: Final = WorldSize(companies=10_000, events=1_000_000, days=60, seed=10_007)

_ZONES: Final = {"DE": "Europe/Berlin", "AT": "Europe/Vienna", "PL": "Europe/Warsaw"}
_BUSINESSES: Final = (
    ("Apotheke", "clinic"),
    ("Autohaus", "shop"),
    ("Bäckerei", "retail"),
    ("Buchhandlung", "retail"),
    ("Fahrschule", "shop"),
    ("Hotel", "shop"),
    ("Kurierdienst", "logistics"),
    ("Möbelhaus", "retail"),
    ("Optik", "clinic"),
    ("Reisebüro", "shop"),
    ("Rufzentrale", "callcentre"),
    ("Sparkasse", "bank"),
    ("Spedition", "logistics"),
    ("Stadtwerke", "bank"),
    ("Tierarztpraxis", "clinic"),
    ("Zahnarztpraxis", "clinic"),
)
_TOWNS: Final = (
    *("Aachen", "Aalen", "Bamberg", "Bautzen", "Celle", "Cottbus", "Dachau", "Detmold", "Eisenach", "Emden", "Erfurt"),
    *("Flensburg", "Freiberg", "Fulda", "Gera", "Görlitz", "Goslar", "Graz", "Greifswald", "Halle", "Hameln", "Hof"),
    *("Innsbruck", "Jena", "Kassel", "Kempten", "Koblenz", "Konstanz", "Krems", "Landshut", "Leer", "Linz", "Lübeck"),
    *("Mainz", "Marburg", "Meißen", "Minden", "Murnau", "Neuss", "Oldenburg", "Passau", "Pirna", "Plauen", "Posen"),
    *("Regensburg", "Rheine", "Rostock", "Salzburg", "Schwerin", "Siegen", "Speyer", "Steyr", "Stettin", "Straubing"),
    *("Suhl", "Trier", "Tulln", "Ulm", "Unna", "Villach", "Weimar", "Wels", "Wismar", "Worms", "Wuppertal"),
    *("Zittau", "Zwickau"),
)
_AUSTRIAN: Final = ("Graz", "Innsbruck", "Krems", "Linz", "Salzburg", "Steyr", "Tulln", "Villach", "Wels")
_POLISH: Final = ("Posen", "Stettin")
# Every so many companies one that registered and has used nothing yet.
_QUIET_EVERY: Final = 25


def crowd(size: WorldSize) -> tuple[Customer, ...]:
    """The companies, largest first; their sizes follow Zipf's law, the smallest use next to nothing."""
    return tuple(_customer(number) for number in range(size.companies))


def _customer(number: int) -> Customer:
    # Both lists are walked at once; their lengths share no divisor, so every pairing comes before any repeats.
    business, trade = _BUSINESSES[number % len(_BUSINESSES)]
    town = _TOWNS[number % len(_TOWNS)]
    again = number // (len(_BUSINESSES) * len(_TOWNS))
    country = "AT" if town in _AUSTRIAN else "PL" if town in _POLISH else "DE"
    return Customer(
        code=f"L-{number + 1:05d}",
        name=f"{business} {town}" + (f" {again + 1}" if again else ""),
        seller=MAGNA.code,
        time_zone=_ZONES[country],
        country=country,
        trade="quiet" if number % _QUIET_EVERY == _QUIET_EVERY - 1 else trade,
        weight=1 / (number + 3),
        joined_days_ago=100,
    )
