"""promptfoo, for comparison: installed by npm into a folder, and given the same requests.

It needs npm and a registry of packages, or a folder in which ``npm install promptfoo`` was run; its telemetry
and its look for a newer version are switched off.
"""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import yaml

QUIET = {
    "PROMPTFOO_DISABLE_TELEMETRY": "1",
    "PROMPTFOO_DISABLE_UPDATE": "1",
    "PROMPTFOO_DISABLE_REMOTE_GENERATION": "1",
}
INSTALL_LIMIT_S = 900


def find_promptfoo(folder: Path) -> tuple[Path | None, str]:
    """Find promptfoo in a folder, or install it there.

    Returns:
        Its command and version; or ``None`` and why there is none.
    """
    command = folder / "node_modules/.bin/promptfoo"
    if not command.exists():
        if shutil.which("npm") is None:
            return None, "there is no npm here"
        folder.mkdir(parents=True, exist_ok=True)
        words = ["npm", "install", "promptfoo", "--no-audit", "--no-fund", "--prefix", str(folder)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=INSTALL_LIMIT_S, check=False)
        if done.returncode or not command.exists():
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            return None, f"npm could not install it: {last}"
    about = json.loads((folder / "node_modules/promptfoo/package.json").read_text(encoding="utf-8"))
    return command, str(about["version"])


def promptfoo_words(
    command: Path, folder: Path, url: str, n_orders: int, concurrency: int
) -> list[str | Path]:
    """Write its configuration into a folder; returns the command that buys that many pictures.

    Args:
        command: promptfoo.
        folder: Where its configuration and results are.
        url: The provider.
        n_orders: A multiple of 20: two prompts and ten rows.
        concurrency: How many requests may be in flight.
    """
    settings = {"apiBaseUrl": url, "quality": "low", "size": "1024x1024", "output_format": "png"}
    configuration = {
        "prompts": ["Picture {{ number }}, watercolour", "Picture {{ number }}, studio photograph"],
        "providers": [{"id": "openai:image:gpt-image-2", "config": settings}],
        "tests": [{"vars": {"number": number}} for number in range(10)],
    }
    (folder / "promptfooconfig.yaml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
    return [
        command, "eval", "--no-cache", "--no-table", "--no-progress-bar", "--repeat", str(n_orders // 20),
        "--max-concurrency", str(concurrency), "--output", "results.json",
    ]  # fmt: skip


def promptfoo_environ(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return an environment in which it keeps everything in a folder and asks nobody else."""
    return {**environ, **QUIET, "PROMPTFOO_CONFIG_DIR": str(folder / "promptfoo")}
