"""Every address of Twin, from the apps that answer them."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("twin.api.urls")),
    path("", include("twin.portal.urls")),
]

handler400 = "twin.portal.views.errors.bad_request"
handler403 = "twin.portal.views.errors.permission_denied"
handler404 = "twin.portal.views.errors.page_not_found"
handler429 = "twin.portal.views.errors.too_many_requests"
handler500 = "twin.portal.views.errors.server_error"
