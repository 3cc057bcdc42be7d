"""The three database roles and the scope: what the application cannot do even with a wrong statement."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from chadan.platform.config import Address, get_config
from chadan.platform.database import app_address, app_role, search_role
from chadan.platform.errors import NotFound
from chadan.platform.migrate import connect

pytestmark = pytest.mark.integration
OWNED = (
    "orders",
    "order_payments",
    "order_deliveries",
    "order_cards",
    "order_notes",
    "order_tags",
    "order_events",
    "external_refs",
)


@pytest.fixture(scope="module")
def shops(database):
    from tests.support.people import make_shop

    return make_shop(), make_shop()


@pytest.fixture
def app(database: Address) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with connect(app_address(get_config(), database)) as connection:
        yield connection


@pytest.fixture
def owner(database: Address) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with connect(database) as connection:
        yield connection


def counted(shop, scope, sql="select count(*) from orders"):
    from chadan.platform.scope import scoped

    with scoped(scope) as session:
        return session.rows(sql)[0][0]


def merchant_scope(shop):
    from chadan.platform.scope import Scope

    return Scope(merchants=(shop.merchant.pk,), homes=(shop.merchant.home,))


def buyer_scope(shop):
    from chadan.platform.scope import Scope

    return Scope(buyer=shop.buyer.buyer.pk)


def test_app_role_inherits_nothing_and_is_no_superuser(owner, database):
    row = owner.execute(
        "select rolsuper, rolinherit, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles where rolname = %s",
        [app_role(database.name)],
    ).fetchone()
    assert row == (False, False, False, False, False)


def test_search_role_cannot_log_in(owner, database):
    row = owner.execute(
        "select rolcanlogin, rolsuper, rolbypassrls from pg_roles where rolname = %s", [search_role(database.name)]
    ).fetchone()
    assert row == (False, False, False)


def test_owner_of_the_embedded_server_is_no_superuser(owner):
    assert owner.execute("select rolsuper from pg_roles where rolname = current_user").fetchone() == (False,)


@pytest.mark.parametrize("table", OWNED)
def test_without_scope_the_app_sees_nothing(app, owner, shops, table):
    assert app.execute(f"select count(*) from {table}").fetchone() == (0,)
    if table not in ("order_cards", "order_tags"):
        assert owner.execute(f"select count(*) > 0 from {table}").fetchone() == (True,)


@pytest.mark.parametrize("table", OWNED)
def test_policies_are_on_for_every_owned_table(owner, table):
    assert owner.execute("select relrowsecurity from pg_class where oid = %s::regclass", [table]).fetchone() == (True,)


def test_every_table_with_order_numbers_has_a_policy(owner):
    """A new table an order owns must not be forgotten."""
    rows = owner.execute(
        "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'order_no'"
        " where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition"
        " and not c.relrowsecurity"
    ).fetchall()
    assert rows == []


def test_a_merchant_sees_its_own_orders_only(shops):
    one, two = shops
    assert counted(one, merchant_scope(one)) == len(one.orders)
    assert counted(two, merchant_scope(two)) == len(two.orders)
    sql = "select count(*) from order_events where order_no = any (array[{}]::bigint[])"
    assert counted(one, merchant_scope(one), sql.format(",".join(map(str, two.orders)))) == 0


def test_buyer_agent_and_operator(shops):
    from chadan.platform.scope import OPERATOR, Scope

    one, two = shops
    assert counted(one, buyer_scope(one)) == len(one.orders)
    assert counted(one, Scope(merchants=(one.agent.pk,), homes=(one.agent.home,))) == len(one.orders) // 2
    assert counted(one, OPERATOR) >= len(one.orders) + len(two.orders)


def test_nobody_sees_nothing(shops):
    from chadan.platform.scope import NOBODY

    assert counted(shops[0], NOBODY) == 0


def test_a_scope_ends_with_its_transaction(shops):
    from django.db import connection

    counted(shops[0], merchant_scope(shops[0]))
    with connection.cursor() as cursor:
        cursor.execute("select count(*), coalesce(current_setting('app.merchants', true), '') from orders")
        assert cursor.fetchone() == (0, "")
        cursor.execute("show enable_seqscan")
        assert cursor.fetchone() == ("on",)


def test_a_scope_ends_with_a_failed_transaction(shops):
    from django.db import connection

    from chadan.platform.scope import scoped

    with pytest.raises(psycopg.errors.DivisionByZero), scoped(merchant_scope(shops[0])) as session:
        session.rows("select 1 / 0")
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from orders")
        assert cursor.fetchone() == (0,)


def test_nested_scopes_give_the_transaction_back(shops):
    from chadan.platform.scope import scoped

    one, two = shops
    with scoped(merchant_scope(one)) as outer:
        mine = outer.rows("select min(merchant_id), max(merchant_id) from orders")
        with scoped(merchant_scope(two)) as inner:
            assert inner.rows("select distinct merchant_id from orders") == [(two.merchant.pk,)]
        assert outer.rows("select min(merchant_id), max(merchant_id) from orders") == mine
        assert mine == [(one.merchant.pk, one.merchant.pk)]


def test_a_nested_scope_left_by_an_error_is_given_back(shops):
    from chadan.platform.scope import OPERATOR, scoped

    one, _ = shops
    with scoped(merchant_scope(one)) as outer:
        outer.rows("select 1")
        try:
            with scoped(OPERATOR) as inner:
                inner.rows("select 1")
                raise NotFound("nothing")
        except NotFound:
            pass
        assert outer.rows("select distinct merchant_id from orders") == [(one.merchant.pk,)]
        from django.db import transaction

        transaction.set_rollback(False)


def test_partitions_cannot_be_read_around_the_policies(app, owner, shops):
    parts = owner.execute(
        "select inhrelid::regclass::text from pg_inherits where inhparent = any (%s::regclass[])",
        [[table for table in OWNED if table != "external_refs"]],
    ).fetchall()
    assert len(parts) >= 7 * 4
    for (part,) in parts:
        for role in (app, None):
            if role is app:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    app.execute(f"select 1 from {part}")
            else:
                granted = owner.execute(
                    "select has_table_privilege(%s, %s, 'select')", [search_role(owner.info.dbname), part]
                ).fetchone()
                assert granted == (False,)


@pytest.mark.parametrize("change", ["update order_events set type = 'forged'", "delete from order_events"])
def test_events_are_append_only(shops, change):
    from chadan.platform.scope import OPERATOR, scoped

    with pytest.raises(psycopg.errors.InsufficientPrivilege), scoped(OPERATOR) as session:
        session.run(change)


def test_the_search_role_reads_orders_and_outside_numbers_only(shops, app):
    from chadan.platform.scope import NOBODY, scoped

    with scoped(NOBODY) as session:
        assert session.rows("select count(*) from orders", search=True)[0][0] >= 6
        assert session.rows("select count(*) from external_refs", search=True)[0][0] >= 6
        assert session.rows("select current_user")[0][0] == app.info.user
    for table in ("order_payments", "order_cards", "order_events", "users", "api_keys", "merchant_keys"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), scoped(NOBODY) as session:
            session.rows(f"select count(*) from {table}", search=True)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), scoped(NOBODY) as session:
        session.rows("update orders set note = 'x' returning order_no", search=True)


def test_the_search_role_does_not_outlive_a_failed_statement(shops):
    from django.db import connection

    from chadan.platform.scope import NOBODY, scoped

    with pytest.raises(psycopg.errors.DivisionByZero), scoped(NOBODY) as session:
        session.rows("select 1 / 0", search=True)
    with connection.cursor() as cursor:
        cursor.execute("select current_user = session_user")
        assert cursor.fetchone() == (True,)


def test_a_merchant_cannot_write_another_merchants_order(shops):
    from chadan.platform.scope import scoped

    one, two = shops
    with scoped(merchant_scope(one)) as session:
        assert session.run("update orders set note = 'x' where order_no = %s", [two.orders[0]]) == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege), scoped(merchant_scope(one)) as session:
        session.run("update orders set merchant_id = %s where order_no = %s", [two.merchant.pk, one.orders[0]])


def test_the_app_makes_partitions_and_no_other_tables(app):
    assert app.execute("select ensure_order_partitions(current_date, current_date)").fetchone() == (0,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("create table elsewhere (id int)")


def test_a_partition_made_later_is_closed_too(app, owner):
    app.execute("select ensure_order_partitions('2031-05-01', '2031-05-01')")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("select 1 from orders_3105")


def test_the_migration_runs_again(database):
    from chadan.platform.migrate import migrate

    migrate(database)


def test_migrations_take_as_long_as_they_take_and_requests_do_not(database):
    """An index on ten million orders needs minutes; a page must not."""
    from django.db import connections

    limits = {}
    for alias in ("owner", "default"):
        with connections[alias].cursor() as cursor:
            cursor.execute("select current_setting('statement_timeout')")
            limits[alias] = cursor.fetchone()[0]
    assert limits == {"owner": "0", "default": "1min"}
