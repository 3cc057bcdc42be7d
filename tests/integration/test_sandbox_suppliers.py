"""The sandbox's suppliers: what they sold outlives a restart, work goes on, and a top-up may fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.waiting import eventually

from chadan.delivery.suppliers.base import Purchase, SupplierConfig, SupplierRefused, SupplyState
from chadan.delivery.suppliers.registry import protocol_of
from chadan.platform.config import get_config
from chadan.sandbox.client import Sandbox, SandboxError
from chadan.sandbox.server import SandboxServer

pytestmark = pytest.mark.integration
PROTOCOLS = ("acg", "dujiao")
TOPUP = {"acg": "SBX-TOPUP-50", "dujiao": "4"}
NOWHERE = "http://127.0.0.1:9/notify"


@pytest.fixture(autouse=True)
def sandbox_allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CHADAN_SANDBOX", "1")
    get_config.cache_clear()
    yield
    get_config.cache_clear()


def api(url: str, protocol: str) -> Any:
    """The shop's connection to a supplier."""
    theirs = Sandbox(url).suppliers()[protocol]
    settings, secrets = (
        ({"app_id": theirs["key_id"]}, {"app_key": theirs["key"]})
        if protocol == "acg"
        else ({"api_key": theirs["key_id"]}, {"api_secret": theirs["key"]})
    )
    return protocol_of(protocol)(SupplierConfig(1, f"{url}/supplier/{protocol}", settings, secrets))


def buy(url: str, protocol: str, ref: str, number: str, phone: str = "13812345678") -> Any:
    fields = {"phone": phone}
    wanted = Purchase(number, ref, {}, 1, account=phone, fields=fields, callback_url=NOWHERE)
    return api(url, protocol).buy(wanted)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_restart_keeps_keys_orders_and_balances(tmp_path: Path, protocol: str) -> None:
    with SandboxServer(tmp_path) as server:
        sold = buy(server.url, protocol, "1", "c-first")
        waiting = buy(server.url, protocol, TOPUP[protocol], "c-second")
        before = Sandbox(server.url).suppliers()[protocol]
        config = api(server.url, protocol).config
    assert (sold.state, waiting.state) == (SupplyState.DELIVERED, SupplyState.PROCESSING)
    assert (tmp_path / "suppliers.jsonl").stat().st_mode & 0o077 == 0
    with SandboxServer(tmp_path) as server:
        assert Sandbox(server.url).suppliers()[protocol] == before
        again = protocol_of(protocol)(
            SupplierConfig(1, f"{server.url}/supplier/{protocol}", config.settings, config.secrets)
        )
        assert again.look(sold.supplier_no).cards == sold.cards
        assert again.balance() == before["balance"] == 10_000_000 - 950 - 4900
        third = buy(server.url, protocol, "1", "c-third")
        assert third.supplier_no not in (sold.supplier_no, waiting.supplier_no)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_work_goes_on_after_a_restart(tmp_path: Path, protocol: str) -> None:
    with SandboxServer(tmp_path) as server:
        Sandbox(server.url).supply_fault("slow", 1.0, protocol=protocol, times=1)
        begun = buy(server.url, protocol, "1", "c-slow")
        assert begun.state is SupplyState.PROCESSING
    with SandboxServer(tmp_path) as server:
        theirs = api(server.url, protocol)
        eventually(lambda: theirs.look(begun.supplier_no).state is SupplyState.DELIVERED, "the goods", 15)


def test_a_top_up_that_fails_gives_the_money_back(tmp_path: Path) -> None:
    with SandboxServer(tmp_path) as server:
        sandbox, theirs = Sandbox(server.url), api(server.url, "dujiao")
        sandbox.supply_fault("fail", 0.1, protocol="dujiao", times=1)
        begun = buy(server.url, "dujiao", TOPUP["dujiao"], "c-fails")
        assert begun.state is SupplyState.PROCESSING and theirs.balance() == 10_000_000 - 4900
        eventually(lambda: theirs.look(begun.supplier_no).state is SupplyState.FAILED, "the failure", 15)
        assert theirs.balance() == 10_000_000
        other = buy(server.url, "dujiao", TOPUP["dujiao"], "c-told")
        sandbox.supply_finish("dujiao", "c-told", failed=True)
        assert theirs.look(other.supplier_no).state is SupplyState.FAILED
        sandbox.supply_finish("dujiao", "c-told")
        assert theirs.look(other.supplier_no).state is SupplyState.FAILED, "what is over stays"


def test_accounts_that_end_in_0000_do_not_exist(tmp_path: Path) -> None:
    with SandboxServer(tmp_path) as server:
        begun = buy(server.url, "dujiao", TOPUP["dujiao"], "c-nobody", phone="13812340000")
        assert begun.state is SupplyState.PROCESSING
        look = api(server.url, "dujiao").look
        eventually(lambda: look(begun.supplier_no).state is SupplyState.FAILED, "the failure", 20)
        with pytest.raises(SupplierRefused, match="充值失败"):
            buy(server.url, "acg", TOPUP["acg"], "c-nobody", phone="13812340000")
        with pytest.raises(SandboxError):
            Sandbox(server.url).supply_finish("acg", "c-nobody", failed=True)
        assert buy(server.url, "acg", "SBX-TOPUP-100", "c-other", phone="13812340000").state is SupplyState.DELIVERED
