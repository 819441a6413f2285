"""Who else works in the demonstration world: people that fill its lists and do not sign in."""

from __future__ import annotations

from typing import Final

from twin.demo.rules.cast import BALTIC, NORTH, RHEA
from twin.demo.types import Colleague, Guest

_ADMINISTRATOR: Final = "administrator"
_FINANCE: Final = "finance"
_OPERATOR: Final = "chat_operator"

COLLEAGUES: Final = (
    Colleague("", "Mia Holm", "mia@twin.example", _FINANCE),
    Colleague(RHEA, "Peter Hahn", "peter@rhea.example", _ADMINISTRATOR),
    Colleague(RHEA, "Clara Neumann", "clara@rhea.example", _FINANCE),
    Colleague(BALTIC, "Elīna Kalniņa", "elina@baltic.example", _FINANCE),
    Colleague(NORTH, "Дмитрий Орлов", "dmitri@sever.example", _FINANCE, language="ru"),
    Colleague("C-001", "Jonas Keller", "jonas@nordlicht.example", _FINANCE),
    Colleague("C-001", "Lea Brandt", "lea@nordlicht.example", _OPERATOR, max_dialogs=12),
    Colleague("C-001", "Tim Vogt", "tim@nordlicht.example", _OPERATOR),
    Colleague(
        "C-001",
        "Sofia Marin",
        "sofia@nordlicht.example",
        _OPERATOR,
        blocked="Has not been at work since October.",
    ),
    Colleague("C-002", "Māra Bērziņa", "mara@rigas-aptieka.example", _ADMINISTRATOR),
    Colleague("C-002", "Toms Liepa", "toms@rigas-aptieka.example", _OPERATOR, max_dialogs=40),
    Colleague("C-003", "Павел Лебедев", "pavel@vega.example", _ADMINISTRATOR, language="ru"),
    Colleague("C-003", "Мария Зайцева", "maria@vega.example", _OPERATOR, language="ru", max_dialogs=20),
    Colleague("C-004", "Helene Krüger", "helene@brandt.example", _ADMINISTRATOR),
    Colleague("C-004", "Ole Martens", "ole@brandt.example", _OPERATOR),
    Colleague("C-005", "Andris Ozoliņš", "andris@baltijas-banka.example", _ADMINISTRATOR),
    Colleague("C-006", "Ina Wolff", "ina@elbe-logistik.example", _ADMINISTRATOR),
    Colleague("C-006", "Karl Ebert", "karl@elbe-logistik.example", _FINANCE),
    Colleague("C-007", "Anneliese Groß", "anneliese@paketdienst.example", _ADMINISTRATOR),
    Colleague("C-008", "Екатерина Морозова", "ekaterina@zdorovie.example", _ADMINISTRATOR, language="ru"),
    Colleague("C-008", "Игорь Волков", "igor@zdorovie.example", _OPERATOR, language="ru"),
)
# Invited by the reseller's administrator; the mail lies in the outbox, so that anybody may take it up.
GUEST: Final = Guest(RHEA, "Felix Sommer", "felix@rhea.example", _FINANCE)
