"""Every address of Twin, from the apps that answer them."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("twin.api.urls")),
    path("", include("twin.portal.urls")),
]
