"""What crosses the border of companies: frozen, complete, free of the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from twin.companies.errors import PermissionMissing

CompanyKind = Literal["platform", "reseller", "company"]
ScopeKind = Literal["platform", "reseller", "company", "system"]
CompanyState = Literal["active", "blocked", "closed"]
Role = Literal["administrator", "finance", "chat_operator"]

USAGE_WRITE: Final = "usage:write"
REPORTS_READ: Final = "reports:read"
COMPANIES_READ: Final = "companies:read"
COMPANIES_WRITE: Final = "companies:write"
PRICES_READ: Final = "prices:read"
PRICES_WRITE: Final = "prices:write"
PERMISSIONS: Final = (USAGE_WRITE, REPORTS_READ, COMPANIES_READ, COMPANIES_WRITE, PRICES_READ, PRICES_WRITE)


@dataclass(frozen=True, slots=True)
class Scope:
    """Who asks, for which organisation, with which permissions.

    Built by `twin.companies.access` only. `kind` is the organisation's; "system" belongs to
    loaders that read every tenant over the writer connection and to nobody else.
    """

    organisation_id: int
    kind: ScopeKind
    permissions: frozenset[str]
    person_id: int | None = None

    def require(self, permission: str) -> None:
        """Raise `PermissionMissing` (403) unless the permission is held."""
        if permission not in self.permissions:
            raise PermissionMissing(f"This needs the permission {permission}, which the key or role does not have.")


@dataclass(frozen=True, slots=True)
class Company:
    """A node of the tree as it is now; `parent_id` and `existed_from` are None for the platform only.

    A company whose membership has not begun yet shows its first parent.
    """

    id: int
    kind: CompanyKind
    name: str
    parent_id: int | None
    time_zone: str
    currency: str
    state: CompanyState
    state_reason: str
    external_id: str | None
    closed_at: datetime | None
    existed_from: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of companies in the order of their ids; `next_cursor` is None on the last."""

    items: tuple[Company, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Membership:
    """From `start` on the company lies directly under the parent, until its next membership starts."""

    company_id: int
    parent_id: int
    start: datetime


@dataclass(frozen=True, slots=True)
class Segment:
    """Half-open span in which the chain of sellers above a company does not change.

    None as `start` or `end` means without beginning or end. `sellers` runs from the direct
    seller upwards to the platform; the platform itself has none.
    """

    start: datetime | None
    end: datetime | None
    sellers: tuple[int, ...]

    def __contains__(self, moment: datetime) -> bool:
        return (self.start is None or self.start <= moment) and (self.end is None or moment < self.end)


@dataclass(frozen=True, slots=True)
class TreeSnapshot:
    """The whole tree with its history as of one version of the catalogue.

    `lineages` hold for every instant; `Company.parent_id` is the parent at the moment of
    reading, and names may be renamed without a new version: price by `lineages`, never by them.
    """

    version: int
    companies: Mapping[int, Company]
    lineages: Mapping[int, tuple[Segment, ...]]


@dataclass(frozen=True, slots=True)
class Dependent:
    """A company that lay beneath an organisation within a period; `path` names the resellers between, top-down."""

    company_id: int
    name: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stay:
    """A company's half-open time in one place of the tree; None means without beginning or end."""

    company_id: int
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class CatalogueChange:
    """Proof that this transaction holds the exclusive lock on the version of tree and prices.

    Made by `twin.companies.catalogue.catalogue_change` only; valid until its block ends.
    """

    version: int


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret; `prefix` is the part a person may recognise it by."""

    id: int
    company_id: int
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Employment:
    """A person works for a company in a role; the state is the company's."""

    person_id: int
    company_id: int
    company_kind: CompanyKind
    company_name: str
    role: Role
    state: CompanyState
    state_reason: str = field(default="")
