"""Serving pictures by their id: files of this ledger's runs, and no other file.

A request has an id. The path comes from the ledger, must be in its run's folder, and the first bytes must be
those of a raster image: an SVG, which can contain scripts, is never sent. A picture whose bytes are not those
that were bought is not sent either.
"""

from pathlib import Path

from fastapi import APIRouter, HTTPException
from starlette.responses import FileResponse, Response

from flows.review.page_context import PageContext
from tasks.errors import PictureError
from tasks.limits import PICTURE_BYTES
from tasks.pictures.bought import MISSING, read_bought
from tasks.storage.home import run_folder
from tasks.storage.mirror import store_of
from tasks.storage.regular_file import open_regular

KINDS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


def routes(context: PageContext) -> APIRouter:
    """Make the routes of pictures and thumbnails."""
    router = APIRouter()

    @router.get("/pictures/{candidate_id}")
    def picture(candidate_id: str) -> Response:
        return send_picture(context, candidate_id)

    @router.get("/thumbnails/{candidate_id}")
    def thumbnail(candidate_id: str) -> Response:
        return send_picture(context, candidate_id, is_small=True)

    return router


def send_picture(context: PageContext, candidate_id: str, *, is_small: bool = False) -> Response:
    """Send a picture's bytes as they were bought, or its thumbnail if there is one.

    Args:
        context: What all pages share.
        candidate_id: The picture's candidate id.
        is_small: Send the thumbnail if there is one.

    Raises:
        HTTPException: 404; the ledger has no such picture, or its file is missing, not a picture, or not what
            was bought.
    """
    known = context.ledger.pictures.find(candidate_id)
    if known is None:
        raise HTTPException(404, "no such picture")
    folder = run_folder(context.settings.home, known.campaign, known.run_id).resolve()
    if is_small and known.thumbnail:
        thumbnail = _inside(folder, known.thumbnail)
        kind = thumbnail and _kind(thumbnail)
        if thumbnail and kind:
            return FileResponse(thumbnail, media_type=kind)
    path = _inside(folder, known.file)
    if path is None:
        raise HTTPException(404, f"its file {MISSING}")
    return whole_picture(path, known.sha256)


def whole_picture(path: Path, sha256: str) -> Response:
    """Answer with a picture's bytes, if they are what was bought or sent, and a picture.

    Raises:
        HTTPException: 404; they are not.
    """
    try:
        data = read_bought(path, sha256)
    except PictureError as fault:
        raise HTTPException(404, f"its file {fault.what}") from fault
    kind = media_type_of(data[:12])
    if kind is None:
        raise HTTPException(404, "its file is not a picture")
    return Response(data, media_type=kind)


def _inside(folder: Path, name: str) -> Path | None:
    path = (folder / name).resolve()
    return path if path.is_relative_to(folder) and _is_here(path) else None


def _is_here(path: Path) -> bool:
    """Whether a picture is on this disk; with a store, a missing one is fetched now."""
    if not path.exists() and (store := store_of(path.parent)):
        store.fetch_file(path)
    return path.exists()


def _kind(path: Path) -> str | None:
    """Return the media type by the first bytes; ``None`` if it is not a picture or cannot be read."""
    try:
        with open_regular(path, PICTURE_BYTES) as file:
            return media_type_of(file.read(12))
    except OSError:
        return None


def media_type_of(head: bytes) -> str | None:
    """Return the media type of a raster image by its first 12 bytes; ``None`` if it is none."""
    if head[:4] == b"RIFF" and head[8:] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in KINDS.items() if head.startswith(start)), None)
