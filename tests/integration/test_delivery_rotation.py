"""Rotating keys: cards open before, during and after, duplicates are still found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("database")]


def test_cards_open_at_every_moment_of_a_rotation(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.stock_ground import make_card_shop, one, rows

    from chadan.delivery import rotation, stock
    from chadan.delivery.dispatch import deliver
    from chadan.orders.reveal import reveal_cards

    monkeypatch.setattr(rotation, "CHUNK", 2)
    shop = make_card_shop()
    cards = [f"ROTATE-CARD-{card:04d}" for card in range(5)]
    shop.import_text(*cards)
    order_no = shop.order(3)
    deliver(order_no)
    ids = [row[0] for row in rows("select id from stock_cards where product_id = %s order by id", shop.product.pk)]

    def all_open() -> None:
        assert [stock.reveal(shop.owner, card) for card in ids] == cards
        assert reveal_cards(shop.owner, order_no) == cards[:3]

    seen: list[int] = []

    def stop_in_the_middle(many: int) -> None:
        seen.append(many)
        all_open()
        if len(seen) == 2:
            raise KeyboardInterrupt

    old = one("select key_id from stock_cards where id = %s", ids[0])
    with pytest.raises(KeyboardInterrupt):
        rotation.rotate(shop.merchant.slug, progress=stop_in_the_middle)
    all_open()
    assert one("select count(distinct key_id) from stock_cards where product_id = %s", shop.product.pk) == 2
    done = rotation.rotate(shop.merchant.slug, fresh=False)
    assert (sum(seen) + done.stock, done.orders) == (5, 3)
    all_open()
    left = "select (select count(*) from stock_cards where key_id = %s) + (select count(*) from order_cards where key_id = %s)"
    assert one(left, old, old) == 0
    again = shop.import_text(cards[0], cards[4], "ROTATE-CARD-NEW")
    assert (again.added, again.duplicate) == (1, 2)
    found = stock.find_card(shop.owner, cards[0])
    assert found is not None and found.order_no == order_no


def test_a_new_key_file_opens_what_the_old_one_sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import transaction
    from tests.support.stock_ground import make_card_shop, one

    from chadan.catalog.models import PaymentChannel
    from chadan.delivery import rotation, stock
    from chadan.orders import vault
    from chadan.platform import config, sealing
    from chadan.platform.errors import InvalidInput

    shop = make_card_shop()
    shop.import_text("WRAPPED-CARD-0001")
    card = one("select id from stock_cards where product_id = %s", shop.product.pk)
    channel = PaymentChannel.objects.create(merchant=shop.merchant, home=shop.merchant.home, method=0, name="ours")
    channel.secrets = sealing.seal(f"payment_channel/{channel.pk}", {"key": "k"})
    channel.save()
    file = tmp_path / "kek"
    file.write_bytes(b"short")
    with pytest.raises(InvalidInput, match="32 bytes"):
        rotation.rewrap(file)
    file.write_bytes(os.urandom(32))
    with transaction.atomic():  # taken back at the end: the run's other tests keep their key file
        assert rotation.rewrap(file) >= 1
        with pytest.raises(vault.VaultError), transaction.atomic():
            stock.reveal(shop.owner, card)
        new = type("Config", (), {"kek": file.read_bytes()})()
        with monkeypatch.context() as patch:
            patch.setattr(vault, "get_config", lambda: new)
            patch.setattr(sealing, "get_config", lambda: new)
            assert stock.reveal(shop.owner, card) == "WRAPPED-CARD-0001"
            channel.refresh_from_db()
            assert sealing.unseal(f"payment_channel/{channel.pk}", bytes(channel.secrets)) == {"key": "k"}
        transaction.set_rollback(True)
    assert stock.reveal(shop.owner, card) == "WRAPPED-CARD-0001"
    assert config.get_config().kek != file.read_bytes()
