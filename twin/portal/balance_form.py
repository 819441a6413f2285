"""The forms about money that moves: top-ups, payments, refunds, the terms of an account, a bank file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from twin.billing.rules.bank import MOST_LETTERS
from twin.billing.rules.rounding import minor_text, typed_minor
from twin.billing.types import Account, OpenInvoice
from twin.kernel.errors import Invalid
from twin.kernel.period import local_instant

_LONGEST_REFERENCE: Final = 140
_LONGEST_NOTE: Final = 500


class MoneyField(forms.CharField):
    """An amount as people write it, with a point or a comma; gives minor units, None where nothing was typed."""

    def __init__(self, *, currency: str, **options: Any) -> None:
        super().__init__(
            max_length=30, widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off"}), **options
        )
        self._currency = currency

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            found = typed_minor(text, self._currency)
        except Invalid:
            raise ValidationError(_("Write an amount such as 1250 or 1250.50."), code="amount") from None
        if found < 0:
            raise ValidationError(_("The amount cannot be less than nothing."), code="amount")
        return found


class TopUpForm(forms.Form):
    """How much is to be paid in advance."""

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"] = MoneyField(
            label=_("Amount"),
            currency=currency,
            help_text=_("You get a document to pay by. The balance grows when the payment has come."),
        )


class _MoveForm(forms.Form):
    """Money that moved on a day of the seller's zone."""

    def __init__(self, *args: Any, currency: str, zone: ZoneInfo, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._zone = zone
        self.fields["amount"] = MoneyField(label=_("Amount"), currency=currency)
        self.fields["on"] = forms.DateField(
            label=_("Day of the payment"),
            initial=today,
            widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
            error_messages={"invalid": _("Write the day like 2026-10-01.")},
        )
        self.fields["reference"] = forms.CharField(
            label=pgettext_lazy("of a payment", "Reference"),
            required=False,
            max_length=_LONGEST_REFERENCE,
            help_text=_("As the bank tells it."),
        )
        self.fields["note"] = forms.CharField(
            label=_("Note"), required=False, max_length=_LONGEST_NOTE, help_text=_("Only your own people read it.")
        )

    @property
    def at(self) -> datetime:
        """The first instant of the day."""
        return local_instant(self.cleaned_data["on"], self._zone).astimezone(UTC)


class PaymentForm(_MoveForm):
    """What a company paid, and for which invoice first."""

    def __init__(self, *args: Any, wanting: Sequence[OpenInvoice], asks_again: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: list[tuple[str, Any]] = [("", _("Those due first"))]
        choices += [(str(one.id), f"{one.code} · {minor_text(one.open_minor, one.currency)}") for one in wanting]
        self.fields["invoice"] = forms.ChoiceField(label=_("Settles first"), required=False, choices=choices)
        self.fields["again"] = forms.BooleanField(
            label=_("It is another payment: record it too"),
            required=False,
            widget=forms.CheckboxInput() if asks_again else forms.HiddenInput(),
        )

    @property
    def invoices(self) -> tuple[int, ...]:
        chosen = self.cleaned_data["invoice"]
        return (int(chosen),) if chosen else ()

    def ask_again(self) -> None:
        """Offer to record an equal payment as another one."""
        self.fields["again"].widget = forms.CheckboxInput()


class RefundForm(_MoveForm):
    """Money given back."""


class ReverseForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=_LONGEST_NOTE)


class AccountForm(forms.Form):
    """How a company pays and how far."""

    mode = forms.ChoiceField(
        label=pgettext_lazy("of an account", "How it pays"),
        choices=(("postpaid", _("afterwards, by invoice")), ("prepaid", _("in advance"))),
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, account: Account, currency: str, **kwargs: Any) -> None:
        limit = account.credit_limit_minor
        kwargs["initial"] = {
            "mode": account.mode,
            "credit_limit": "" if limit is None else minor_text(limit, currency),
            "warnings": ", ".join(map(str, account.warn_percents)),
        }
        super().__init__(*args, **kwargs)
        self.fields["credit_limit"] = MoneyField(
            label=_("Credit limit"),
            currency=currency,
            required=False,
            help_text=_("How far the balance may go below zero. Empty: without limit; in advance: 0."),
        )
        self.fields["warnings"] = forms.CharField(
            label=_("Warnings"),
            required=False,
            max_length=60,
            help_text=_("At which per cent of what may be spent a mail goes out, such as 80, 100."),
        )

    def clean_warnings(self) -> list[int]:
        parts = [part.strip().removesuffix("%").strip() for part in self.cleaned_data["warnings"].split(",")]
        found = [part for part in parts if part]
        is_whole = all(part.isascii() and part.isdigit() and 1 <= int(part) <= 1000 for part in found if len(part) < 5)
        if not is_whole or any(len(part) > 4 for part in found) or len(found) > 10:
            raise ValidationError(_("Write up to ten whole numbers from 1 to 1000, parted by commas."), code="warnings")
        return [int(part) for part in found]


class BankFileForm(forms.Form):
    """The file of a bank, as it was saved."""

    file = forms.FileField(
        label=_("Bank file"),
        widget=forms.ClearableFileInput({"accept": ".csv,text/csv"}),
        help_text=_("CSV with the columns date, amount, currency, payer, reference, id; the first two are needed."),
        error_messages={"empty": _("The file is empty."), "required": _("Choose a file.")},
    )

    def clean_file(self) -> str:
        given = self.cleaned_data["file"]
        if given.size > 4 * MOST_LETTERS:
            raise ValidationError(_("The file is too large. Take fewer days."), code="large")
        try:
            return str(given.read().decode("utf-8-sig"))
        except UnicodeDecodeError:
            raise ValidationError(_("The file is not text in UTF-8. Save it so and try again."), code="text") from None
