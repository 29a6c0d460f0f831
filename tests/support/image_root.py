"""An image built without an engine: a Dockerfile's instructions, carried out in an empty root by ``chroot``.

The root is what ``debootstrap`` makes of the base's release. Commands run with the image's environment and
nothing of this machine's, as the image's user; the network is this machine's.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

NEEDS = ("debootstrap", "chroot", "unshare")
IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc")
CERTIFICATES = "/certificates.crt"
BUILD_LIMIT_S = 900
MOUNTED = (
    'mount -t proc proc "$0/proc" && mkdir -p "$0/dev/shm" && mount -t tmpfs tmpfs "$0/dev/shm" && exec "$@"'
)


@dataclass
class Image:
    """An image while it is built, and as it is.

    Args:
        root: Its root folder.
        environ: Its environment.
        folder: Its working folder.
        user: Its user; root until the Dockerfile says otherwise.
        entrypoint: What is put before each command.
        command: What it runs unless told otherwise.
    """

    root: Path
    environ: dict[str, str] = field(
        default_factory=lambda: {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}
    )
    folder: str = "/"
    user: str = "root"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def words(
        self, command: Sequence[str], environ: Mapping[str, str] | None = None, user: str = ""
    ) -> list[str]:
        """Say by which words a command runs inside."""
        named = user or self.user
        home = "/" if named == "root" else str(Path("/home") / named)
        inside = {"HOME": home} | self.environ | dict(environ or {})
        variables = [f"{name}={value}" for name, value in inside.items()]
        cd = ["sh", "-c", 'cd "$0" && exec "$@"', self.folder]
        chroot = ["chroot", f"--userspec={named}", str(self.root), "env", "-i", *variables, *cd, *command]
        return ["unshare", "--mount", "--propagation=private", "sh", "-c", MOUNTED, str(self.root), *chroot]

    def run(self, *command: str, user: str = "", **environ: str) -> str:
        """Run a command inside; returns what it says.

        Raises:
            AssertionError: It failed; with what it said.
        """
        done = subprocess.run(
            self.words(command, environ, user), capture_output=True, text=True, timeout=BUILD_LIMIT_S,
            check=False, env={"PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout


def missing_tools() -> list[str]:
    """List what is not here to build by; only root may."""
    absent = [
        tool for tool in NEEDS if shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None
    ]
    return absent if os.geteuid() == 0 else [*absent, "root"]


def instructions(dockerfile: Path) -> Iterator[tuple[str, str]]:
    """Read the instructions of a Dockerfile."""
    lines = [line for line in dockerfile.read_text().splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word:
            yield word, rest.strip()


def build(source: Path, root: Path) -> Image:
    """Carry out the instructions of a folder's Dockerfile.

    Args:
        source: The folder, with the Dockerfile.
        root: Where the image's root is made; must not exist.
    """
    image = Image(root)
    for word, rest in instructions(source / "Dockerfile"):
        STEPS[word](image, rest, source)
    (root / CERTIFICATES.lstrip("/")).unlink(missing_ok=True)
    return image


def _from(image: Image, rest: str, _: Path) -> None:
    release = re.match(r"debian:([a-z]+)-\d{8}-slim@sha256:[0-9a-f]{64}$", rest)
    assert release, f"no base that debootstrap can make: {rest}"
    words = ["debootstrap", "--variant=minbase", release[1], str(image.root)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=BUILD_LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    shutil.copy("/etc/resolv.conf", image.root / "etc" / "resolv.conf")
    authorities = os.environ.get("PIP_CERT") or "/etc/ssl/certs/ca-certificates.crt"
    if Path(authorities).is_file():
        shutil.copy(authorities, image.root / CERTIFICATES.lstrip("/"))


def _run(image: Image, rest: str, _: Path) -> None:
    image.run("/bin/sh", "-c", rest, PIP_CERT=CERTIFICATES, PIP_DEFAULT_TIMEOUT="180")


def _env(image: Image, rest: str, _: Path) -> None:
    image.environ |= dict(part.split("=", 1) for part in shlex.split(rest))


def _workdir(image: Image, rest: str, _: Path) -> None:
    image.folder = rest
    (image.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)


def _copy(image: Image, rest: str, source: Path) -> None:
    *names, target = rest.split()
    into = image.root / image.folder.lstrip("/") / target
    for name in names:
        if (source / name).is_dir():
            shutil.copytree(source / name, into, ignore=IGNORED, dirs_exist_ok=True)
        else:
            shutil.copy(source / name, into)


def _user(image: Image, rest: str, _: Path) -> None:
    image.user = rest


def _entrypoint(image: Image, rest: str, _: Path) -> None:
    image.entrypoint = json.loads(rest)


def _cmd(image: Image, rest: str, _: Path) -> None:
    image.command = json.loads(rest)


STEPS = {
    "FROM": _from, "RUN": _run, "ENV": _env, "WORKDIR": _workdir, "COPY": _copy, "USER": _user,
    "ENTRYPOINT": _entrypoint, "CMD": _cmd,
}  # fmt: skip
"""What each instruction does; another one is an error of the test."""
