"""What browsers send for passkeys is read with suspicion: whatever is wrong with it is one refusal, never a failure."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn.forms import AuthenticateWebAuthnForm, LoginWebAuthnForm, ReauthenticateWebAuthnForm
from allauth.mfa.webauthn.internal import auth
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from fido2.utils import websafe_decode

from twin.accounts.mfa import passkey_host

# What the libraries below raise for bytes that are no credential, or one that was tampered with.
_UNREADABLE = (
    *(ArithmeticError, AttributeError, LookupError, TypeError, ValueError),
    *(InvalidSignature, UnsupportedAlgorithm, struct.error, RecursionError),
)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except _UNREADABLE as error:
        raise get_adapter().validation_error("incorrect_code") from error


def is_ours(credential: Any) -> bool:
    """Whether the page that asked the device stood at our own host.

    The specification lets every host beneath ours ask for our
    passkeys; we have no pages there.
    """
    signed = json.loads(websafe_decode(credential["response"]["clientDataJSON"]))
    origin = urlsplit(signed["origin"])
    is_safe = origin.scheme == "https" or origin.hostname == "localhost"
    return is_safe and origin.hostname == passkey_host() and not signed.get("crossOrigin")


def _refuse_foreign(credential: Any) -> None:
    if not is_ours(credential):
        raise ValueError("Asked for by a page that is not ours.")


def registered(credential: Any) -> dict[str, Any]:
    """A new credential, once it answers the challenge given out, for our address, its owner verified.

    Raises Django's `ValidationError` for anything else.
    """
    with _refusing():
        if not isinstance(credential, dict):
            raise TypeError("No credential.")
        _refuse_foreign(credential)
        auth.parse_registration_response(credential)
        if not auth.complete_registration(credential).is_user_verified():
            raise ValueError("The device did not verify its owner.")
        return credential


class SecondStepForm(AuthenticateWebAuthnForm):  # type: ignore[misc]  # allauth ships no types
    def clean_credential(self) -> Any:
        with _refusing():
            _refuse_foreign(self.cleaned_data["credential"])
            return super().clean_credential()


class SignInForm(LoginWebAuthnForm):  # type: ignore[misc]  # as above
    def clean_credential(self) -> Any:
        with _refusing():
            _refuse_foreign(self.cleaned_data["credential"])
            return super().clean_credential()


class ProofForm(ReauthenticateWebAuthnForm):  # type: ignore[misc]  # as above
    def clean_credential(self) -> Any:
        with _refusing():
            _refuse_foreign(self.cleaned_data["credential"])
            return super().clean_credential()
