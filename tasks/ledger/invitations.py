"""Invitations to the review page: who may look, vote, choose or buy, and for how many dollars.

The token of an invitation is shown once; the ledger keeps only digests of it and of the cookie made from it.
What an invited person agrees to pay at most is written down before it is confirmed, so that the limit holds
however many pages are open.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, get_args

import sqlalchemy as sa

from tasks.errors import RunError
from tasks.ledger.database import Database, reconnecting
from tasks.ledger.schema import agreements, invitations
from tasks.money import format_usd, from_nanousd, to_nanousd

Right = Literal["look", "vote", "choose", "buy"]
RIGHTS: tuple[Right, ...] = get_args(Right)
"""Each includes those before it."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation of one person.

    Args:
        invitation_id: Its number.
        name: The person's name, under which everything is stored.
        may: The most that the person may do.
        limit_usd: What all purchases of the person may cost at most, dollars; ``None`` for the budgets alone.
        invited_by: Who invited the person.
        invited_at: When, aware UTC time.
        revoked_at: When it was revoked; ``None`` while it holds.
    """

    invitation_id: int
    name: str
    may: Right
    limit_usd: Decimal | None
    invited_by: str
    invited_at: datetime
    revoked_at: datetime | None = None


def includes(may: Right, wanted: Right) -> bool:
    """Whether a right includes another."""
    return RIGHTS.index(may) >= RIGHTS.index(wanted)


def cookie_of(token: str) -> str:
    """Derive the cookie's value from a token, which is not stored in the browser."""
    return hmac.new(token.encode(), b"entered", hashlib.sha256).hexdigest()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@reconnecting
class Invitations:
    """The invitations of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def invite(self, name: str, may: Right, limit_usd: Decimal | None, *, by: str, now: datetime) -> str:
        """Invite a person, in place of an earlier invitation.

        Args:
            name: The person's name.
            may: The most that the person may do.
            limit_usd: What all purchases of the person may cost at most, dollars; ``None`` for no limit.
            by: Who invites.
            now: Aware time.

        Returns:
            The token, which is not stored.
        """
        token = secrets.token_urlsafe(24)
        row = {
            "name": name, "may": may, "limit_nanousd": None if limit_usd is None else to_nanousd(limit_usd),
            "token_digest": _digest(token), "cookie_digest": _digest(cookie_of(token)),
            "invited_by": by, "invited_at": now,
        }  # fmt: skip
        with self._database.write() as connection:
            connection.execute(_revoking(name, by, now))
            connection.execute(invitations.insert().values(row))
        return token

    def revoke(self, name: str, *, by: str, now: datetime) -> bool:
        """Revoke a person's invitation; returns whether there was one.

        Args:
            name: The person's name.
            by: Who revokes it.
            now: Aware time.
        """
        with self._database.write() as connection:
            return connection.execute(_revoking(name, by, now)).rowcount > 0

    def all(self) -> list[Invitation]:
        """List every invitation, also revoked ones, the newest first."""
        query = sa.select(invitations).order_by(invitations.c.invitation_id.desc())
        with self._database.read() as connection:
            return [_invitation(row) for row in connection.execute(query)]

    def of_token(self, token: str) -> Invitation | None:
        """Find the invitation that holds and has a token."""
        return self._find(invitations.c.token_digest == _digest(token))

    def of_cookie(self, cookie: str) -> Invitation | None:
        """Find the invitation that holds and has a cookie."""
        return self._find(invitations.c.cookie_digest == _digest(cookie))

    def of_name(self, name: str) -> Invitation | None:
        """Find the invitation that holds and is a person's."""
        return self._find(invitations.c.name == name)

    def _find(self, condition: sa.ColumnElement[bool]) -> Invitation | None:
        query = sa.select(invitations).where(condition, invitations.c.revoked_at.is_(None))
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _invitation(row)

    def agree(self, invitation: Invitation, run_id: str, most_usd: Decimal, now: datetime) -> int:
        """Write down what a person agrees to pay at most, unless that exceeds the person's limit.

        Args:
            invitation: The person's invitation.
            run_id: The run whose finalists are bought.
            most_usd: What they may cost at most, dollars.
            now: Aware time.

        Returns:
            The number of the agreement.

        Raises:
            RunError: It exceeds the limit, or the invitation was revoked. Nothing was written.
        """
        own = invitations.c.invitation_id == invitation.invitation_id
        with self._database.write() as connection:
            row = connection.execute(sa.select(invitations).where(own).with_for_update()).one()
            query = sa.select(sa.func.sum(agreements.c.most_nanousd))
            agreed = query.where(agreements.c.invitation_id == invitation.invitation_id)
            before_usd = from_nanousd(int(connection.execute(agreed).scalar() or 0))
            limit_usd = None if row.limit_nanousd is None else from_nanousd(row.limit_nanousd)
            if row.revoked_at is not None or row.may != "buy":
                raise _refused(run_id, f"{row.name} may not buy")
            if limit_usd is not None and before_usd + most_usd > limit_usd:
                what = f"this can cost {format_usd(most_usd)}, and {row.name} has agreed to "
                raise _refused(
                    run_id,
                    f"{what}{format_usd(before_usd)} of {format_usd(limit_usd)} so far",
                    row.invited_by,
                )
            new = agreements.insert().values(
                invitation_id=invitation.invitation_id, run_id=run_id, most_nanousd=to_nanousd(most_usd),
                agreed_at=now,
            )  # fmt: skip
            return int(connection.execute(new.returning(agreements.c.agreement_id)).scalar_one())

    def withdraw(self, agreement_id: int) -> None:
        """Take an agreement back whose list was not confirmed."""
        with self._database.write() as connection:
            connection.execute(agreements.delete().where(agreements.c.agreement_id == agreement_id))


def _revoking(name: str, by: str, now: datetime) -> sa.Update:
    holds = (invitations.c.name == name) & invitations.c.revoked_at.is_(None)
    return invitations.update().where(holds).values(revoked_by=by, revoked_at=now)


def _invitation(row: sa.Row[tuple[object, ...]]) -> Invitation:
    limit = row.limit_nanousd
    return Invitation(
        row.invitation_id, row.name, row.may, None if limit is None else from_nanousd(limit),
        row.invited_by, row.invited_at.astimezone(UTC), row.revoked_at,
    )  # fmt: skip


def _refused(run_id: str, what: str, by: str = "") -> RunError:
    return RunError(
        where=f"run {run_id}",
        what=what,
        money="Nothing was bought.",
        next_step=f"Ask {by} for a higher limit, or choose fewer finalists."
        if by
        else "Ask who invited you.",
    )
