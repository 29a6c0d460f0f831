"""Content Credentials (C2PA): who signed a picture, and whether its bytes are still those signed.

Content Credentials are a signed statement inside the file. Whether there are any follows from the container
(`tasks.pictures.container.has_c2pa`); who signed them and whether the signature is valid is read with
c2pa-python, which ``runoff[provenance]`` installs. Without it those facts are unknown, which is not the same
as "none". Nothing is fetched: manifests stored elsewhere on the network are ignored.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tasks.errors import SettingError
from tasks.limits import ANCHORS_BYTES
from tasks.pictures.container import detect_format, has_c2pa
from tasks.storage.regular_file import read_regular_text

if TYPE_CHECKING:
    import c2pa

ANCHORS_VARIABLE = "RUNOFF_C2PA_ANCHORS"
"""Names a PEM file of root certificates; signers certified by one of them are ``trusted``."""

ValidationState = Literal["valid", "invalid", "trusted"]
_STATES: Mapping[str | None, ValidationState] = {"Valid": "valid", "Invalid": "invalid", "Trusted": "trusted"}


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a picture's Content Credentials say; ``None`` where unknown.

    Args:
        has_manifest: Whether the container carries any, readable or not.
        issuer: The organization in the certificate that signed.
        generator: The program that made the statement, with its version.
        validation_state: ``valid``: the signature is valid and the bytes are those signed. ``trusted``: the
            signer is trusted too, see `ANCHORS_VARIABLE`. ``invalid``: changed since, wrongly signed, or
            unreadable.
        fault: Why it is invalid, as the library reports it.
    """

    has_manifest: bool | None = None
    issuer: str | None = None
    generator: str | None = None
    validation_state: ValidationState | None = None
    fault: str | None = None


def read_provenance(source: bytes | Path, anchors_file: str | None = None) -> Provenance:
    """Read and verify a picture's Content Credentials, whatever state they are in.

    Args:
        source: The whole file, or its path.
        anchors_file: A PEM file of root certificates, as ``RUNOFF_C2PA_ANCHORS`` names one.

    Returns:
        Without the extra ``provenance``, or where there is no manifest, ``has_manifest`` alone.

    Raises:
        SettingError: The file named by ``RUNOFF_C2PA_ANCHORS`` cannot be read or holds no certificates.
        OSError: ``source`` is a path that cannot be read.

    Source: C2PA Technical Specification, "Validation", https://spec.c2pa.org, checked 2026-11-22.
    """
    data = source.read_bytes() if isinstance(source, Path) else source
    is_present = has_c2pa(data)
    if not is_present:
        return Provenance(is_present)
    try:
        import c2pa
    except ImportError:
        return Provenance(is_present)
    context = _context(anchors_file)
    try:
        with c2pa.Reader(f"image/{detect_format(data)}", io.BytesIO(data), context=context) as reader:
            return _describe(reader)
    except (c2pa.C2paError, ValueError) as fault:  # broken JSON or text inside is a ValueError
        return Provenance(is_present, validation_state="invalid", fault=str(fault) or type(fault).__name__)


@cache
def _context(anchors_file: str | None) -> "c2pa.Context":
    """Set the library up once, for all threads, without network access."""
    import c2pa

    settings: dict[str, Any] = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
    try:
        if anchors_file:
            settings["trust"] = {"trust_anchors": read_regular_text(anchors_file, ANCHORS_BYTES)}
        return c2pa.Context.from_dict(settings)
    except (OSError, UnicodeDecodeError, c2pa.C2paError) as fault:
        raise SettingError(
            where=f"{ANCHORS_VARIABLE}={anchors_file}",
            what=f"cannot be read as certificates: {fault}",
            accepted="a PEM file of root certificates",
            money="What was bought is kept.",
            next_step="Fix the file or unset the variable, then resume the run.",
        ) from fault


def _describe(reader: "c2pa.Reader") -> Provenance:
    state = _STATES.get(reader.get_validation_state())
    manifest: Mapping[str, Any] = reader.get_active_manifest() or {}
    return Provenance(
        has_manifest=True,
        issuer=(manifest.get("signature_info") or {}).get("issuer"),
        generator=_generator(manifest),
        validation_state=state,
        fault=_failure(reader.get_validation_results()) if state == "invalid" else None,
    )


def _generator(manifest: Mapping[str, Any]) -> str | None:
    """Name the program; manifests of the first version have a string, later ones a list."""
    for info in manifest.get("claim_generator_info") or ():
        return " ".join(str(info[key]) for key in ("name", "version") if info.get(key)) or None
    return manifest.get("claim_generator")


def _failure(results: Mapping[str, Any] | None) -> str | None:
    found = ((results or {}).get("activeManifest") or {}).get("failure") or ()
    # An untrusted signer is not a reason: valid manifests have one too.
    reasons = (
        entry.get("explanation") or entry.get("code")
        for entry in found
        if entry.get("code") != "signingCredential.untrusted"
    )
    return "; ".join(dict.fromkeys(text for text in reasons if text)) or None
