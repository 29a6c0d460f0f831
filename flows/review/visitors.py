"""Visitors of the review page: who somebody is, and what the person may do.

A visitor is the owner, who has the page's own token or opened it on this machine; an invited person; or a
user whom a trusted proxy names.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from tasks.ledger.invitations import Invitation, Invitations, Right

KNOWN_FOR_S = 5.0
"""How long an invitation is believed without asking the ledger: a revoked one ends within this time."""
_RIGHTS: tuple[tuple[re.Pattern[str], Right], ...] = (
    (re.compile(r"/sign-out"), "look"),
    (
        re.compile(r"/runs/[^/]+/(votes|votes/undo|statements|labels|stars|comments|comments/take-back)"),
        "vote",
    ),
    (re.compile(r"/runs/[^/]+/(folds|shortlist|decline|acceptances|cancel)"), "choose"),
)
"""The right that each change needs; one that is not here needs the highest."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who has access.

    Args:
        name: The person's name; empty where it is not known, and people give it themselves.
        may: The most that the person may do.
        invitation: The person's invitation, if there is one.
        has_cookie: The person came in by a cookie, and can sign out.
    """

    name: str = ""
    may: Right = "buy"
    invitation: Invitation | None = None
    has_cookie: bool = False


class Visitors:
    """The invited people of a ledger; each answer is believed for a few seconds.

    Args:
        invitations: The invitations.
    """

    def __init__(self, invitations: Invitations) -> None:
        self._invitations = invitations
        self._known: dict[tuple[str, str], tuple[float, Invitation | None]] = {}

    def of_token(self, token: str) -> Invitation | None:
        """Find an invitation by its token; always asks."""
        return self._invitations.of_token(token)

    def of_cookie(self, cookie: str) -> Invitation | None:
        """Find an invitation by its cookie."""
        return self._look("cookie", cookie, self._invitations.of_cookie)

    def of_name(self, name: str) -> Invitation | None:
        """Find a person's invitation by the name that a proxy gives."""
        return self._look("name", name, self._invitations.of_name)

    def _look(self, kind: str, key: str, find: Callable[[str], Invitation | None]) -> Invitation | None:
        now_s = time.monotonic()
        known = self._known.get((kind, key))
        if known is not None and now_s - known[0] < KNOWN_FOR_S:
            return known[1]
        if len(self._known) > 1000:  # of strangers who guess
            self._known.clear()
        found = find(key)
        self._known[kind, key] = (now_s, found)
        return found


def right_for(path: str) -> Right:
    """Return the right that a change needs."""
    return next((right for pattern, right in _RIGHTS if pattern.fullmatch(path)), "buy")
