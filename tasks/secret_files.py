"""Secrets in files: ``OPENAI_API_KEY_FILE=/run/secrets/key`` sets ``OPENAI_API_KEY`` to what the file holds.

Containers, systemd and Kubernetes hand secrets over as files, which no list of processes and no ``inspect``
shows. Any variable whose name says that it is a secret can be given so, and the addresses that may hold one.
"""

import stat
from collections.abc import Mapping
from pathlib import Path

from tasks.errors import SettingError
from tasks.redaction import is_secret_name

SUFFIX = "_FILE"
ADDRESSES = ("RUNOFF_LEDGER_URL", "PREFECT_API_URL", "PREFECT_SERVER_DATABASE_CONNECTION_URL")
"""Addresses in which a password may stand."""
SHOWN = ("RUNOFF_REVIEW_TOKEN",)
"""A secret that the redactor shows on purpose."""
OF_OTHERS = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
"""Variables that other libraries read themselves."""
MOST_BYTES = 65_536
FILLED = "SECRETS_FROM_FILES_BY_RUNOFF"
"""Names the variables that ``for_children`` filled from files, which may have changed since."""


def with_secret_files(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which secrets that are given as files are variables, too.

    Args:
        environ: Environment variables.

    Raises:
        SettingError: A file cannot be read, is empty, or the variable is set to something else as well.
            Nothing was bought.
    """
    found, filled = dict(environ), environ.get(FILLED, "").split()
    for variable, file in environ.items():
        name = variable.removesuffix(SUFFIX)
        if name == variable or variable in OF_OTHERS or not file or not _is_secret(name):
            continue
        secret = _read(variable, Path(file))
        if name not in filled and environ.get(name, secret) not in ("", secret):
            raise SettingError(
                where=variable, what=f"{name} is set as well, to something else", accepted="one of the two",
                next_step=f"Unset {name} or {variable}.",
            )  # fmt: skip
        found[name] = secret
    return found


def for_children(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the same for other processes, which may not read files; those of ours read them anew.

    So a key that is replaced in its file is used by the next run, whoever was started before.

    Args:
        environ: Environment variables.

    Raises:
        SettingError: See ``with_secret_files``.
    """
    found = with_secret_files(environ)
    filled = [name for name in found if f"{name}{SUFFIX}" in environ]
    return found | ({FILLED: " ".join(filled)} if filled else {})


def _is_secret(name: str) -> bool:
    return name in ADDRESSES or name in SHOWN or is_secret_name(name)


def _read(variable: str, file: Path) -> str:
    """Read a secret; one line's end, which editors add, is no part of it."""
    try:
        # Systemd's and Kubernetes's secrets are links; a pipe would be waited for.
        if not stat.S_ISREG(file.stat().st_mode):
            raise SettingError(where=f"{variable}={file}", what="is no file", accepted="a file")
        with file.open("rb") as opened:
            text = opened.read(MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise SettingError(
            where=f"{variable}={file}", what=f"cannot be read: {why}", accepted="a file with the secret",
            next_step="Check the path, and that this user may read it.",
        ) from error  # fmt: skip
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret.strip():
        raise SettingError(where=f"{variable}={file}", what="the file is empty", accepted="the secret")
    return secret
