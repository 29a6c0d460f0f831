"""All that writes passes a crash point: the few places that write are known, and each names its moments."""

import ast
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

import flows
from tasks.crash_points import Moment, watching
from tasks.storage.atomic import delete, write_together
from tests.support.ledgers import open_ledger

ROOT = Path(flows.__file__).parent.parent
SEAMS = {
    "tasks/ledger/restoring.py: move_aside",
    "tasks/storage/atomic.py: _write",
    "tasks/storage/atomic.py: delete",
    "tasks/storage/atomic.py: publish",
    "tasks/storage/atomic.py: publish_folder",
    "tasks/storage/atomic.py: write_together",
    "tasks/ledger/database.py: Database",
}
NOT_OF_A_RUN = {
    "flows/engine/registry.py: Registry": "the address of Prefect's server",
    "flows/engine/schema.py: _restore": "Prefect's own database",
    "flows/commands/added_model.py: write_block": "a catalogue that is read before it takes its place",
    "flows/engine/schema.py: write_schema": "a file of the source tree",
    "flows/engine/start_server.py: _HomeEngine": "the log of Prefect's server",
    "tasks/campaign/schema.py: main": "a file of the source tree",
    "flows/review/archive.py: stream_accepted": "an archive that is streamed, not stored",
    "tasks/diagnostics/machine.py: check_store": "a probe that is deleted",
    "tasks/ledger/backups.py: _clear_away": "what was not published",
    "tasks/ledger/backups.py: _thin_out": "one backup too many",
    "tasks/ledger/backups.py: back_up": "what is deleted if it was not published",
    "tasks/ledger/new_sqlite.py: write_statements": "a file of the source tree",
    "tasks/ledger/restoring.py: put_in_place": "what is deleted if it was not published",
    "tasks/memory.py: be_first_to_end": "a setting of the kernel's",
    "tasks/redaction/outputs.py: _nowhere": "the null device",
    "tasks/report_page/columns.py: module": "a page of the source tree",
    "tasks/storage/home.py: prepare_home": "a probe that is deleted",
    "tasks/storage/mirror.py: mirror_of": "the mirror's address",
    "tasks/storage/mirror.py: Store": "a copy of what the store holds",
}
WRITERS = {
    "write_text",
    "write_bytes",
    "unlink",
    "touch",
    "rename",
    "rmtree",
    "to_parquet",
    "copyfile",
    "move",
}


def writers(file: Path) -> Iterator[str]:
    """Name the outermost functions and classes of a file that write to disk or begin a transaction."""
    name = file.relative_to(ROOT).as_posix()
    for part in ast.parse(file.read_text(encoding="utf-8")).body:
        if any(map(_writes, ast.walk(part))):
            yield f"{name}: {getattr(part, 'name', 'module')}"


def _writes(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in ("open", "fdopen"):
        modes = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        return any(set(mode) & set("wax+") and set(mode) <= set("rwaxbt+") for mode in modes)
    if name == "replace":  # a path's has one argument, a text's two, a moment's only names
        return len(node.args) == 1 and not node.keywords and not _is_dataclass_replace(node)
    if name == "begin":
        return ast.unparse(node.func) in ("connection.begin", "self.engine.begin")
    if name == "to_parquet":
        return bool(node.args)
    return name in WRITERS


def _is_dataclass_replace(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name)


def test_only_the_seams_write() -> None:
    """A writer elsewhere would be a place where no test ends the process."""
    files = [file for folder in ("flows", "tasks", "runoff") for file in (ROOT / folder).rglob("*.py")]
    found = {writer for file in files if "/emulator/" not in file.as_posix() for writer in writers(file)}
    assert found == SEAMS | NOT_OF_A_RUN.keys()


def test_a_file_names_the_moments_of_its_writing(tmp_path: Path) -> None:
    """Two files that belong together: all bytes first, then the names, then the folder."""
    passed: list[tuple[Moment, list[str]]] = []
    with watching(lambda moment, paths: passed.append((moment, [path.name for path in paths]))):
        write_together([(tmp_path / "a", b"1"), (tmp_path / "b", b"2")])
        delete([tmp_path / "a"])
    assert passed == [
        ("before write", ["a", "b"]),
        ("file written", ["a"]),
        ("file written", ["b"]),
        ("file renamed", ["a"]),
        ("file renamed", ["b"]),
        ("folder synced", ["a", "b"]),
        ("before delete", ["a"]),
        ("file deleted", ["a"]),
    ]


def test_a_transaction_names_the_moment_before_and_after_its_commit(tmp_path: Path) -> None:
    """Before the commit another reader does not see what was written; afterwards it does."""
    with open_ledger(tmp_path) as ledger, open_ledger(tmp_path) as other:
        seen: list[tuple[Moment, int]] = []

        def look(moment: Moment, _: tuple[Path, ...]) -> None:
            with other.database.read() as connection:
                (n_slots,) = connection.execute(sa.text("SELECT COUNT(*) FROM allowances")).one()
                seen.append((moment, n_slots))

        with watching(look), ledger.database.write() as connection:
            connection.execute(sa.text("INSERT INTO allowances (name, state) VALUES ('a', '{}')"))
        assert seen == [("before commit", 0), ("committed", 1)]
