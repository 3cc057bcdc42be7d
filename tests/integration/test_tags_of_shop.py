"""A shop's tags: counts, colours, renames, merges and deletes, and who may do what."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.test_tag_rules import make_rule, owner_of, place, tag_events
from tests.integration.test_tag_rules import tags as tags_on

pytestmark = pytest.mark.integration


@pytest.fixture
def shop(database: Any) -> Any:
    from tests.support.people import make_shop

    return make_shop(0)


def tagged(shop: Any, *names: str) -> int:
    from chadan.orders import remarks

    order_no = place(shop)
    for name in names:
        remarks.add_tag(owner_of(shop), [order_no], name)
    return order_no


def tag(shop: Any, name: str) -> Any:
    from chadan.catalog.models import Tag

    return Tag.objects.get(merchant=shop.merchant, name=name)


def test_counts_are_the_shops_own_and_bounded(shop, monkeypatch):
    from tests.support.people import make_shop

    from chadan.search import compiler
    from chadan.tagging import tags

    for _ in range(4):
        tagged(shop, "often")
    tagged(shop, "once")
    tagged(make_shop(0), "often")
    assert {one.tag.name: one.shown for one in tags.counted(owner_of(shop))} == {"often": "4", "once": "1"}
    monkeypatch.setattr(compiler, "COUNT_CAP", 3)
    monkeypatch.setattr(compiler.count_statement, "__defaults__", (3,))
    counts = {one.tag.name: one.count for one in tags.counted(owner_of(shop))}
    assert counts["often"] == (3, False) and counts["once"] == (1, True)


def test_a_merge_is_one_event_an_order_and_comes_to_the_same_however_often_it_runs(shop, monkeypatch):
    from chadan.catalog.models import Tag
    from chadan.orders import remarks
    from chadan.tagging import jobs, tags

    monkeypatch.setattr(jobs, "PIECE", 2)
    alone = [tagged(shop, "old") for _ in range(3)]
    both, neither = tagged(shop, "old", "new"), tagged(shop, "new", "third")
    rule = make_rule(shop, "old", "status:failed")
    asking = make_rule(shop, "asks", "tag:OLD -tag:third")
    job = tags.merge(owner_of(shop), tag(shop, "old"), tag(shop, "new"))
    late = place(shop)
    remarks.add_tag(owner_of(shop), [late], "old")  # somebody still types the old name
    assert tags_on(late) == {"new"}
    assert jobs._step(job.pk) is True
    for _ in range(2):
        jobs.run(job.pk)
    assert [tags_on(order_no) for order_no in alone] == [{"new"}] * 3
    assert tags_on(both) == {"new"} and tags_on(neither) == {"new", "third"}
    assert [tag_events(order_no)[1:] for order_no in alone] == [[("tag.merged", "new")]] * 3
    assert not Tag.objects.filter(merchant=shop.merchant, name="old").exists()
    job.refresh_from_db()
    assert (job.state, job.changed, job.total) == ("done", 4, 4)
    rule.refresh_from_db()
    asking.refresh_from_db()
    assert rule.tag.name == "new" and asking.query["tag"] == ["new"]


def test_a_merge_cut_off_goes_on_where_it_was(shop, monkeypatch):
    from chadan.tagging import jobs, tags

    monkeypatch.setattr(jobs, "PIECE", 1)
    orders = [tagged(shop, "from") for _ in range(3)]
    tagged(shop, "to")
    job = tags.merge(owner_of(shop), tag(shop, "from"), tag(shop, "to"))
    real = jobs.swap
    calls = iter([False, True])

    def dying(*args: Any) -> Any:
        done = real(*args)
        if next(calls):
            raise RuntimeError("killed after the work, before the commit")
        return done

    monkeypatch.setattr(jobs, "swap", dying)
    with pytest.raises(RuntimeError):
        jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done) == ("running", 1)
    monkeypatch.setattr(jobs, "swap", real)
    jobs.run(job.pk)
    assert [tag_events(order_no)[1:] for order_no in orders] == [[("tag.merged", "to")]] * 3
    job.refresh_from_db()
    assert (job.state, job.changed) == ("done", 3)


def test_rules_that_a_merge_would_close_to_a_ring_refuse_it(shop):
    from chadan.platform.errors import InvalidInput
    from chadan.tagging import tags

    make_rule(shop, "set", "tag:asked")
    tagged(shop, "asked")
    with pytest.raises(InvalidInput):
        tags.merge(owner_of(shop), tag(shop, "asked"), tag(shop, "set"))
    assert not tag(shop, "asked").leaving


def test_a_tag_is_deleted_with_its_rules_and_says_so_on_every_order(shop):
    from chadan.catalog.models import Tag
    from chadan.platform.errors import Conflict
    from chadan.tagging import jobs, tags
    from chadan.tagging.models import TagRule

    order_no = tagged(shop, "gone", "stays")
    make_rule(shop, "gone", "status:failed")
    job = tags.delete(owner_of(shop), tag(shop, "gone"))
    with pytest.raises(Conflict):
        tagged(shop, "gone")
    jobs.run(job.pk)
    assert tags_on(order_no) == {"stays"} and tag_events(order_no)[-1] == ("tag.removed", "gone")
    assert not Tag.objects.filter(merchant=shop.merchant, name="gone").exists()
    assert not TagRule.objects.filter(merchant=shop.merchant).exists()


def test_pages_show_counts_before_deleting_and_refuse_who_may_not(shop):
    from django.test import Client
    from tests.support.people import make_shop

    tagged(shop, "vip")
    vip = tag(shop, "vip")
    clients = {role: Client(headers={"accept-language": "en"}) for role in ("owner", "operator", "support", "finance")}
    for role, client in clients.items():
        client.force_login(shop.staff[role])
        assert "vip" in client.get("/m/tags").content.decode()
    assert "1 order bears it." in clients["owner"].get(f"/m/tags/{vip.pk}/delete").content.decode()
    for role in ("support", "finance"):
        client = clients[role]
        assert client.post(f"/m/tags/{vip.pk}", {"do": "save", "name": "x", "colour": "red"}).status_code == 403
        assert client.post(f"/m/tags/{vip.pk}/delete").status_code == 403
        assert client.post("/m/tags/rules/ready", {"which": "repeat"}).status_code == 403
        assert client.get("/m/tags/rules/new").status_code == 403
    assert clients["support"].post("/m/tags", {"name": "new", "colour": "teal"}).status_code == 302
    assert tag(shop, "new").colour == "teal"
    clients["finance"].post("/m/tags", {"name": "no", "colour": "teal"})
    clients["operator"].post(f"/m/tags/{vip.pk}", {"do": "save", "name": "VIP", "colour": "pink"})
    assert tag(shop, "VIP").colour == "pink"
    clients["operator"].post(f"/m/tags/{vip.pk}", {"do": "save", "name": "VIP", "colour": "#ff0000"})
    assert tag(shop, "VIP").colour == "pink"
    with pytest.raises(vip.DoesNotExist):
        tag(shop, "no")
    other = Client()
    other.force_login(make_shop(0).staff["owner"])
    assert other.post(f"/m/tags/{vip.pk}", {"do": "merge", "into": str(vip.pk)}).status_code == 404


def test_a_rule_is_made_previewed_switched_and_applied_on_its_pages(shop):
    from django.test import Client

    from chadan.orders.states import OrderStatus
    from chadan.tagging import jobs
    from chadan.tagging.models import TagJob, TagRule

    order_no = place(shop, status=OrderStatus.FAILED.code, completed_at=None)
    client = Client(headers={"accept-language": "en"})
    client.force_login(shop.staff["owner"])
    sent = {"name": "failing", "tag": "trouble", "text": "status:failed amount:>5", "removes": "1", "enabled": "1"}
    shown = client.post("/m/tags/rules/new", {**sent, "do": "preview"}).content.decode()
    assert "1 orders match now." in shown and 'name="without" value="status:failed"' in shown
    shown = client.post("/m/tags/rules/new", {**sent, "without": "amount:5.01.."}).content.decode()
    assert 'value="amount:5.01.."' in shown and not TagRule.objects.filter(merchant=shop.merchant).exists()
    assert client.post("/m/tags/rules/new", {**sent, "text": "date:7d", "do": "save"}).status_code == 400
    assert client.post("/m/tags/rules/new", {**sent, "do": "apply"}).status_code == 302
    rule = TagRule.objects.get(merchant=shop.merchant)
    jobs.run(TagJob.objects.get(rule_id=rule.pk).pk)
    assert tags_on(order_no) == {"trouble"}
    client.post(f"/m/tags/rules/{rule.pk}/do", {"do": "off"})
    rule.refresh_from_db()
    assert not rule.enabled
    client.post("/m/tags/rules/ready", {"which": "anomaly"})
    client.post("/m/tags/rules/ready", {"which": "anomaly"})
    assert TagRule.objects.filter(merchant=shop.merchant, enabled=True).count() == 2
    client.post(f"/m/tags/rules/{rule.pk}/do", {"do": "delete"})
    assert not TagRule.objects.filter(pk=rule.pk).exists() and tags_on(order_no) == {"trouble"}


def test_a_batch_keeps_what_it_tags_and_puts_no_leaving_tag_on(shop):
    from chadan.batches.freezing import label_of
    from chadan.batches.models import Batch
    from chadan.orders import many
    from chadan.orders.states import OrderStatus
    from chadan.platform.scope import scoped
    from chadan.tagging import evaluator, tags
    from chadan.tagging.ruling import Ruling

    owner = owner_of(shop)
    order_no = place(shop, status=OrderStatus.FAILED.code, completed_at=None)
    rule = make_rule(shop, "old", "status:failed")
    here = evaluator.Shop(shop.merchant.pk, shop.merchant.home)
    with scoped(owner.scope) as session:
        evaluator.evaluate(session, here, [Ruling.of(rule)], [order_no])
        acting = many.Shop(*here, owner.user_id, owner.name, {}, "batch:x")
        assert many.add_tag(session, acting, [order_no], many.Label(rule.tag_id, "old")) == []
        assert list(evaluator.tags_on(session, here, [order_no], [rule.tag_id]).values()) == [None], "a person's now"
    tagged(shop, "new")
    batch = Batch(merchant_id=shop.merchant.pk, home=shop.merchant.home, action="tag", params={"tag": "OLD"})
    assert label_of(batch) == (many.Label(rule.tag_id, "old"))
    tags.merge(owner, tag(shop, "old"), tag(shop, "new"))
    assert label_of(batch) == many.Label(tag(shop, "new").pk, "new")
