"""Addresses of the pages."""

from __future__ import annotations

from allauth.account.views import LogoutView
from django.urls import include, path

from twin.portal.views import people, preferences, reports

pages = [
    path("", people.home, name="home"),
    path("personal-account", people.personal_account, name="personal_account"),
    path("preferences/language", preferences.choose_language, name="language"),
    path("preferences/theme", preferences.choose_theme, name="theme"),
    path("reports/reseller-companies", reports.reseller_companies, name="reseller_companies"),
]
urlpatterns = [
    # The names allauth looks for.
    path("login", people.SignIn.as_view(), name="account_login"),
    path("logout", LogoutView.as_view(), name="account_logout"),
    path("", include((pages, "portal"))),
]
