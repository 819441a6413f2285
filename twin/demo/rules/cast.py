"""Who lives in the demonstration world: sellers, customers and the people who sign in."""

from __future__ import annotations

from typing import Final

from twin.demo.types import Customer, Person, Seller, WorldSize

PLATFORM_NAME: Final = "Twin"
PLATFORM_ZONE: Final = "Europe/Berlin"
PLATFORM_COUNTRY: Final = "DE"
CURRENCY: Final = "EUR"

RHEA, AUSTRIA, BALTIC, NORTH = "R-RHEA", "R-AUSTRIA", "R-BALTIC", "R-NORTH"
SELLERS: Final = (
    Seller(RHEA, "Rhea Telecom", "", "Europe/Berlin", ("DE", "PL", "GB", "FR"), 120),
    Seller(BALTIC, "Baltic Connect", "", "Europe/Riga", ("LV", "LT", "EE"), 118),
    Seller(NORTH, "Северная связь", "", "Europe/Moscow", ("RU", "KZ"), 115),
    Seller(AUSTRIA, "Rhea Österreich", RHEA, "Europe/Vienna", ("AT", "DE"), 110),
)

_ADMINISTRATOR = "administrator"
# The order in which they are shown. The last one is written last of all: it says that the world is whole.
PEOPLE: Final = (
    Person("Nora Lindqvist", "platform@twin.example", "amber-harbour-lantern-41", "", _ADMINISTRATOR),
    Person("Anna Berger", "anna@rhea.example", "quiet-meadow-compass-72", RHEA, _ADMINISTRATOR),
    Person("Jānis Ozols", "janis@baltic.example", "silver-pine-ferry-58", BALTIC, _ADMINISTRATOR),
    Person("Ольга Смирнова", "olga@sever.example", "winter-birch-signal-36", NORTH, _ADMINISTRATOR, "ru"),
    Person("Lukas Gruber", "lukas@rhea-austria.example", "alpine-cedar-window-94", AUSTRIA, _ADMINISTRATOR),
    Person("Miriam Vogel", "miriam@nordlicht.example", "copper-garden-violin-65", "C-001", _ADMINISTRATOR),
)

# Name, country, trade; in each list from the largest to the smallest.
_NAMES: Final[dict[str, tuple[tuple[str, str, str], ...]]] = {
    RHEA: (
        ("Nordlicht Apotheken", "DE", "clinic"),
        ("Kaufhaus Brandt", "DE", "retail"),
        ("Elbe Logistik", "DE", "logistics"),
        ("Sparbank Lüneburg", "DE", "bank"),
        ("Fahrrad Müller & Söhne", "DE", "shop"),
        ("Zahnärzte am Park", "DE", "clinic"),
        ("Kurier Polonia", "PL", "logistics"),
        ("Möbelhaus Weser", "DE", "retail"),
        ("Brightwell Dental", "GB", "clinic"),
        ("Stadtwerke Heide", "DE", "bank"),
        ("Hotel Seeblick", "DE", "shop"),
        ("Atelier Fontaine", "FR", "shop"),
        ("Ostsee Reisen", "DE", "retail"),
        ("Call Partner Hannover", "DE", "callcentre"),
        ("Weinhandel Rheingau", "DE", "shop"),
        ("Optik Sommer", "DE", "clinic"),
        ("Camden Cycles", "GB", "shop"),
        ("Spedition Harz", "DE", "logistics"),
        ("Blumen Petersen", "DE", "retail"),
        ("Fahrschule Kompass", "DE", "shop"),
        ("Musikschule Allegro", "DE", "quiet"),
    ),
    AUSTRIA: (
        ("Wiener Paketdienst", "AT", "logistics"),
        ("Alpen Ski Verleih", "AT", "shop"),
        ("Ordination Dr. Huber", "AT", "clinic"),
        ("Donau Versicherung Graz", "AT", "bank"),
        ("Bäckerei Steindl", "AT", "retail"),
        ("Therme Sonnhof", "AT", "shop"),
        ("Tiroler Holzbau", "AT", "logistics"),
    ),
    BALTIC: (
        ("Rīgas Aptieka", "LV", "clinic"),
        ("Baltijas Banka", "LV", "bank"),
        ("Tallinn Taxi", "EE", "logistics"),
        ("Vilniaus Knygos", "LT", "retail"),
        ("Kauno Klinika", "LT", "clinic"),
        ("Hansa Apotheken", "DE", "clinic"),
        ("Jūrmala Hotels", "LV", "shop"),
        ("Pärnu Spa", "EE", "shop"),
        ("Baltic Call Centre", "LV", "callcentre"),
        ("Liepājas Mēbeles", "LV", "retail"),
        ("Tartu Ülikooli Pood", "EE", "shop"),
        ("Klaipėdos Krovinys", "LT", "logistics"),
        ("Ventspils Osta", "LV", "logistics"),
        ("Zarasai Farm", "LT", "retail"),
        ("Narva Optika", "EE", "clinic"),
        ("Siguldas Trase", "LV", "quiet"),
    ),
    NORTH: (
        ("Вега Логистика", "RU", "logistics"),
        ("Аптеки «Здоровье»", "RU", "clinic"),
        ("Банк «Онега»", "RU", "bank"),
        ("Книжный дом «Слово»", "RU", "retail"),
        ("Стоматология «Улыбка»", "RU", "clinic"),
        ("Контакт-центр «Диалог»", "RU", "callcentre"),
        ("Алматы Экспресс", "KZ", "logistics"),
        ("Такси «Полюс»", "RU", "logistics"),
        ("Мебель «Карелия»", "RU", "retail"),
        ("Гостиница «Ладога»", "RU", "shop"),
        ("Цветы «Ромашка»", "RU", "shop"),
    ),
    "": (
        ("Helvetia Messaging", "DE", "retail"),
        ("Acme Support GmbH", "DE", "callcentre"),
        ("Lumen Bots", "GB", "shop"),
        ("Porto Delivery", "FR", "logistics"),
        ("Greenfield Energy", "GB", "bank"),
    ),
}
_ZONES: Final = {
    "DE": "Europe/Berlin",
    "PL": "Europe/Warsaw",
    "GB": "Europe/London",
    "FR": "Europe/Paris",
    "AT": "Europe/Vienna",
    "LV": "Europe/Riga",
    "LT": "Europe/Vilnius",
    "EE": "Europe/Tallinn",
    "RU": "Europe/Moscow",
    "KZ": "Asia/Almaty",
}
_TRADES: Final = ("retail", "clinic", "bank", "callcentre", "shop", "logistics")
_MOVED: Final = {"Hansa Apotheken": (RHEA, 31)}
_BLOCKED: Final = {"Такси «Полюс»": "Invoice of the month before last is unpaid."}
_JOINED_LATE: Final = {"Camden Cycles": 52, "Therme Sonnhof": 40, "Zarasai Farm": 24, "Porto Delivery": 63}


def customers(size: WorldSize) -> tuple[Customer, ...]:
    """The companies, largest first; their sizes follow Zipf's law. More than 60 get numbered names."""
    named = [
        ((place + 1) / len(group), name, country, trade, seller)
        for seller, group in _NAMES.items()
        for place, (name, country, trade) in enumerate(group)
    ]
    ranked = [entry[1:] for entry in sorted(named)]
    ranked += [_numbered(number) for number in range(len(ranked), size.companies)]
    return tuple(_customer(rank, *entry) for rank, entry in enumerate(ranked[: size.companies], start=1))


def _numbered(number: int) -> tuple[str, str, str, str]:
    seller = SELLERS[number % len(SELLERS)]
    country = seller.countries[number % len(seller.countries)]
    return f"Customer {number + 1:05d}", country, _TRADES[number % len(_TRADES)], seller.code


def _customer(rank: int, name: str, country: str, trade: str, seller: str) -> Customer:
    return Customer(
        code=f"C-{rank:03d}",
        name=name,
        seller=seller,
        time_zone=_ZONES[country],
        country=country,
        trade=trade,
        weight=1 / (rank + 1.5),
        joined_days_ago=_JOINED_LATE.get(name, 100),
        moved=_MOVED.get(name),
        blocked=_BLOCKED.get(name, ""),
    )
