"""What an operator installs (compose, units, a manifest) names what exists, and waits for paid requests."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import kubernetes_validate
import prefect.settings
import pytest
import yaml
from compose_spec import PyCompose

from flows.command_line import runoff
from flows.schedule.patience import PATIENCE_S
from tasks.secret_files import SUFFIX, with_secret_files

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
UNITS = sorted((ROOT / "configs" / "systemd").glob("*.service"))
MANIFEST = ROOT / "configs" / "kubernetes" / "runoff.yaml"
RESOURCES: list[dict[str, Any]] = list(yaml.safe_load_all(MANIFEST.read_text()))
UNITS_S = {"s": 1, "m": 60, "h": 3600}
OF_LIBRARIES = {
    "AWS_ACCESS_KEY_ID",
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "DO_NOT_TRACK",
    "PGPASSWORD",
    "TZ",
}


def seconds(text: str) -> float:
    """Read how long something lasts, such as 4h."""
    return int(text.rstrip("smh")) * UNITS_S.get(text[-1], 1)


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """List the pods of the manifest, by name."""
    for resource in RESOURCES:
        if resource["kind"] in ("Deployment", "Job"):
            yield resource["metadata"]["name"], resource["spec"]["template"]["spec"]


def commands() -> Iterator[tuple[str, list[str], float | None]]:
    """List every command with its place, and how long it may take to stop where that is said, seconds."""
    for name, service in COMPOSE["services"].items():
        if isinstance(service.get("command"), list):
            grace = service.get("stop_grace_period")
            yield f"compose.yaml {name}", service["command"], seconds(grace) if grace else None
    for unit in UNITS:
        text = unit.read_text()
        (line,), (grace,) = (
            re.findall(rf"^{key}=(.*)$", text, re.MULTILINE) for key in ("ExecStart", "TimeoutStopSec")
        )
        yield unit.name, shlex.split(line), seconds(grace)
    for name, pod in pods():
        (container,) = pod["containers"]
        yield f"runoff.yaml {name}", container["args"], pod.get("terminationGracePeriodSeconds")


COMMANDS = list(commands())


@pytest.mark.parametrize(("place", "words", "grace_s"), COMMANDS, ids=[place for place, *_ in COMMANDS])
def test_a_command_exists_with_its_options_and_may_wait_for_what_is_paid_for(
    place: str, words: list[str], grace_s: float | None
) -> None:
    """What may have requests in flight has as long as answers may take, and a report."""
    programs = [Path(word).name for word in words]
    if "runoff" not in programs:
        assert {"prefect", "python3"} & set(programs), place
        return
    words = words[programs.index("runoff") + 1 :]
    command = runoff.get_command(click.Context(runoff), words[0])
    assert command is not None, place
    context = command.make_context(words[0], words[1:])
    assert context is not None
    if words[0] in ("serve", "worker", "review"):
        assert grace_s is not None, place
        assert grace_s >= PATIENCE_S


def variables() -> Iterator[tuple[str, str]]:
    """List every variable with its place."""
    for name, service in COMPOSE["services"].items():
        yield from (
            (f"compose.yaml {name}", key)
            for key in service.get("environment", {})
            if "runoff" in service.get("image", "")
        )
    for unit in UNITS:
        for line in re.findall(r"^Environment=(.*)$", unit.read_text(), re.MULTILINE):
            yield from ((unit.name, part.partition("=")[0]) for part in shlex.split(line))
    for resource in RESOURCES:
        if resource["kind"] == "ConfigMap":
            yield from (("runoff.yaml", key) for key in resource["data"])
    for name, pod in pods():
        yield from ((f"runoff.yaml {name}", one["name"]) for one in pod["containers"][0].get("env", ()))
    dockerfile = (ROOT / "Dockerfile").read_text()
    yield from (
        ("Dockerfile", key) for key in re.findall(r"^(?:ENV| {4}) ?([A-Z_]+)=", dockerfile, re.MULTILINE)
    )


def test_every_variable_is_one_that_somebody_reads(tmp_path: Path) -> None:
    """Runoff's own stand in its code, Prefect's in Prefect; a secret given as a file is taken from there."""
    files = [
        *(ROOT / "flows").rglob("*.py"),
        *(ROOT / "tasks").rglob("*.py"),
        *(ROOT / "configs").glob("*.yaml"),
    ]
    code = "\n".join(file.read_text() for file in files)
    secret = tmp_path / "secret"
    secret.write_text("of the tests\n")
    own = {"PATH", "LANG", "PYTHONUNBUFFERED"}
    found = set(variables())
    assert len(found) > 40
    for place, variable in sorted(found):
        name = variable.removesuffix(SUFFIX)
        if name != variable:
            assert with_secret_files({variable: str(secret)})[name] == "of the tests", (place, variable)
        is_known = name in OF_LIBRARIES | own or f'"{name}"' in code or f"variable: {name}" in code
        assert is_known or hasattr(prefect.settings, name), (place, variable)


def test_the_compose_file_is_one_and_its_services_find_each_other() -> None:
    """Every secret, volume and service that one names is there; nothing secret stands in a variable."""
    compose = PyCompose.from_yaml(yaml.safe_dump(COMPOSE))  # with its merges done
    compose.validate()
    names = set(COMPOSE["services"])
    for name, service in COMPOSE["services"].items():
        assert set(service.get("depends_on", {})) <= names
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
        shown = {key: value for key, value in service.get("environment", {}).items() if key.endswith(SUFFIX)}
        assert {value.rpartition("/")[2] for value in shown.values()} <= set(service.get("secrets", ())), name
        assert "RUNOFF_PASSWORD" not in str(service)
        is_once = service.get("restart") == "on-failure"
        assert is_once or "healthcheck" in service, name


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: f"{one['kind']} {one['metadata']['name']}")
def test_the_manifest_is_one_that_kubernetes_accepts(resource: dict[str, Any]) -> None:
    """By the schemas of its newest version, without a field that it does not know."""
    kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)


def test_pods_are_not_root_and_mount_what_they_name() -> None:
    """No pod may become root, and every volume that a container mounts is there."""
    for name, pod in pods():
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["runAsUser"] == 10001
        (container,) = pod["containers"]
        assert {one["name"] for one in container["volumeMounts"]} <= {one["name"] for one in pod["volumes"]}
        assert container["securityContext"]["allowPrivilegeEscalation"] is False


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """Without a warning, where their programs are those of this environment."""
    copies = []
    for unit in UNITS:
        copies.append(tmp_path / unit.name)
        copies[-1].write_text(unit.read_text().replace("/opt/runoff/bin", str(Path(sys.executable).parent)))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *copies], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_unit_tells_only_the_command_to_stop() -> None:
    """What has flow runs tells them itself, once: a second signal ends them at once."""
    for unit in UNITS:
        text = unit.read_text()
        assert ("KillMode=mixed" in text) is ("bin/runoff " in text), unit.name
