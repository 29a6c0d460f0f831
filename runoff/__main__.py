"""``python -m runoff`` is the command ``runoff``."""

from runoff import main

main()
