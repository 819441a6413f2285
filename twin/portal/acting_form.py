"""The form that begins acting for a company."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from twin.companies.rules.acting import LONGEST_REASON


class ActingForm(forms.Form):
    """Why, and whether to change anything."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        help_text=_("The company reads it, in the mail and in its audit. A ticket's number is a good one."),
        error_messages={"required": _("Give a reason of 1 to 500 characters.")},
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    way = forms.ChoiceField(
        label=_("What you will do"),
        choices=(("look", _("Only look")), ("change", _("Look, and change things"))),
        initial="look",
        widget=forms.RadioSelect,
    )

    @property
    def may_write(self) -> bool:
        return bool(self.cleaned_data["way"] == "change")
