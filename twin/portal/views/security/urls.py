"""Addresses of the security page and of what signing in asks beside the password."""

from __future__ import annotations

from django.urls import path

from twin.portal.views.security import factors, overview, profile, resetting, signing_in

pages = [
    path("security", overview.overview, name="security"),
    path("security/profile", profile.profile, name="security_profile"),
    path("security/password", profile.password, name="security_password"),
    path("security/email", profile.email, name="security_email"),
    path("security/email/code", profile.email_code, name="security_email_code"),
    path("security/phone", profile.phone, name="security_phone"),
    path("security/phone/code", profile.phone_code, name="security_phone_code"),
    path("security/<slug:purpose>/resend", profile.resend, name="security_resend"),
    path("security/second-factor", factors.choose, name="second_factor"),
    path("security/second-factor/<int:factor_id>/remove", factors.remove, name="remove_factor"),
    path("security/second-factor/everybody", factors.demand, name="demand_second_factor"),
    path("security/authenticator", factors.app, name="security_app"),
    path("security/passkeys/add", factors.add_passkey, name="add_passkey"),
    path("security/passkeys/<int:passkey_id>/rename", factors.rename_passkey, name="rename_passkey"),
    path("security/recovery-codes", factors.recovery_codes, name="recovery_codes"),
    path("security/recovery-codes/download", factors.download_recovery_codes, name="download_recovery_codes"),
    path("security/recovery-codes/renew", factors.renew_recovery_codes, name="renew_recovery_codes"),
    path("security/sessions/<int:session_id>/end", overview.end_session, name="end_session"),
    path("security/sessions/end-others", overview.end_other_sessions, name="end_other_sessions"),
    path("users/<int:company_id>/<int:person_id>/second-factor", resetting.start, name="start_factor_reset"),
    path("second-factor-reset", resetting.prove, name="factor_reset"),
    path("second-factor-reset/code", resetting.code, name="factor_reset_code"),
    path("second-factor-reset/<str:key>", resetting.follow, name="factor_reset_link"),
]
# The names allauth looks for.
allauth_pages = [
    path("login/second-factor", signing_in.SecondFactor.as_view(), name="mfa_authenticate"),
    path("login/passkey", signing_in.PasskeySignIn.as_view(), name="mfa_login_webauthn"),
    path("security/confirm", signing_in.ConfirmByPassword.as_view(), name="account_reauthenticate"),
    path("security/confirm/code", signing_in.ConfirmByCode.as_view(), name="mfa_reauthenticate"),
    path("security/confirm/passkey", signing_in.ConfirmByPasskey.as_view(), name="mfa_reauthenticate_webauthn"),
]
