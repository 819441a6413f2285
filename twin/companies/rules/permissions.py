"""What a role may do, in the words of key scopes."""

from __future__ import annotations

from twin.companies.types import PERMISSIONS, USAGE_WRITE, CompanyKind, Role

_FINANCE = frozenset({"reports:read", "companies:read", "prices:read", "billing:read"})


def permissions_of(role: Role, kind: CompanyKind) -> frozenset[str]:
    """The permissions of a role at a company of that kind; sending usage is the platform's alone."""
    if role == "administrator":
        return frozenset(PERMISSIONS) if kind == "platform" else frozenset(PERMISSIONS) - {USAGE_WRITE}
    return _FINANCE if role == "finance" else frozenset()
