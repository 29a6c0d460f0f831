"""Only doors read the environment: what any other function does follows from what it is given."""

import ast
from collections.abc import Iterator
from pathlib import Path

import flows

ROOT = Path(flows.__file__).parent.parent
DOORS = {
    "flows/commands/options.py: read_settings",
    "flows/commands/serve.py: _begin",
    "flows/deployments.py: _read",
    "flows/deployments.py: require_server",
    "flows/deployments.py: work",
    "flows/more.py: more",
    "flows/more.py: more_arms",
    "flows/prefect_ui/cancellation.py: give_up_cancelled_flow_run",
    "flows/promote.py: promote",
    "flows/prototype.py: prototype",
    "flows/run_report.py: report_frame",
    "flows/command_line.py: runoff",
    "flows/runs/recovery.py: settle_failed_flow_run",
    "flows/serving.py: _give_up_if_cancelled",
    "flows/serving.py: _keep_to_retention",
    "flows/serving.py: _run",
    "flows/serving.py: end_reviews",
    "flows/serving.py: resume_unfinished",
    "flows/workers/worker.py: _open",
    "flows/workers/worker.py: _require_folder",
    "tasks/own_process.py: use_few_threads_and_one_heap",
}
"""Where a process begins: a command, a flow, Prefect's hook, a Dask worker's task, a call from Python."""

PREFECTS_OWN = {"flows/commands/buying.py: started_engine"}
"""Prefect takes its settings from the environment alone, so what starts it reads and sets them there; all of
``flows/engine`` besides."""


def readers(file: Path) -> Iterator[str]:
    """Name the outermost functions of a file in which ``os.environ`` or ``os.getenv`` stands."""
    name = file.relative_to(ROOT).as_posix()
    text = file.read_text(encoding="utf-8")
    if not any(word in text for word in ("environ", "getenv", "from os ")):  # most files need no parsing
        return
    for part in ast.parse(text).body:
        for node in ast.walk(part):
            is_read = isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb")
            is_of_os = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            if is_read and is_of_os and ast.unparse(node).startswith("os."):
                yield f"{name}: {getattr(part, 'name', 'module')}"
            if isinstance(node, ast.ImportFrom) and node.module == "os":
                yield f"{name}: from os import"


def test_no_function_below_the_doors_reads_the_environment() -> None:
    """No default argument does either; ``flows/engine`` starts Prefect and is left out."""
    files = [file for folder in ("flows", "tasks") for file in (ROOT / folder).rglob("*.py")]
    found = {reader for file in files for reader in readers(file) if "/engine/" not in reader}
    assert found == DOORS | PREFECTS_OWN
