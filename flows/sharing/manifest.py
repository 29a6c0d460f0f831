"""The manifest of what is handed on: each picture with its row's variables, digest and credentials."""

import json
from typing import Any

from flows.runs.run import StoredRun
from flows.sharing.contents import Contents, Row
from tasks.report_page.columns import VARIABLE
from tasks.report_page.rows import is_final

MANIFEST = "manifest.json"

_FACTS = (
    "arm", "replicate", "prompt", "model", "quality", "width", "height", "format", "c2pa", "c2pa_issuer",
    "c2pa_state", "score", "rank", "chosen_by", "fidelity", "accepted", "edition", "further_round",
)  # fmt: skip


def write_manifest(run: StoredRun, contents: Contents, verdict: str) -> bytes:
    """Write the manifest: every picture that is there, and why a finalist or final is not.

    Args:
        run: The run.
        contents: What is handed on.
        verdict: The report's first sentence.
    """
    names = {row["candidate_id"]: row["file"] for row in contents.rows if row["candidate_id"]}
    facts = {
        "campaign": run.record.campaign,
        "run_id": run.run_id,
        "started_at": run.record.started_at.isoformat(),
        "verdict": verdict,
        "pictures": [_picture(row, names) for row in contents.rows if row["file"]],
        "left_out": [{"candidate_id": name, "why": why} for name, why in sorted(contents.left_out.items())],
    }
    return (json.dumps(facts, indent=2, ensure_ascii=False, default=str) + "\n").encode()


def _picture(row: Row, names: dict[str, str | None]) -> dict[str, Any]:
    is_whole = not str(row["file"]).startswith("pictures/")
    described = {
        "file": row["file"],
        "kind": "final" if is_final(row) else "finalist" if row["finalist"] else "draft",
        "candidate_id": row["candidate_id"],
        "row": row["row"] + 1,
        "variables": {key[len(VARIABLE) :]: value for key, value in row.items() if key.startswith(VARIABLE)},
        "draft": names.get(row["draft_id"]) if row["draft_id"] else None,
        "is_untouched": is_whole,
        "sha256": row["sha256"] if is_whole else None,
        "bytes": row["bytes"] if is_whole else None,
    }
    own = {name: row[name] for name in _FACTS}
    return described | own | {"replicate": None if row["replicate"] is None else row["replicate"] + 1}
