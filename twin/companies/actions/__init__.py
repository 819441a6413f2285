"""What companies does: grow and change the tree, employ people, give out keys."""

from twin.companies.actions.acting import begin_acting, end_acting
from twin.companies.actions.attachments import (
    company_to_attach,
    decline_attachment,
    invite_company,
    resend_attachment,
    take_up_attachment,
    withdraw_attachment,
)
from twin.companies.actions.employees import (
    add_employee,
    block_employee,
    change_role,
    end_employee_sessions,
    remove_employee,
    set_max_dialogs,
    unblock_employee,
)
from twin.companies.actions.founding import create_companies
from twin.companies.actions.information import (
    discard_information_draft,
    keep_information_draft,
    save_information,
)
from twin.companies.actions.invitations import (
    INVITATION_PATH,
    accept_invitation,
    invite_person,
    may_move_over,
    resend_invitation,
    withdraw_invitation,
)
from twin.companies.actions.keys import create_api_key, revoke_api_key
from twin.companies.actions.mails import ATTACHMENT_PATH, tell_of_attaching
from twin.companies.actions.second_factor import demand_second_factor
from twin.companies.actions.tree import (
    UNSET,
    create_company,
    create_platform,
    record_move,
    update_company,
)

__all__ = [
    "ATTACHMENT_PATH",
    "INVITATION_PATH",
    "UNSET",
    "accept_invitation",
    "add_employee",
    "begin_acting",
    "block_employee",
    "change_role",
    "company_to_attach",
    "create_api_key",
    "create_companies",
    "create_company",
    "create_platform",
    "decline_attachment",
    "demand_second_factor",
    "discard_information_draft",
    "end_acting",
    "end_employee_sessions",
    "invite_company",
    "invite_person",
    "keep_information_draft",
    "may_move_over",
    "record_move",
    "remove_employee",
    "resend_attachment",
    "resend_invitation",
    "revoke_api_key",
    "save_information",
    "set_max_dialogs",
    "take_up_attachment",
    "tell_of_attaching",
    "unblock_employee",
    "update_company",
    "withdraw_attachment",
    "withdraw_invitation",
]
