"""The forms of a statement that waits for somebody's word."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from twin.billing.actions.deciding import LONGEST_REASON
from twin.portal.statement_page import POLICY_WORDS


class SignOffForm(forms.Form):
    """Why it is closed although usage lacks a price."""

    reason = forms.CharField(
        label=_("Why may it be closed without these prices?"),
        max_length=LONGEST_REASON,
        help_text=_("It stands on the statement. What is priced later comes onto a later statement."),
    )


class LateForm(forms.Form):
    """What becomes of late usage."""

    policy = forms.ChoiceField(
        label=_("What becomes of it"), choices=list(POLICY_WORDS.items()), widget=forms.RadioSelect
    )
