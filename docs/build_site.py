"""Builds the documentation as a site: ``make site`` writes build/site, and any warning is an error.

Zensical reads one folder, so the pages are laid out in build/pages as they lie in the repository: links
between them are the same there as on a code host. Only links to an example lead to the page of examples.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SETTINGS = ROOT / "docs" / "site" / "zensical.toml"
EXAMPLES = "configs/campaigns/index.md"
LINK_TO_EXAMPLE = re.compile(r"\]\(((?:\.\./)*)configs/campaigns/?(?:([\w-]+)\.yaml)?\)")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def nav_pages() -> Iterator[str]:
    """Walk the pages of the navigation, in their order."""
    for group in load_settings()["nav"]:
        for pages in group.values():
            for page in pages:
                yield from page.values()


def load_settings() -> dict[str, Any]:
    """Read the site's settings."""
    settings: dict[str, Any] = tomllib.loads(SETTINGS.read_text(encoding="utf-8"))["project"]
    return settings


def examples() -> str:
    """Write the page of the campaigns in configs/campaigns, each as it stands."""
    lines = ["# The examples", "", "These campaigns are in `configs/campaigns`."]
    for file in sorted((ROOT / "configs" / "campaigns").glob("*.yaml")):
        lines += ["", f"## {file.stem}", "", "```yaml", file.read_text(encoding="utf-8").strip(), "```"]
    return "\n".join(lines) + "\n"


def link_examples(text: str) -> str:
    """Point links to an example, or to their folder, at the page of examples."""
    return LINK_TO_EXAMPLE.sub(
        lambda link: f"]({link[1]}{EXAMPLES}{f'#{link[2]}' if link[2] else ''})",
        text,
    )


def lay_out(folder: Path) -> None:
    """Copy the navigation's pages, pictures, style and files to watch by into a folder, as in the repository.

    Raises:
        FileNotFoundError: The navigation names a page that is not there.
    """
    for page in nav_pages():
        target = folder / page
        target.parent.mkdir(parents=True, exist_ok=True)
        text = examples() if page == EXAMPLES else link_examples((ROOT / page).read_text(encoding="utf-8"))
        target.write_text(text, encoding="utf-8")
    for part in ("images", "site", "watching"):
        shutil.copytree(ROOT / "docs" / part, folder / "docs" / part, ignore=shutil.ignore_patterns("*.toml"))


def build(folder: Path) -> int:
    """Lay out the pages in a folder and build the site there, in ``site``; returns Zensical's exit code."""
    for name in ("pages", "site"):
        shutil.rmtree(folder / name, ignore_errors=True)
    lay_out(folder / "pages")
    shutil.copy(SETTINGS, folder / "zensical.toml")
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=os.environ, check=False)
    reported = COLOUR.sub("", done.stdout + done.stderr).partition("Traceback")[0]
    sys.stdout.write(reported if done.returncode else f"The site is {folder / 'site' / 'index.html'}\n")
    return done.returncode


if __name__ == "__main__":
    sys.exit(build(ROOT / "build"))
