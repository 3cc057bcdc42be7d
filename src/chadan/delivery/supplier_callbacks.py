"""What suppliers report by themselves: kept first, then judged, then answered as the protocol wants to hear it.

A report is bound to its connection: the order it names must hold a purchase from that very supplier. Whatever else it names, be it
another supplier's order or nobody's, is answered alike and changes nothing.
"""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from chadan.accounts.client_ip import client_ip
from chadan.catalog.models import Supplier
from chadan.delivery import connections, late_news, procurement, supplier_rows
from chadan.delivery.models import SupplierCallback
from chadan.delivery.supplier_rows import Row
from chadan.delivery.suppliers.base import Answer, ForgedReport, RawReport, Supplied
from chadan.delivery.suppliers.registry import PROTOCOLS
from chadan.orders import number, outside
from chadan.orders.states import RefKind
from chadan.orders.transitions import lock
from chadan.platform import sealing
from chadan.platform.scope import Scope, Session, scoped

log = logging.getLogger(__name__)
MOST_BYTES = 1 << 20
FORGED_KEPT = 4096
TAKEN, REPEATED, FORGED, UNKNOWN = "taken", "repeated", "bad_signature", "unknown_order"
_KEPT_HEADERS = ("content-type", "user-agent")
_KEPT_PREFIXES = ("dujiao-next-", "webhook-")


@csrf_exempt
@require_POST
def notify(request: HttpRequest, supplier_id: int) -> HttpResponse:
    """Takes a report: stored and committed before it is judged. A repeat is answered like the first."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        return HttpResponse("too large", status=413, content_type="text/plain")
    supplier = Supplier.objects.filter(pk=supplier_id, protocol__in=list(PROTOCOLS)).first()
    if supplier is None or not PROTOCOLS[supplier.protocol].calls_back:
        return HttpResponse("no such supplier", status=404, content_type="text/plain")
    headers = {name.lower(): value for name, value in request.headers.items()}
    raw = RawReport(request.body, headers, number.now())
    kept = _keep(request, supplier, raw)
    api = connections.api_of(supplier)
    try:
        told = api.read_report(raw)
    except ForgedReport:
        _judge(supplier, kept, FORGED, None)
        return HttpResponse("bad signature", status=401, content_type="text/plain")
    verdict, order_no = _heed(supplier, told)
    _judge(supplier, kept, verdict, order_no)
    return _reply(api.answer(taken=verdict in (TAKEN, REPEATED)))


def body_of(kept: SupplierCallback) -> str:
    """The body as it came in. Raises SealBroken."""
    return sealing.unseal(f"supplier_callback/{kept.supplier_id}", bytes(kept.sealed)).get("body", "")


def _heed(supplier: Supplier, told: Supplied) -> tuple[str, int | None]:
    """(verdict, order)."""
    actor = {"kind": "system", "role": "", "id": supplier.pk, "name": "suppliers"}
    with scoped(_scope(supplier)) as session:
        row = _bound(session, supplier, told)
        if row is None:
            return UNKNOWN, None
        if not row.open:
            late_news.heed(session, row, told, actor)
            return REPEATED, row.order_no
        procurement.heed(session, row, told, actor)
        return TAKEN, row.order_no


def _bound(session: Session, supplier: Supplier, told: Supplied) -> Row | None:
    """The purchase from this supplier that a report is about, its order locked; None when it names none or two."""
    order_no = None
    if told.request_no:
        kind, ref = RefKind.SUPPLIER_REQUEST, told.request_no
        order_no = outside.holder(session, supplier.home, kind, supplier.pk, ref)
    elif told.supplier_no:
        order_no = outside.holder(session, supplier.home, RefKind.SUPPLIER, supplier.pk, told.supplier_no)
    if order_no is None:
        return None
    lock(session, order_no)
    for row in supplier_rows.of(session, order_no):
        same = row.request_no == told.request_no if told.request_no else row.supplier_no == told.supplier_no
        if row.supplier_id == supplier.pk and same and row.supplier_no in ("", told.supplier_no):
            return row
    return None


def _keep(request: HttpRequest, supplier: Supplier, raw: RawReport) -> SupplierCallback:
    kept = {
        name: value[:500].replace("\x00", "")
        for name, value in raw.headers.items()
        if name in _KEPT_HEADERS or name.startswith(_KEPT_PREFIXES)
    }
    body = raw.body.decode("utf-8", "replace")
    with scoped(_scope(supplier)) as session:
        session.enter()
        return SupplierCallback.objects.create(
            supplier_id=supplier.pk,
            home=supplier.home,
            remote=str(client_ip(request.META) or ""),
            headers=kept,
            sealed=sealing.seal(f"supplier_callback/{supplier.pk}", {"body": body}),
        )


def _scope(supplier: Supplier) -> Scope:
    return Scope(merchants=(supplier.merchant_id,), homes=(supplier.home,))


def _judge(supplier: Supplier, kept: SupplierCallback, verdict: str, order_no: int | None) -> None:
    kept.verdict, kept.order_no = verdict, order_no
    if verdict == FORGED:  # anybody may send these: enough to look into is enough to keep
        short = {"body": body_of(kept)[:FORGED_KEPT]}
        kept.sealed = sealing.seal(f"supplier_callback/{kept.supplier_id}", short)
    with scoped(_scope(supplier)) as session:
        session.enter()
        kept.save(update_fields=["verdict", "order_no", "sealed"])
    log.info("supplier callback", extra={"supplier": kept.supplier_id, "verdict": verdict, "callback": kept.pk})


def _reply(answer: Answer) -> HttpResponse:
    return HttpResponse(answer.body, status=answer.status, content_type=answer.content_type)
