"""Starting a payment: its number is persisted and committed before any gateway hears it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from chadan.catalog.models import PaymentChannel
from chadan.orders import events, outside
from chadan.orders.placing import UNPAID_MINUTES
from chadan.orders.states import OrderStatus, PaymentMethod, PaymentStatus, RefKind
from chadan.orders.transitions import Locked, lock
from chadan.payments import channels, facts, looks, records
from chadan.payments.channels import channels_for
from chadan.payments.gateways.base import GatewayRefused, PayRequest, PayStart, Show
from chadan.payments.records import Attempt
from chadan.platform.config import get_config
from chadan.platform.errors import Conflict, Forbidden, NotFound
from chadan.platform.scope import Scope, Session, scoped

__all__ = ["channels_for", "open_attempt", "start", "start_attempt"]

_CHECKOUT = """
select c.expires_at, v.title from orders o
join product_versions v on v.id = o.version_id
left join order_checkouts c on c.order_no = o.order_no and c.home = o.home
where o.order_no = %s and o.home = %s
"""


def start(
    scope: Scope, order_no: int, channel_id: int, *, return_url: str, client_ip: str, device: str = "pc"
) -> PayStart:
    """Starts to pay an order through one of its merchant's channels, or goes on with the attempt that is under way.

    `scope` is the buyer's or the merchant's. A wallet payment is done when this returns; a transfer waits for a hand. Raises
    NotFound (order or channel), Conflict (nothing to pay any more), InsufficientBalance, GatewayUnreachable, GatewayRefused.
    """
    one = start_attempt(
        scope, order_no, channel_id, return_url=lambda _seq: return_url, client_ip=client_ip, device=device
    )
    return one[1]


def start_attempt(
    scope: Scope,
    order_no: int,
    channel_id: int,
    *,
    return_url: Callable[[int], str],
    client_ip: str,
    device: str = "pc",
) -> tuple[Attempt | None, PayStart]:
    """As `start`, and says which attempt it is; None when it is paid with this: from a wallet, or because it costs nothing. `return_url` is given its place."""
    with scoped(scope) as session:
        order = lock(session, order_no)
        channel = _channel(order, channel_id)
        deadline, title = _payable(session, order)
        if order.amount == 0:
            _for_nothing(order)
            return None, PayStart(Show.WAIT)
        if channel.protocol == channels.BALANCE:
            _from_wallet(scope, order, channel)
            return None, PayStart(Show.WAIT)
        attempt = open_attempt(session, order, channel, deadline)
    if attempt.show is not None:
        return attempt, PayStart(attempt.show, attempt.pay_url, attempt.txn_no)
    if not channels.is_gateway(channel):
        begun = PayStart(Show.WAIT)
    else:
        back = return_url(attempt.seq)
        begun = _ask(scope, channel, attempt, _request(channel, attempt, title, back, client_ip, device))
    with scoped(scope) as session:
        records.started(session, attempt, begun)
    return attempt, begun


def open_attempt(session: Session, order: Locked, channel: PaymentChannel, deadline: datetime | None = None) -> Attempt:
    """The attempt under way through this channel, or a new one with its reference and its jobs.

    The caller has locked the order in `session`. An attempt lives until `deadline` and is for the order's amount.
    """
    now = order.at
    for one in reversed(records.attempts_of(session, order.order_no)):
        alive = one.expires_at is None or one.expires_at > now
        if (
            one.channel_id == channel.pk
            and one.status is PaymentStatus.PENDING
            and alive
            and one.amount == order.amount
        ):
            return one
    deadline = deadline or now + timedelta(minutes=UNPAID_MINUTES)
    attempt = records.insert(
        session,
        order.order_no,
        channel_id=channel.pk,
        method=PaymentMethod.of(channel.method),
        amount=order.amount,
        expires_at=deadline,
    )
    if not outside.claim(session, RefKind.PAYMENT_OUT, channel.pk, attempt.out_no, order.order_no):
        raise Conflict(_("This payment number is taken."), hint=_("Try again."))
    if channels.is_gateway(channel):
        looks.defer_next(attempt, attempt.created_at)
    return attempt


def _channel(order: Locked, channel_id: int) -> PaymentChannel:
    channel = PaymentChannel.objects.filter(pk=channel_id, merchant_id=order.merchant_id, enabled=True).first()
    if channel is None or not channel.protocol:
        raise NotFound(_("This way to pay is not open."), hint=_("Choose another one."))
    return channel


def _payable(session: Session, order: Locked) -> tuple[datetime | None, str]:
    """(until when, for what) the order may be paid. Raises Conflict when it may not."""
    if order.status is not OrderStatus.PENDING_PAYMENT:
        sentence = (
            _("This order was cancelled.")
            if order.status is OrderStatus.CANCELLED
            else _("This order is paid already.")
        )
        raise Conflict(sentence, hint=_("Look at the order."))
    rows = session.rows(_CHECKOUT, (order.order_no, order.home))
    deadline, title = rows[0]
    if deadline is not None and deadline <= order.at:
        raise Conflict(_("The time to pay this order is over."), hint=_("Order again."))
    return deadline, str(title)


def _from_wallet(scope: Scope, order: Locked, channel: PaymentChannel) -> None:
    """Wallets belong to accounts: only the buyer who is signed in opens one."""
    from chadan.accounts.models import Buyer

    buyer = Buyer.objects.filter(pk=order.buyer_id, user__isnull=False).first()
    if buyer is None or scope.buyer != order.buyer_id:
        raise Forbidden(
            _("Only a signed-in buyer pays from a wallet."), hint=_("Sign in, or choose another way to pay.")
        )
    actor = {"kind": "buyer", "role": "buyer", "id": buyer.user_id, "name": buyer.name}
    with scoped(Scope(merchants=(order.merchant_id,), homes=(order.home,))) as session:
        facts.pay_from_wallet(session, order.order_no, channel, actor)


def _for_nothing(order: Locked) -> None:
    with scoped(Scope(merchants=(order.merchant_id,), homes=(order.home,))) as session:
        facts.pay_nothing(session, order.order_no, events.system("payments"))


def _request(  # noqa: PLR0917 - what a gateway is told
    channel: PaymentChannel, attempt: Attempt, title: str, return_url: str, client_ip: str, device: str
) -> PayRequest:
    parts = urlsplit(return_url)
    origin = get_config().origin or f"{parts.scheme}://{parts.netloc}"
    return PayRequest(
        out_no=attempt.out_no,
        amount=attempt.amount,
        subject=title[:100],
        notify_url=f"{origin}/pay/notify/{channel.pk}/",
        return_url=return_url,
        client_ip=client_ip,
        device=device,
        expires_at=attempt.expires_at,
    )


def _ask(scope: Scope, channel: PaymentChannel, attempt: Attempt, request: PayRequest) -> PayStart:
    """Asks the gateway, outside any transaction. After a refusal the number is spent: the next click takes a new one."""
    records.outside_transaction()
    try:
        return channels.gateway(channel).create(request)
    except GatewayRefused:
        with scoped(scope) as session:
            records.asked(session, attempt, closed=True)
        raise
