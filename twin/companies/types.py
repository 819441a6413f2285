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
AttachmentState = Literal["open", "accepted", "declined", "withdrawn", "expired", "suspended"]
ActingEnd = Literal["person", "time", "right", "leaving"]

USAGE_WRITE: Final = "usage:write"
REPORTS_READ: Final = "reports:read"
COMPANIES_READ: Final = "companies:read"
COMPANIES_WRITE: Final = "companies:write"
PRICES_READ: Final = "prices:read"
PRICES_WRITE: Final = "prices:write"
BILLING_READ: Final = "billing:read"
BILLING_WRITE: Final = "billing:write"
PERMISSIONS: Final = (
    USAGE_WRITE,
    REPORTS_READ,
    COMPANIES_READ,
    COMPANIES_WRITE,
    PRICES_READ,
    PRICES_WRITE,
    BILLING_READ,
    BILLING_WRITE,
)


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
    # By which key it asks: of interest to the record only.
    key_id: int | None = field(default=None, compare=False)
    # The person acts for the organisation in its administrator's place; see `Acting`.
    acting_id: int | None = None

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
class NewCompany:
    """A company as it is asked for; `effective_from` None means now."""

    name: str
    kind: str
    time_zone: str
    external_id: str | None = None
    effective_from: datetime | None = None


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
    """A key without its secret; `prefix` is the part a person may recognise it by.

    `created_by` names the person who made it, where `keys_of` tells of it; empty for the operator.
    """

    id: int
    company_id: int
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    created_by: str = ""


@dataclass(frozen=True, slots=True)
class Employment:
    """A person works for a company in a role; the state is the company's.

    `is_informed`: all necessary company information was given. `needs_second_factor`: the
    company demands one of all its people.
    """

    person_id: int
    company_id: int
    company_kind: CompanyKind
    company_name: str
    role: Role
    state: CompanyState
    state_reason: str = field(default="")
    is_informed: bool = field(default=False)
    needs_second_factor: bool = field(default=False)


@dataclass(frozen=True, slots=True)
class Employee:
    """A person at a company, as those who manage people see them.

    `max_dialogs` is the person's own limit; None leaves it to the company's default, and
    `effective_max_dialogs` is what counts.
    """

    person_id: int
    company_id: int
    company_name: str
    name: str
    email: str
    role: Role
    max_dialogs: int | None
    effective_max_dialogs: int
    employed_at: datetime
    last_login_at: datetime | None
    blocked_at: datetime | None
    blocked_reason: str
    blocked_by: str

    @property
    def is_blocked(self) -> bool:
        return self.blocked_at is not None


@dataclass(frozen=True, slots=True)
class EmployeePage:
    """One page of people; of all that were looked for, how many are in the wanted state, in any, and blocked."""

    items: tuple[Employee, ...]
    total: int
    everybody: int
    blocked: int


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that waits, or has expired waiting; the secret of its link is nowhere kept."""

    id: int
    company_id: int
    company_name: str
    email: str
    name: str
    role: Role
    invited_by: str
    created_at: datetime
    sent_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """What the holder of an invitation's link is told before joining."""

    invitation_id: int
    company_id: int
    company_name: str
    company_kind: CompanyKind
    email: str
    name: str
    role: Role
    invited_by: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Dismissal:
    """Why a person who once worked here has no access: the company, and whether blocked or removed."""

    company_name: str
    is_blocked: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Address:
    """As invoices print it; `country` is ISO 3166-1 alpha-2."""

    street: str
    city: str
    region: str
    postal_code: str
    country: str


@dataclass(frozen=True, slots=True)
class CompanyInformation:
    """What a company told of itself: `values` by field name, as `rules.information` lists them.

    `version` 0 means that nobody saved anything yet. Details of other countries than the
    company's are kept in `values` and count for nothing.
    """

    company_id: int
    version: int
    is_complete: bool
    values: Mapping[str, str]
    changed_at: datetime | None

    @property
    def max_dialogs(self) -> int:
        return int(self.values["max_dialogs"])

    @property
    def legal_address(self) -> Address:
        return self._address("legal", self.values["country"])

    @property
    def postal_address(self) -> Address:
        """Where letters go: the legal address unless another was given."""
        if self.values["postal_same"] or not self.values["postal_street"]:
            return self.legal_address
        return self._address("postal", self.values["postal_country"] or self.values["country"])

    def _address(self, which: str, country: str) -> Address:
        street, city, region, code = (
            self.values[f"{which}_{part}"] for part in ("street", "city", "region", "postal_code")
        )
        return Address(street, city, region, code, country)


@dataclass(frozen=True, slots=True)
class InformationDraft:
    """What a person typed and has not saved, and the version they saw when they began."""

    base_version: int
    typed: Mapping[str, str]
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class InformationChange:
    """Who changed which fields of the information, when; `by` is empty for keys and the console."""

    version: int
    changed_at: datetime
    by: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Merge:
    """What two people made of one beginning: the values together, and what the other one made of the same fields."""

    values: Mapping[str, str]
    conflicts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person who works at the same organisation, as everybody there may know them."""

    person_id: int
    name: str
    email: str
    role: Role


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """What the record of security says: when, what, who did it, at which company, from where.

    `about` names the person it was done to, where it was one; `names` those companies in the fields that the
    reader sees. Empty texts are unknown.
    """

    id: int
    at: datetime
    event: str
    person_id: int | None
    person: str
    company_id: int | None
    company: str
    address: str
    fields: Mapping[str, object]
    about: str
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordPage:
    """Events, newest first; `next` is where the page after goes on, None on the last."""

    items: tuple[RecordedEvent, ...]
    next: tuple[datetime, int] | None


@dataclass(frozen=True, slots=True)
class Acting:
    """A person acts for a company in its administrator's place: who, from where, for whom, why, how long."""

    id: int
    person_id: int
    organisation_id: int
    organisation_name: str
    company_id: int
    company_name: str
    company_kind: CompanyKind
    reason: str
    may_write: bool
    started_at: datetime
    expires_at: datetime
    is_informed: bool
    needs_second_factor: bool


@dataclass(frozen=True, slots=True)
class Attachment:
    """A reseller's invitation to a company that nobody has accepted, and what became of it."""

    id: int
    email: str
    invited_by: str
    sent_at: datetime
    expires_at: datetime
    state: AttachmentState


@dataclass(frozen=True, slots=True)
class AttachmentOffer:
    """What the holder of such an invitation's link is told."""

    attachment_id: int
    seller_id: int
    seller_name: str
    email: str
    invited_by: str
    expires_at: datetime
    state: AttachmentState


@dataclass(frozen=True, slots=True)
class Attaching:
    """An invitation just taken up: which company goes to which reseller."""

    attachment_id: int
    company_id: int
    company_name: str
    seller_id: int
    seller_name: str
    person_id: int


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody a mail goes to, and their language."""

    email: str
    name: str
    language: str
