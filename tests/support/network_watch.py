"""Writes down whom a process looks up and where it connects; for processes that tests start."""

from pathlib import Path

# Put before everything else in each process: writes down whom it looks up and where it connects.
WATCH_MODULE = """
import os, sys

def watch(event, args):
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        line = f"look-up {args[0]}"
    elif event == "socket.connect" and isinstance(args[1], tuple):
        line = f"connect {args[1][0]}"
    else:
        return
    file = os.open(os.environ["WATCH_FILE"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, f"{line}\\n".encode())
    os.close(file)

sys.addaudithook(watch)
"""

LOOPBACK = {"127.0.0.1", "localhost", "::1", "emulator.invalid"}


def watch_environ(folder: Path) -> dict[str, str]:
    """Make the environment in which every Python process of a tree is watched."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(WATCH_MODULE)
    return {"PYTHONPATH": str(folder), "WATCH_FILE": str(folder / "network.txt")}


def strangers(folder: Path) -> set[str]:
    """List the hosts beyond this machine that were looked up or connected to."""
    file = folder / "network.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    return {line.split(" ", 1)[1] for line in lines} - LOOPBACK
