"""Numbered steps that bring an older ledger up to date."""

__all__: list[str] = []
