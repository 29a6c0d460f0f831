"""Approval of finalists by a person in Prefect's UI."""

__all__ = ["approval"]
