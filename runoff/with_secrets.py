"""``python -m runoff.with_secrets COMMAND …`` runs a command with the secrets that are given to it as files.

The image's entry point: Prefect's server and Dask's workers do not read ``…_FILE`` variables themselves.
"""

import os
import sys

from tasks.errors import RunoffError
from tasks.secret_files import for_children


def main() -> None:
    """Replace this process by the command."""
    if len(sys.argv) < 2:
        sys.exit("usage: python -m runoff.with_secrets COMMAND [WORD …]")
    words = sys.argv[1:]
    try:
        environ = for_children(os.environ)
        os.execvpe(words[0], words, environ)
    except RunoffError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{words[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
