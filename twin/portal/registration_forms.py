"""The forms of registration and recovery: what is asked and in which words it is refused."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from twin.accounts.actions import LONGEST_EMAIL, checked_email
from twin.accounts.errors import EmailUnusable, PasswordTooWeak
from twin.accounts.passwords import refuse_weak_password
from twin.accounts.validators import SENTENCES
from twin.kernel.text import TextUnusable, clean_text
from twin.portal.fields import CodeField, PhoneField, TimeZoneField

_REQUIRED: Final = {"required": _("Needed to create an account")}
PASSWORD_HINT: Final = _("At least 12 characters, better 15; a few unrelated words work well.")


class NameField(forms.CharField):
    """A person's name as it may be stored and shown."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            label=pgettext_lazy("name of a person", "Name"),
            max_length=200,
            widget=forms.TextInput(attrs={"autocomplete": "name"}),
            **options,
        )

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        try:
            return clean_text(text, field="name", longest=200)
        except TextUnusable:
            raise forms.ValidationError(_("The name holds characters that cannot be used.")) from None


class EmailField(forms.CharField):
    """An address in the form it is kept in."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            label=_("Email"),
            max_length=LONGEST_EMAIL,
            widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false", "autocapitalize": "none"}),
            **options,
        )

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        try:
            return checked_email(text)
        except EmailUnusable:
            raise forms.ValidationError(_("This is not an email address, such as name@example.com.")) from None


class NewPasswordField(forms.CharField):
    """A password to be chosen; nothing of it is cut or folded."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            label=_("Password"),
            strip=False,
            help_text=PASSWORD_HINT,
            widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=False),
            **options,
        )


class ChecksPassword(forms.Form):
    """A form with a new `password`, judged together with what else is known of the person."""

    def context(self) -> list[str]:
        cleaned = self.cleaned_data
        return [str(cleaned.get(name) or "") for name in ("email", "name", "phone")]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("password"):
            try:
                refuse_weak_password(cleaned["password"], self.context())
            except PasswordTooWeak as error:
                self.add_error("password", str(SENTENCES[error.reason]))
        return cleaned


class ConsentFields(forms.Form):
    """Both consents, unticked and needed; the template links the texts."""

    terms = forms.BooleanField(error_messages=_REQUIRED)
    personal_data = forms.BooleanField(error_messages=_REQUIRED)


class DetailsForm(ChecksPassword, ConsentFields):
    """The first step."""

    name = NameField()
    email = EmailField(help_text=_("We send a code here first, then to your phone."))
    password = NewPasswordField()
    phone = PhoneField(label=_("Phone number"))
    time_zone = TimeZoneField(label=_("Time zone"))


class EmailCodeForm(forms.Form):
    code = CodeField(label=_("Code from the mail"))


class PhoneCodeForm(forms.Form):
    code = CodeField(label=_("Code from the SMS"))


class PhoneForm(forms.Form):
    phone = PhoneField(label=_("Phone number"))


class RecoveryForm(forms.Form):
    email = EmailField()


class NewPasswordForm(ChecksPassword):
    """`known` is what is known of the person whose password it becomes."""

    password = NewPasswordField()

    def __init__(self, *args: Any, known: list[str], **options: Any) -> None:
        super().__init__(*args, **options)
        self._known = known
        self.fields["password"].label = _("New password")

    def context(self) -> list[str]:
        return self._known
