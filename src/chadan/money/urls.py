"""Addresses of the money room."""

from __future__ import annotations

from django.urls import path

from chadan.money import actions, views

app_name = "money"
urlpatterns = [
    path("m/money", views.overview, name="overview"),
    path("m/money/statement.csv", views.download, name="download"),
    path("m/money/days/<str:day>", views.day, name="day"),
    path("m/money/postings/<int:posting_id>", views.posting, name="posting"),
    path("m/money/withdrawals", actions.withdrawals, name="withdrawals"),
    path("m/money/wallets", actions.shop_wallets, name="wallets"),
    path("m/money/wallets/<int:shop_id>", actions.wallet_at, name="wallet-at"),
    path("wallet", actions.buyer_wallets, name="buyer"),
    path("wallet/<int:shop_id>", actions.buyer_wallet, name="buyer-wallet"),
    path("ops/money", actions.platform, name="platform"),
    path("ops/money/postings/<int:posting_id>", actions.platform_posting, name="platform-posting"),
    path("ops/money/withdrawals/<int:withdrawal_id>", actions.decide, name="decide"),
]
