"""The table of every URL of the site: how test_every_url_every_role walks it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Route:
    """How a URL is walked.

    kind: `public` answers everybody and shows nothing of anybody; `own` is about whoever asks; `thing` names something of the
    shop in its path; `api` takes a key. `method` is the one that does something; `for_all` marks what the operator may see.
    """

    kind: str
    method: str = "GET"
    operator_sees: bool = False
    data: dict[str, str] = field(default_factory=dict)


NOTE = {"body": "forged", "visible": "buyer"}
ORDER_ACTIONS = {
    "": Route("thing"),
    "/receipt": Route("thing"),
    "/reveal": Route("thing", "POST", data={"what": "account"}),
    "/notes": Route("thing", "POST", data=NOTE),
    "/tags": Route("thing", "POST", data={"name": "forged"}),
    "/tags/<int:tag_id>/remove": Route("thing", "POST"),
    "/complete": Route("thing", "POST"),
    "/cancel": Route("thing", "POST"),
    "/after-sale": Route("thing", "POST", data={"reason": "forged"}),
    "/after-sale/close": Route("thing", "POST", data={"reason": "forged", "refund": "1"}),
}
TABLE: dict[str, Route] = {
    "": Route("public"),
    "healthz": Route("public"),
    "readyz": Route("public"),
    "api/docs": Route("public"),
    "api/v1/openapi.json": Route("public"),
    "api/v1/": Route("public"),
    "api/v1/orders": Route("api"),
    "api/v1/orders/summary": Route("api"),
    "api/v1/orders/<order_no>": Route("api"),
    "api/v1/views": Route("api"),
    "api/v1/tags": Route("api"),
    # Of the platform too these are nobody else's: test_api_organising walks them.
    "api/v1/views/<int:view_id>": Route("organising"),
    "api/v1/tags/<int:tag_id>": Route("organising"),
    "preferences": Route("public", "POST", data={"theme": "dark"}),
    "_kit": Route("public"),
    "_kit/<slug:page>": Route("public"),
    "switch": Route("own", "POST", data={"capacity": "{capacity}"}),
    "account": Route("own"),
    "recall": Route("own"),
    "recall/forget": Route("own", "POST", data={"asked": "all"}),
    "palette": Route("own"),
    "palette/items": Route("own"),
    "keys": Route("own"),
    "keys/<int:key_id>/revoke": Route("thing", "POST"),
    "m/staff": Route("own"),
    "m/staff/<int:membership_id>": Route("thing", "POST", data={"role": "owner"}),
    "m/money": Route("own"),
    "m/money/statement.csv": Route("own"),
    "m/money/days/<str:day>": Route("own"),
    "m/money/postings/<int:posting_id>": Route("thing"),
    "m/money/withdrawals": Route("own"),
    "m/money/wallets": Route("own"),
    "m/money/wallets/<int:shop_id>": Route("thing"),
    "wallet": Route("own"),
    "wallet/<int:shop_id>": Route("thing"),
    "ops/money": Route("own", operator_sees=True),
    "ops/money/postings/<int:posting_id>": Route("thing", operator_sees=True),
    "ops/money/withdrawals/<int:withdrawal_id>": Route("thing", "POST", operator_sees=True, data={"reference": "x"}),
    "m/tags": Route("own"),
    "m/tags/<int:tag_id>": Route("thing", "POST", data={"do": "save", "name": "forged", "colour": "red"}),
    "m/tags/<int:tag_id>/delete": Route("thing", "POST"),
    "m/tags/jobs/<int:job_id>": Route("thing", "POST"),
    "m/tags/rules/new": Route("own"),
    "m/tags/rules/ready": Route("own", "POST", data={"which": "nothing"}),
    "m/tags/rules/<int:rule_id>": Route(
        "thing", "POST", data={"name": "forged", "tag": "forged", "text": "status:paid"}
    ),
    "m/tags/rules/<int:rule_id>/do": Route("thing", "POST", data={"do": "delete"}),
    "m/stock": Route("own"),
    "m/stock/find": Route("own", "POST", data={"card": "KNOWN-CARD-TO-NOBODY"}),
    "m/stock/cards/<int:card_id>/reveal": Route("thing", "POST"),
    "m/stock/<int:product_id>": Route("thing"),
    "m/stock/<int:product_id>/withdraw": Route("thing", "POST"),
    "m/deliveries": Route("own"),
    "m/deliveries/<str:order_no>": Route("thing"),
    **{
        f"m/deliveries/<str:order_no>/{what}": Route(
            "thing", "POST", data={"confirmed": "{order_no}", "cards": "forged", "reason": "forged"}
        )
        for what in ("deliver", "fail", "retry")
    },
    "m/suppliers": Route("own"),
    "m/suppliers/new": Route("own"),
    "m/suppliers/<int:supplier_id>": Route("thing"),
    "m/suppliers/<int:supplier_id>/state": Route("thing", "POST", data={"active": "0"}),
    "m/suppliers/<int:supplier_id>/check": Route("thing", "POST"),
    "m/suppliers/<int:supplier_id>/products": Route("thing", "POST", data={"product": "{product_id}", "ref": "x"}),
    "m/suppliers/<int:supplier_id>/products/<int:source_id>/remove": Route("thing", "POST"),
    "m/suppliers/purchases/<str:order_no>/<int:seq>": Route("thing", "POST", data={"bought": "0"}),
    "supply/notify/<int:supplier_id>/": Route("public"),
    "m/agents": Route("own"),
    "m/agents/add": Route("own", "POST", data={"slug": "nobody", "level": "1"}),
    "m/agents/secret": Route("own", "POST"),
    "m/agents/resell/<int:product_id>": Route("thing", "POST", data={"price": "1"}),
    "m/agents/<int:reseller_id>": Route("thing", "POST", data={"level": "2"}),
    "m/agents/<int:reseller_id>/top-up": Route("thing", "POST", data={"amount": "1", "once": "forged"}),
    # The supply API shows an agent what is its own alone: test_supply_api walks it.
    **{f"api/v1/supply/{path}": Route("supply") for path in ("products", "balance", "orders", "orders/<order_no>")},
    # Batches belong to one shop: test_batches_api walks them.
    **{
        f"api/v1/batches{path}": Route("batches")
        for path in (
            "",
            "/<batch_id>",
            *(f"/<batch_id>/{what}" for what in ("orders", "confirm", "cancel", "undo")),
        )
    },
    "exports": Route("own"),
    "exports/": Route("own"),
    "exports/new": Route("own"),
    "exports/<uuid:export_id>": Route("thing"),
    "exports/<uuid:export_id>/download": Route("thing"),
    "exports/<uuid:export_id>/cancel": Route("thing", "POST"),
    "exports/<uuid:export_id>/retry": Route("thing", "POST"),
    "m/orders/batch": Route(
        "thing", "POST", data={"action": "tag", "selected": "{order_no}", "tag": "forged", "asked": "1"}
    ),
    "m/batches": Route("own"),
    "m/batches/<uuid:batch_id>": Route("thing"),
    "m/batches/<uuid:batch_id>/confirm": Route("thing", "POST", data={"confirmed": "1"}),
    "m/batches/<uuid:batch_id>/cancel": Route("thing", "POST"),
    "m/batches/<uuid:batch_id>/undo": Route("thing", "POST"),
    "m/batches/<uuid:batch_id>/resume": Route("thing", "POST"),
    "m/batches/<uuid:batch_id>/results.csv": Route("thing"),
    **{
        f"{area}{path}": route
        for area in ("orders", "m/orders", "ops/orders")
        for path, route in {
            "": Route("own", operator_sees=area == "ops/orders"),
            "/rows": Route("own", operator_sees=area == "ops/orders"),
            "/views": Route("own", operator_sees=area == "ops/orders"),
            "/views/<int:view_id>": Route("thing", "POST", data={"do": "delete"}),
            **{
                f"/<str:order_no>{path}": Route(
                    route.kind, route.method, operator_sees=area == "ops/orders", data=route.data
                )
                for path, route in ORDER_ACTIONS.items()
            },
        }.items()
    },
    # The shop is open to everybody; an order in it answers everybody else with the lookup page, whatever the number.
    "s/<slug:shop>": Route("public"),
    "s/<slug:shop>/p/<int:product_id>": Route("public"),
    "s/<slug:shop>/order/<str:order_no>": Route("public"),
    "s/<slug:shop>/order/<str:order_no>/reveal": Route("public", "POST"),
    "s/<slug:shop>/order/<str:order_no>/mail": Route("public", "POST", data={"to": "forged@example.com"}),
    "again/<str:order_no>": Route("public"),
    "lookup": Route("public"),
    "m/shop": Route("own"),
    "m/products": Route("own"),
    "m/products/new": Route("own"),
    "m/products/levels": Route("own"),
    "m/products/<int:product_id>": Route("thing"),
    "m/products/<int:product_id>/state": Route("thing", "POST", data={"active": "0"}),
    "pay/notify/<int:channel_id>/": Route("public"),
    "pay/return/<str:order_no>/<int:seq>/": Route("thing"),
    "pay/<str:order_no>/": Route("thing"),
    "pay/<str:order_no>/start": Route("thing", "POST", data={"channel": "{channel_id}"}),
    "pay/<str:order_no>/<int:seq>/": Route("thing"),
    "pay/<str:order_no>/<int:seq>/asked": Route("thing", "POST"),
    "m/channels": Route("own"),
    "m/channels/new": Route("own"),
    "m/channels/<int:channel_id>": Route("thing", "POST", data={"name": "forged"}),
    "m/channels/<int:channel_id>/state": Route("thing", "POST", data={"enabled": "0"}),
    "m/refunds": Route("own"),
    "m/refunds/<str:order_no>/<int:seq>/retry": Route("thing", "POST"),
    "m/refunds/<str:order_no>/<int:seq>/done": Route("thing", "POST"),
    **{
        f"{area}/<str:order_no>/{path}": Route("thing", "POST", operator_sees=area == "ops/orders", data=data)
        for area in ("m/orders", "ops/orders")
        for path, data in {
            "refund": {"amount": "1", "reason": "forged"},
            "confirm-payment": {"channel": "{channel_id}"},
        }.items()
    },
    "ops/stuck": Route("own", operator_sees=True),
    "ops/health": Route("own", operator_sees=True),
    "orders/changes": Route("public"),
    # allauth's: about whoever is signed in, or signed by a secret nobody else has.
    **{
        f"accounts/{path}": Route("public")
        for path in (
            "login/",
            "logout/",
            "inactive/",
            "signup/",
            "confirm-email/",
            "^confirm-email/(?P<key>[-:\\w]+)/$",
            "password/reset/",
            "password/reset/done/",
            "password/reset/key/done/",
            "^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
            "login/code/confirm/",
            "2fa/authenticate/",
            "2fa/webauthn/login/",
        )
    },
    **{
        f"accounts/{path}": Route("own")
        for path in (
            "reauthenticate/",
            "email/",
            "password/change/",
            "password/set/",
            "2fa/",
            "2fa/reauthenticate/",
            "2fa/totp/activate/",
            "2fa/totp/deactivate/",
            "2fa/recovery-codes/",
            "2fa/recovery-codes/generate/",
            "2fa/recovery-codes/download/",
            "2fa/webauthn/",
            "2fa/webauthn/add/",
            "2fa/webauthn/reauthenticate/",
        )
    },
    "accounts/2fa/webauthn/keys/<int:pk>/remove/": Route("thing"),
    "accounts/2fa/webauthn/keys/<int:pk>/edit/": Route("thing"),
}
