"""What of a plan's references and masks is converted before it is sent, in one sentence for people."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from tasks.attachments.paths import fill_path, is_template
from tasks.attachments.references import ReferenceFaultError, look_at
from tasks.campaign import Campaign
from tasks.order import Order

_NAMED = 3


def describe_conversions(campaign: Campaign, orders: Iterable[Order]) -> list[str]:
    """Say which of the pictures that people gave are not sent as they are; empty if all are.

    Args:
        campaign: A checked campaign; the references and masks of its finals are looked at.
        orders: Its planned drafts.
    """
    of_drafts = (
        (picture.file, order.is_upright(picture))
        for order in orders
        for picture in order.sent
        if picture.drawing is None
    )
    forms = dict.fromkeys((*of_drafts, *_forms_of_finals(campaign)))
    found = {file: conversion for file, is_upright in forms if (conversion := _conversion(file, is_upright))}
    if not found:
        return []
    named = [f"{Path(file).name} is {conversion}" for file, conversion in list(found.items())[:_NAMED]]
    more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return [
        f"references: converted before they are sent, the files stay as they are: {'; '.join(named)}{more}."
    ]


def _conversion(file: str, is_upright: bool) -> str:
    try:
        seen = look_at(file)
    except ReferenceFaultError:  # it is gone, so nothing is sent of it
        return ""
    return seen.upright_conversion if is_upright else seen.conversion


def _forms_of_finals(campaign: Campaign) -> Iterator[tuple[str, bool]]:
    for edition in campaign.editions:
        masks = [edition.mask] if isinstance(edition.mask, str) else []
        for text, is_mask in (
            *((text, False) for text in edition.references),
            *((text, True) for text in masks),
        ):
            rows = campaign.all_rows if is_template(text) else campaign.all_rows[:1]
            yield from ((fill_path(text, row), is_mask) for row in rows)
