"""Redaction: a secret is a type of its own, and one redactor keeps every known secret out of every output.

It also replaces what a terminal would obey and a database refuse. It rests on nothing, so that errors, the
ledger and every process can use it.
"""

from tasks.redaction.environment import is_secret_name, learn_environment, secrets_of_address
from tasks.redaction.errors import with_redacted_errors
from tasks.redaction.known_secrets import (
    Secret,
    hide_keys,
    hide_keys_beside_pictures,
    hide_keys_in_bytes,
    hide_secrets,
)
from tasks.redaction.outputs import redacted_outputs
from tasks.redaction.text import one_line, printable, redact

__all__ = [
    "Secret",
    "hide_keys",
    "hide_keys_beside_pictures",
    "hide_keys_in_bytes",
    "hide_secrets",
    "is_secret_name",
    "learn_environment",
    "one_line",
    "printable",
    "redact",
    "redacted_outputs",
    "secrets_of_address",
    "with_redacted_errors",
]
