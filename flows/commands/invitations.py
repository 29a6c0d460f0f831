"""What ``runoff review`` does about people instead of serving the page: invite, revoke, list."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tasks.ledger import Ledger
    from tasks.ledger.invitations import Invitation, Right

MOST_NAME_CHARACTERS = 60


def read_person(_ctx: click.Context, _param: click.Parameter, text: str | None) -> str | None:
    """Read a person's name as the page takes it."""
    if text is None:
        return None
    name = text.strip()
    if not name or len(name) > MOST_NAME_CHARACTERS or not name.isprintable():
        message = f"a name has 1 to {MOST_NAME_CHARACTERS} characters, all of them printable"
        raise click.BadParameter(message)
    return name


def read_amount(_ctx: click.Context, _param: click.Parameter, text: str | None) -> Decimal | None:
    """Read an amount of dollars."""
    from tasks.money import read_usd

    try:
        return None if text is None else read_usd(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def invite(ledger: "Ledger", name: str, may: "Right", limit_usd: Decimal | None, address: str) -> None:
    """Invite a person, and print the link once.

    Args:
        ledger: The ledger.
        name: The person's name.
        may: The most that the person may do.
        limit_usd: What all purchases of the person may cost at most, dollars; ``None`` for no limit.
        address: The page's address, without a slash at its end.
    """
    from flows.runs.reconciling import user_name
    from tasks.money import format_usd

    token = ledger.invitations.invite(name, may, limit_usd, by=user_name(), now=datetime.now(UTC))
    limit = f", for at most {format_usd(limit_usd)} in all" if limit_usd is not None else ""
    click.echo(f"{name} may {may}{limit}. An earlier invitation of {name} holds no more.")
    click.echo(f"Send this link to nobody else; it is not shown again:\n{address}/?token={token}")


def revoke(ledger: "Ledger", name: str) -> None:
    """Revoke a person's invitation.

    Args:
        ledger: The ledger.
        name: The person's name.
    """
    from flows.runs.reconciling import user_name

    is_revoked = ledger.invitations.revoke(name, by=user_name(), now=datetime.now(UTC))
    click.echo(f"{name} is no longer invited." if is_revoked else f"{name} has no invitation.")


def print_invitations(found: "Sequence[Invitation]") -> None:
    """List who is invited."""
    from tasks.money import format_usd

    holding = [one for one in found if one.revoked_at is None]
    for one in holding:
        limit = f", at most {format_usd(one.limit_usd)}" if one.limit_usd is not None else ""
        when = f"{one.invited_at:%Y-%m-%d %H:%M} UTC"
        click.echo(f"{one.name}  may {one.may}{limit}  invited by {one.invited_by} at {when}")
    if not holding:
        click.echo("Nobody is invited. Invite somebody: runoff review --invite NAME --may vote")
