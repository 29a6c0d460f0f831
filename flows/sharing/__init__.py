"""Handing a run on: its report, pictures and manifest as one folder or zip that opens offline anywhere."""

__all__ = ["share"]
