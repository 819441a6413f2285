"""What companies refuse, each by its own name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime

from twin.kernel.errors import Clash, FieldError, Forbidden, Invalid, NotFound, TwinError


class CompanyNotFound(NotFound):
    """The company does not exist or lies outside the scope."""


class NotInitialised(TwinError):
    """There is no platform company yet."""


class PlatformExists(Clash):
    """The installation already has its platform company."""


class PermissionMissing(Forbidden):
    """The key or the role lacks the permission."""


class CompanyInactive(Forbidden):
    """The company is blocked or closed; its keys and people have no access.

    `company_id` is the company and `key_id` the key that was refused, where it was one.
    """

    def __init__(self, message: str, company_id: int, key_id: int | None = None) -> None:
        super().__init__(message)
        self.company_id = company_id
        self.key_id = key_id


class NotYours(Forbidden):
    """Only an organisation above the company may do this."""


class MembershipLoop(Clash):
    """The company would come to lie beneath itself."""


class MembershipTooEarly(Clash):
    """The instant is not later than the start of the last membership.

    `earliest` would be, usage permitting; None where a move is planned that the asker may not know.
    """

    def __init__(self, message: str, earliest: datetime | None = None) -> None:
        super().__init__(message)
        self.earliest = earliest


class CompanyInvalid(Invalid):
    """The description of a company cannot be used."""


class KeyInvalid(Invalid):
    """The description of an API key cannot be used."""


class EmployeeInvalid(Invalid):
    """The description of an employee or of an invitation cannot be used."""


class EmployeeNotFound(NotFound):
    """The person does not work for the company, or the company lies outside the scope."""


class AlreadyEmployed(Clash):
    """The person works for the company already, perhaps blocked."""


class LastAdministrator(Clash):
    """The company would be left without an active administrator."""


class NotYourself(Clash):
    """Nobody does this to themselves; another administrator can."""


class InvitationNotFound(NotFound):
    """The company has no such open invitation."""


class InvitationUnusable(NotFound):
    """The invitation never was, is used, expired or withdrawn: a stranger is not told which."""


class InvitationForAnother(Forbidden):
    """The invitation is bound to another email address."""


class EmployedElsewhere(Clash):
    """The person works for another company and cannot join a second one."""


class InvitedTooOften(Clash):
    """The company, or this invitation, has sent as many mails as it may for now."""


class ActingInvalid(Invalid):
    """Nobody acts for a company without saying why."""


class ActingRefused(Forbidden):
    """Not for this company: it is not the asker's to act for, or it is blocked or closed."""


class NotWhileActing(Forbidden):
    """This stays with the company's own people: whoever acts in their place may not do it."""


class AttachmentNotFound(NotFound):
    """The reseller has no such invitation that waits."""


class AttachmentUnusable(NotFound):
    """The invitation cannot be accepted: unknown, used, declined, withdrawn, expired, or its reseller is blocked."""


class AttachmentForAnother(Forbidden):
    """The invitation is bound to another email address."""


class AttachmentDeclined(Clash):
    """The address declined not long ago and is left alone for a while."""


class NeedsAdministrator(Forbidden):
    """Only an administrator of the company may decide this."""


class AlreadyAttached(Clash):
    """The company buys from a reseller already."""


class ResellersAreMoved(Clash):
    """A reseller has companies of its own; only the platform puts it elsewhere."""


@dataclasses.dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field and how to mend it: a sentence to translate, `parts` fill its gaps."""

    field: str
    message: str
    parts: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """In English, for logs and machines."""
        return self.message % self.parts


class InformationInvalid(CompanyInvalid):
    """Company information cannot be saved as it is; `problems` names each field and its mend."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__(
            f"Company information was not saved: {problems[0].field}: {problems[0].sentence}",
            [FieldError((problem.field,), problem.sentence) for problem in problems],
        )
        self.problems = tuple(problems)


class InformationChanged(Clash):
    """Somebody else saved after the asker began to write; nothing was saved over it."""
