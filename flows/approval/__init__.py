"""A person's approval in Prefect's own pages."""
