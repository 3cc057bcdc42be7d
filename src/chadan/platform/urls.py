"""Every URL of the site (DESIGN §7)."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from chadan.ops import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("chadan.api.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("", include("chadan.accounts.urls")),
    path("", include("chadan.api.page_urls")),
    path("accounts/", include("allauth.urls")),
    path("", include("chadan.exports.urls")),
    path("", include("chadan.batches.urls")),
    path("", include("chadan.payments.urls")),
    path("", include("chadan.ops.urls")),
    path("", include("chadan.delivery.urls")),
    path("", include("chadan.money.urls")),
    path("", include("chadan.storefront.urls")),
    path("", include("chadan.tagging.urls")),
    path("", include("chadan.saved_views.urls")),
    path("", include("chadan.recall.urls")),
    path("", include("chadan.web.orders.urls")),
    path("", include("chadan.web.urls")),
]

handler400 = "chadan.web.error_pages.bad_request"
handler403 = "chadan.web.error_pages.forbidden"
handler404 = "chadan.web.error_pages.not_found"
handler429 = "chadan.web.error_pages.too_many"
handler500 = "chadan.web.error_pages.defect"
