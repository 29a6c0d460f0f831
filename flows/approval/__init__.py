"""A person's approval in Prefect's own pages."""

__all__ = ["approval"]
