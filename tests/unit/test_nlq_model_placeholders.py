"""Placeholders hide what must not be sent, and give it back exactly."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chadan.nlq.lexicon import Lexicon
from chadan.nlq.reading import read
from chadan.nlq_model.placeholders import Placeholders
from chadan.orders.number import SHANGHAI

NOW = datetime(2026, 11, 24, 16, 0, tzinfo=SHANGHAI)
LEXICON = Lexicon.seed().with_shop(
    [("老王批发", "agent", "老王批发", None), ("ACME供货", "supplier", "ACME供货", None)]
)
WORDS = st.text(alphabet="打水漂鹅厂视频的订单上个月 ,⟦⟧1a", max_size=12)
SECRETS = st.one_of(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.from_regex(r"[a-z]{3,8}@[a-z]{3,8}\.com", fullmatch=True),
    st.from_regex(r"[0-9]{19}", fullmatch=True),
    st.from_regex(r"[A-Z]{3}[0-9]{2}[A-Z]{3}[0-9]", fullmatch=True),
    st.sampled_from(["老王批发", "ACME供货", "acme供货", "ＡＣＭＥ供货", "cd_live_" + "k" * 43]),
)


def hidden(q: str) -> Placeholders:
    return Placeholders(q, read(q, now=NOW, lexicon=LEXICON), LEXICON)


@given(before=WORDS, secret=SECRETS, after=WORDS)
def test_what_is_personal_is_nowhere_in_what_is_sent(before: str, secret: str, after: str) -> None:
    q = f"{before} {secret} {after}"
    made = hidden(q)
    sent = made.hide(made.question)
    assert secret not in sent
    assert made.show(sent) == made.question


@given(q=st.text(max_size=80))
def test_any_text_comes_back(q: str) -> None:
    made = hidden(q)
    assert made.show(made.hide(made.question)) == made.question


@pytest.mark.parametrize("q", ["上个月100元的订单", "2025-11-11打水漂的单子", "鹅厂视频50块以上"])
def test_what_is_not_personal_stays(q: str) -> None:
    made = hidden(q)
    assert made.hide(made.question) == q
