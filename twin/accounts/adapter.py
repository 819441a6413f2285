"""django-allauth speaks to Twin through this adapter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from twin.accounts.models import User
from twin.kernel.addresses import address_of
from twin.kernel.security_log import record


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Sign-in by email; registration, recovery and changes of addresses are Twin's own actions."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": gettext_lazy("The email or the password is not right."),
        "too_many_login_attempts": gettext_lazy(
            "Too many tries. Wait five minutes, sign in with a passkey, or recover your password: that works at once."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's signature
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_of(request)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Noted with the person whose address was tried, so that their administrators see it."""
        email = str(credentials.get("email", ""))
        known = User.objects.filter(email=email.lower()).values_list("pk", flat=True).first()
        record("sign_in_failed", user_id=known, address=address_of(request), email=email)

    def pre_login(self, request: HttpRequest, user: User, **hook: Any) -> HttpResponse | None:
        """Reached with the right password or passkey only, so a reason may be told."""
        refusal = _refusal(user)
        if refusal is not None:
            record("sign_in_refused", user_id=user.pk, address=address_of(request))
            messages.error(request, refusal)
            return HttpResponseRedirect(reverse("account_login"))
        answer: HttpResponse | None = super().pre_login(request, user, **hook)
        return answer

    def post_login(self, request: HttpRequest, user: User, **hook: Any) -> HttpResponse:
        record("signed_in", user_id=user.pk, address=address_of(request))
        answer: HttpResponse = super().post_login(request, user, **hook)
        return answer

    def logout(self, request: HttpRequest) -> None:
        if request.user.is_authenticated:
            record("signed_out", user_id=request.user.pk, address=address_of(request))
        super().logout(request)

    def forget_failures(self, request: HttpRequest, email: str) -> None:
        """Whoever chose a new password by a link to the mailbox may sign in at once."""
        self._delete_login_attempts_cached_email(request, email=email)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:  # noqa: ARG002 - allauth's signature
        # Not by the host of the request as allauth does: each of our names would have tries of its own.
        return f"twin:{str(credentials.get('email', '')).lower()}"


def _refusal(user: User) -> str | None:
    """Why somebody who proved who they are may still not come in; floors above know more reasons."""
    if not user.is_active:
        return _("This account is switched off. Ask an administrator of your company.")
    source: str = getattr(settings, "SIGN_IN_REFUSAL", "")
    ask: Callable[[User], str | None] | None = import_string(source) if source else None
    return ask(user) if ask else None
