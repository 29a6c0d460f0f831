"""A disk that fills up, and a folder that turns read-only, in the middle of a run: both really do."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.support.child_process import started, wait_for_end
from tests.support.paid_home import paid_home
from tests.support.provider import OpenProvider, Provider
from tests.support.shell import COMMAND, Shell

LIMIT_S = 200

# The disk exists only inside this script's own view of the file system, and is gone with it.
ON_A_DISK_OF_ITS_OWN = """
mount -t tmpfs -o size=130m tmpfs "$RUNOFF_HOME"
"$RUNOFF" run "$CAMPAIGN" 2> "$SAID" > /dev/null & run=$!
"$PYTHON" -c "$WAIT_FOR_PICTURES" "$RUNOFF_HOME" || true
cat /dev/zero > "$RUNOFF_HOME/fill" 2> /dev/null || true
wait $run; echo "first: $?"
rm "$RUNOFF_HOME/fill"
"$RUNOFF" run --resume latest 2>> "$SAID" > /dev/null; echo "second: $?"
"$RUNOFF" ledger verify >&2; echo "verify: $?"
cp -a "$RUNOFF_HOME" "$KEPT"
"""

WAIT_FOR_PICTURES = """
import sys, time
from pathlib import Path
for _ in range(900):
    if len(list(Path(sys.argv[1]).glob("otters/*/drafts/*"))) >= 2:
        break
    time.sleep(0.05)
"""


def can_mount() -> bool:
    """Tell whether this user may mount a disk in a view of its own."""
    unshare = shutil.which("unshare")
    if unshare is None or os.geteuid() != 0:
        return False
    mounts = [unshare, "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(mounts, capture_output=True, check=False).returncode == 0


def run_on_a_disk(shell: Shell) -> tuple[dict[str, str], str, Path]:
    """Run, fill the disk, make room and resume; returns exit codes, what was said, and the home."""
    shell.home.mkdir()
    said, kept = shell.home.parent / "said.txt", shell.home.parent / "kept"
    done = subprocess.run(
        ["unshare", "-m", "bash", "-c", ON_A_DISK_OF_ITS_OWN],
        env=shell.environ
        | {
            "RUNOFF": COMMAND,
            "PYTHON": sys.executable,
            "CAMPAIGN": str(shell.campaign()),
            "SAID": str(said),
            "KEPT": str(kept),
            "WAIT_FOR_PICTURES": WAIT_FOR_PICTURES,
        },
        capture_output=True, text=True, timeout=LIMIT_S, check=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    codes = dict(line.split(": ") for line in done.stdout.splitlines())
    return codes, said.read_text(), kept


def assert_nothing_is_bought_twice(shell: Shell, provider: Provider) -> str:
    """Hold the ledger against the bill; returns how the resumed run should have ended."""
    (run,) = shell.json("runs")
    states = Counter(run["orders"])
    assert set(states) <= {"received", "unknown"}
    charged = [entry for entry in provider.orders() if entry["charged_nanousd"]]
    assert len(charged) == states["received"] + states["unknown"]
    return "4" if states["unknown"] else "0"


@pytest.mark.slow  # every day: a disk that fills up, in integration/test_buyer.py
@pytest.mark.skipif(not can_mount(), reason="mounting a small disk takes root's rights")
def test_a_full_disk_stops_a_run_that_then_goes_on_without_a_second_purchase(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """One message instead of a traceback; with room again the run is finished and the ledger is right."""
    provider = open_provider(pace=0.15)
    codes, said, kept = run_on_a_disk(shell)
    assert codes["first"] == "1", said
    assert "Traceback" not in said, said
    assert str(shell.home) in said
    shell.home.rmdir()
    kept.rename(shell.home)
    assert codes["second"] == assert_nothing_is_bought_twice(shell, provider), said
    assert codes["verify"] == "0"


@pytest.mark.long
def test_a_folder_that_turns_read_only_stops_a_run_that_then_goes_on(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """What was under way is not lost in silence, nothing is sent twice, and the resume buys the rest."""
    provider = open_provider(pace=0.15)
    words = [COMMAND, "run", str(shell.campaign())]
    with started(
        words, env=shell.environ, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as run:
        subprocess.run([sys.executable, "-c", WAIT_FOR_PICTURES, shell.home], check=True, timeout=LIMIT_S)
        (folder,) = (path for path in (shell.home / "otters").iterdir() if path.is_dir())
        try:
            if subprocess.run(["chattr", "-R", "+i", folder], capture_output=True, check=False).returncode:
                pytest.skip("files cannot be made immutable here")
            _, said = wait_for_end(run, LIMIT_S)
        finally:
            subprocess.run(["chattr", "-R", "-i", folder], check=False)
    assert run.returncode == 1, said
    assert "Traceback" not in said, said
    assert str(folder) in said
    again = shell.runoff("run", "--resume", "latest")
    assert str(again.returncode) == assert_nothing_is_bought_twice(shell, provider), again.stderr
    assert shell.runoff("ledger", "verify").returncode == 0


ON_A_READ_ONLY_HOME = """
mount --bind "$RUNOFF_HOME" "$RUNOFF_HOME" && mount -o remount,ro,bind "$RUNOFF_HOME"
for words in "runs" "report" "rescore" "ledger spend" "ledger verify" "ledger backup" "ledger rebuild" \
    "ledger restore --yes" "promote --yes" "demo"; do
    echo "== $words"; "$RUNOFF" $words 2>&1; echo "code $?"
done
"""


@pytest.mark.slow  # every day: unit/tasks/storage/test_home.py and integration/test_ledger_opening.py
def test_every_command_says_in_one_sentence_that_a_home_is_read_only(shell: Shell) -> None:
    """No traceback, whoever opens the ledger or locks a run; nothing is bought."""
    if not can_mount():
        pytest.skip("needs to mount a folder as read-only")
    paid_home(make_folder(shell.home))
    backed_up = shell.runoff("ledger", "backup")
    assert backed_up.returncode == 0, backed_up.stderr
    done = subprocess.run(
        ["unshare", "-m", "bash", "-c", ON_A_READ_ONLY_HOME],
        env=shell.environ | {"RUNOFF": COMMAND},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert "Traceback" not in done.stdout
    for said in done.stdout.split("== ")[1:]:
        assert "code 1" in said
        assert "this user may" in said, said
        assert "--home" in said, said


def make_folder(folder: Path) -> Path:
    """Make a folder."""
    folder.mkdir()
    return folder
