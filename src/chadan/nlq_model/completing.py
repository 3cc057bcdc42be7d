"""Questions read by rules first; what the rules leave unexplained may be asked of a language model, where one is set."""

from __future__ import annotations

import json
import logging
from datetime import datetime

from chadan.nlq.lexicon import Lexicon
from chadan.nlq.reading import Reading, read
from chadan.nlq_model.applying import applied, unexplained
from chadan.nlq_model.fuse import Fuse
from chadan.nlq_model.placeholders import Placeholders
from chadan.nlq_model.wire import Unusable, ask
from chadan.platform.config import get_config
from chadan.platform.errors import ConfigError

log = logging.getLogger("chadan.model")
KEYWORD = 6
"""Characters below which a lone unknown word is searched for and not asked about: it is a name more often than a question."""
MOST_CHARACTERS = 300
"""Longest question that is sent."""
_fuse = Fuse()


def understand(q: str, now: datetime, lexicon: Lexicon) -> Reading:
    """The reading of `q`: the rules', completed by the model where one is set and words were left. Never raises."""
    reading = read(q, now=now, lexicon=lexicon)
    return complete(reading, q, now, lexicon) or reading


def complete(reading: Reading, q: str, now: datetime, lexicon: Lexicon) -> Reading | None:
    """The reading with words explained that the rules did not know, marked `source="model"`; None without help.

    At most wire.SECONDS, one try. None of the rules' slots changes; times and numbers are read by our own parser from words of the
    question; what is sent holds placeholders for people, numbers and secrets. Never raises.
    """
    setting = get_config().model
    left = unexplained(reading)
    if setting is None or not left or len(q) > MOST_CHARACTERS or (not reading.spans and len("".join(left)) < KEYWORD):
        return None
    hidden = Placeholders(q, reading, lexicon)
    question, words = hidden.hide(hidden.question), [hidden.hide(word) for word in left]
    asked = json.dumps([setting.url, setting.name, question, words], ensure_ascii=False)
    given = _fuse.remembered(asked)
    if given is None:
        with _fuse.turn() as may:
            if not may:
                return None
            try:
                given = ask(setting, question, words)
            except (Unusable, ConfigError) as error:
                _fuse.failed()
                log.warning("the model did not help", extra={"reason": str(error)})
                return None
            _fuse.worked()
        _fuse.remember(asked, given)
    return applied(q, reading, given, hidden, now=now, lexicon=lexicon)


def forget() -> None:
    """Lets the model be asked as if for the first time."""
    global _fuse  # noqa: PLW0603 - the process has one
    _fuse = Fuse()
