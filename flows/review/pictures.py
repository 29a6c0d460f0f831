"""Pictures by their id: bytes of this ledger's runs, and nothing else on the disk.

A request names an id. The path comes from the ledger, must lie in its run's folder, and its first bytes must
be those of a picture that browsers only paint: an SVG, which could act, is never sent.
"""

from pathlib import Path

from fastapi import APIRouter, HTTPException
from starlette.responses import FileResponse

from flows.review.page_context import PageContext
from tasks.storage.home import run_folder
from tasks.storage.mirror import store_of

KINDS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


def routes(context: PageContext) -> APIRouter:
    """Make the routes of pictures and thumbnails."""
    router = APIRouter()

    @router.get("/pictures/{candidate_id}")
    def picture(candidate_id: str) -> FileResponse:
        return send_picture(context, candidate_id)

    @router.get("/thumbnails/{candidate_id}")
    def thumbnail(candidate_id: str) -> FileResponse:
        return send_picture(context, candidate_id, is_small=True)

    return router


def send_picture(context: PageContext, candidate_id: str, *, is_small: bool = False) -> FileResponse:
    """Send a picture's bytes as they came, or its thumbnail where there is one.

    Raises:
        HTTPException: 404; the ledger knows no such picture, or its file is gone or is none.
    """
    known = context.ledger.pictures.find(candidate_id)
    if known is None:
        raise HTTPException(404, "no such picture")
    folder = run_folder(context.settings.home, known.campaign, known.run_id).resolve()
    for name in filter(None, (known.thumbnail if is_small else None, known.file)):
        path = (folder / name).resolve()
        kind = _kind(path) if path.is_relative_to(folder) and _is_here(path) else None
        if kind:
            return FileResponse(path, media_type=kind)
    raise HTTPException(404, "its file is not there")


def _is_here(path: Path) -> bool:
    """See that a picture is on this disk; with a store, one that is not comes when it is looked at."""
    if not path.exists() and (store := store_of(path.parent)):
        store.fetch_file(path)
    return path.exists()


def _kind(path: Path) -> str | None:
    """Tell the media type by the first bytes; ``None`` for what is no picture or cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError:
        return None
    if head[:4] == b"RIFF" and head[8:] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in KINDS.items() if head.startswith(start)), None)
