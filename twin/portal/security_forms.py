"""The forms of the security page, and the words for what accounts refuse."""

from __future__ import annotations

from typing import Final

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from twin.accounts import errors
from twin.kernel.errors import TwinError
from twin.portal.fields import CodeField, PhoneField, TimeZoneField
from twin.portal.registration_forms import PASSWORD_HINT, EmailField, NameField

REFUSALS: Final[dict[type[TwinError], Promise]] = {
    errors.PasswordWrong: _("This is not your current password."),
    errors.PasswordUnchanged: _("This is your current password: choose another one."),
    errors.CodeWrong: _("This code does not fit. Enter the one the app shows now."),
    errors.FactorTaken: _("An authenticator app is set up already. Remove it first to set up another one."),
    errors.FactorNeeded: _("A second factor is demanded of you: add another one before you remove this one."),
    errors.FactorUnknown: _("This second factor is not there any more."),
    errors.EmailTaken: _("This address cannot be used any more. Start again with another one."),
    errors.ContactUnchanged: _("This is what your account has already."),
    errors.ResendsUsedUp: _("No more codes can be sent here. Start again."),
    errors.ChallengeNotFound: _("No code is under way any more. Start again."),
}


def refusal_words(error: TwinError) -> str:
    """The refusal in the active language."""
    return str(REFUSALS.get(type(error), error))


class ProfileForm(forms.Form):
    name = NameField()
    time_zone = TimeZoneField(label=_("Time zone"), help_text=_("Times that concern you are shown in it."))


class EmailForm(forms.Form):
    email = EmailField(help_text=_("We send a code there. Until it is typed in, your address stays as it is."))


class PhoneForm(forms.Form):
    phone = PhoneField(
        label=_("Phone number"), help_text=_("We send a code there by SMS. Until it is typed in, your number stays.")
    )


def code_widget() -> forms.TextInput:
    """One field for a code of an app or a recovery code: pasteable, offered by password managers."""
    return forms.TextInput({"autocomplete": "one-time-code", "inputmode": "numeric", "class": "code-input"})


class CodeForm(forms.Form):
    code = CodeField(label=_("Code"))


class PasswordForm(forms.Form):
    current = forms.CharField(
        label=_("Current password"), strip=False, widget=forms.PasswordInput({"autocomplete": "current-password"})
    )
    new = forms.CharField(
        label=_("New password"),
        strip=False,
        help_text=PASSWORD_HINT,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )


class OwnPasswordForm(forms.Form):
    password = forms.CharField(
        label=_("Password"), strip=False, widget=forms.PasswordInput({"autocomplete": "current-password"})
    )


class PasskeyNameForm(forms.Form):
    name = forms.CharField(
        label=pgettext_lazy("of a passkey", "Name"),
        max_length=60,
        help_text=_("By which you know it again: “Work laptop”, “Blue key”."),
    )


class AppCodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code shown by the app"),
        max_length=20,
        widget=code_widget(),
    )


class PasskeyForm(PasskeyNameForm):
    credential = forms.JSONField(widget=forms.HiddenInput)
