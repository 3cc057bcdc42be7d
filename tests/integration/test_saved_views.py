"""Saved views: who sees and changes which, what opening one shows, and that nothing hidden leaks."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def shop(database: Any) -> Any:
    from tests.support.people import make_shop

    return make_shop(4)


@pytest.fixture(scope="module")
def client_of(database: Any) -> Any:
    from django.test import Client

    def client(user: Any) -> Any:
        made = Client(headers={"accept-language": "en"})
        made.force_login(user)
        return made

    return client


def saved(client: Any, within: str, name: str, area: str = "/m/orders", **flags: str) -> Any:
    return client.post(f"{area}/views", {"within": within, "name": name, **flags})


def view_named(name: str) -> Any:
    from chadan.saved_views.models import SavedView

    return SavedView.objects.get(name=name)


def page(client: Any, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer
    text: str = answer.content.decode()
    return text


def test_a_view_is_saved_in_one_step_pinned_and_opened_by_its_name(shop, client_of):
    client = client_of(shop.staff["owner"])
    answer = saved(
        client, "view=sales&status=completed&date=7d&column=order_no&column=amount&size=20", "done", pinned="1"
    )
    view = view_named("done")
    assert answer["Location"] == f"/m/orders?view=sales&saved={view.pk}"
    assert (view.filters["status"], view.date, view.columns, view.size) == (
        ["completed"],
        "7d",
        ["order_no", "amount"],
        20,
    )
    shown = page(client, answer["Location"])
    assert "status=completed" in shown and "date=7d" in shown and f"saved={view.pk}" in shown
    assert 'aria-label="Pinned views"' in shown and 'aria-current="true"' in shown
    assert ">Buyer<" not in shown[shown.index("<thead") : shown.index("</thead")], "its columns"
    assert 'aria-label="Pinned views"' not in page(client, "/m/orders?view=agent"), "another side has its own"
    assert "Update “done”" in page(client, f"/m/orders?view=sales&saved={view.pk}&status=paid&date=7d")
    client.post(f"/m/orders/views/{view.pk}", {"do": "update", "within": "view=sales&status=paid&date=30d"})
    view.refresh_from_db()
    assert (view.filters["status"], view.date, view.columns) == (["paid"], "30d", [])


def test_the_default_opens_on_a_bare_visit_and_clearing_leaves_it(shop, client_of):
    client = client_of(shop.staff["operator"])
    saved(client, "view=sales&amount_min=12&date=all", "mine first", default="1")
    shown = page(client, "/m/orders?view=sales")
    assert "≥ ¥12.00" in shown
    assert "date=30d" in shown[shown.index("chips-clear") :][:200], "a cleared list names its window"
    assert "≥ ¥12.00" not in page(client, "/m/orders?view=sales&date=30d")
    assert "≥ ¥12.00" not in page(client, "/m/orders?view=agent")
    assert "≥ ¥12.00" not in page(client_of(shop.staff["owner"]), "/m/orders?view=sales"), "a default is one's own"
    view = view_named("mine first")
    client.post(f"/m/orders/views/{view.pk}", {"do": "plain"})
    assert "≥ ¥12.00" not in page(client, "/m/orders?view=sales")


def test_shared_views_are_everybodys_to_see_and_managers_to_change(shop, client_of):
    owner, support = client_of(shop.staff["owner"]), client_of(shop.staff["support"])
    assert saved(owner, "view=sales&status=failed&date=all", "for all", shared="1", pinned="1").status_code == 302
    view = view_named("for all")
    assert "for all" in page(support, "/m/orders?view=sales") and "for all" in page(support, "/m/orders/views")
    for what in ("rename", "update", "pin", "unpin", "up", "delete", "keep"):
        answer = support.post(f"/m/orders/views/{view.pk}", {"do": what, "name": "x", "within": "view=sales"})
        assert answer.status_code == 403, what
    assert saved(support, "view=sales", "not mine to share", shared="1").status_code == 403
    support.post(f"/m/orders/views/{view.pk}", {"do": "default"})
    assert f"saved={view.pk}" in page(support, "/m/orders?view=sales"), "anybody's list may open with it"
    support.post(f"/m/orders/views/{view.pk}", {"do": "plain"})
    assert client_of(shop.staff["operator"]).post(
        f"/m/orders/views/{view.pk}", {"do": "rename", "name": "for everybody"}
    )
    view.refresh_from_db()
    assert view.name == "for everybody"


def test_personal_views_are_nobody_elses(shop, client_of):
    from tests.support.people import make_shop

    saved(client_of(shop.staff["owner"]), "view=sales&status=refunded", "private")
    view = view_named("private")
    other = make_shop(0)
    for user in (shop.staff["operator"], shop.staff["support"], other.staff["owner"]):
        client = client_of(user)
        assert "private" not in page(client, f"/m/orders?view=sales&saved={view.pk}")
        assert client.post(f"/m/orders/views/{view.pk}", {"do": "delete"}).status_code == 404
    assert client_of(shop.buyer).post(f"/orders/views/{view.pk}", {"do": "delete"}).status_code == 404
    view.refresh_from_db()


def test_buyers_and_the_platform_have_views_of_their_own(shop, client_of):
    from tests.support.people import make_user

    buyer = client_of(shop.buyer)
    saved(buyer, "status=completed&date=365d", "bought", "/orders", pinned="1", shared="1")
    assert buyer.post("/orders/views", {"within": "", "name": "x", "shared": "1"}).status_code == 403
    saved(buyer, "status=completed&date=365d", "bought", "/orders", pinned="1", default="1")
    assert "status=completed" in page(buyer, "/orders") and "bought" in page(buyer, "/orders/views")
    platform = client_of(make_user("platform", is_operator=True, buyer=False))
    saved(platform, "status=failed&date=7d", "failing", "/ops/orders", pinned="1")
    assert "failing" in page(platform, "/ops/orders")


def test_pinned_views_are_moved_and_names_are_unique(shop, client_of):
    client = client_of(shop.staff["finance"])
    for name in ("a", "b", "c"):
        saved(client, "view=sales&date=all&status=paid", name, pinned="1")
    assert "already" in page(client, saved(client, "view=sales&status=paid", "A")["Location"])
    client.post(f"/m/orders/views/{view_named('c').pk}", {"do": "up"})
    client.post(f"/m/orders/views/{view_named('c').pk}", {"do": "up"})
    client.post(f"/m/orders/views/{view_named('a').pk}", {"do": "down"})
    shown = page(client, "/m/orders?view=sales&date=all")
    pins = shown[shown.index('class="pins"') :]
    places = [pins.index(f"saved={view_named(name).pk}") for name in ("c", "b", "a")]
    assert places == sorted(places)


def test_typed_text_stays_typed_and_a_typed_window_keeps_moving(shop, client_of):
    from datetime import timedelta

    from tests.support.people import acting

    from chadan.orders import number
    from chadan.saved_views.opening import open_view

    client = client_of(shop.staff["owner"])
    saved(client, "view=sales&" + urlencode({"q": "话费 date:7d"}), "typed")
    view = view_named("typed")
    assert view.typed == "话费 date:7d" and not view.date
    actor, now = acting(shop.staff["owner"]), number.now()
    first, later = (open_view(actor, view, at).query(at, actor.scope) for at in (now, now + timedelta(days=3)))
    assert later.time.start - first.time.start == timedelta(days=3)


def test_what_a_viewer_may_not_ask_is_said_and_never_shown(shop, client_of):
    """An agent's staff sees no suppliers in purchases; a view that asks about one (made another way) leaks nothing."""
    from chadan.saved_views.models import SavedView

    view = SavedView.objects.create(
        user=shop.agent_owner, area="merchant", merchant=shop.agent, home=shop.agent.home, shared=True, name="probing",
        side="purchases", filters={"supplier": ["secret supplier"], "status": ["completed"]}, typed="supplier:another-secret",
        pinned=True,
    )  # fmt: skip
    client = client_of(shop.agent_owner)
    for path in (f"/m/orders?view=purchases&saved={view.pk}", "/m/orders/views", "/m/orders?view=purchases"):
        shown = page(client, path)
        assert "secret supplier" not in shown and "another-secret" not in shown, path
    shown = page(client, f"/m/orders?view=purchases&saved={view.pk}")
    assert "You may not ask about suppliers here." in shown and "status=completed" in shown
    answer = saved(client, "view=purchases&supplier=x&status=paid", "not asked")
    assert answer.status_code == 302 and view_named("not asked").filters == {"status": ["paid"]}


def test_a_view_that_cannot_be_read_any_more_says_so(shop, client_of):
    from chadan.saved_views.models import SavedView

    view = SavedView.objects.create(
        user=shop.staff["owner"], area="merchant", merchant=shop.merchant, home=shop.merchant.home, name="broken",
        side="sales", filters={"nonsense": 1},
    )  # fmt: skip
    client = client_of(shop.staff["owner"])
    assert "nonsense" in page(client, f"/m/orders?view=sales&saved={view.pk}")
    page(client, "/m/orders/views")
