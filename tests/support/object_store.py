"""A store that speaks S3 over HTTP, on a free port, for the tests."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.storage.mirror import MIRRORS_VARIABLE, Store, mirror_of, store_of

BUCKET = "pictures"
KEYS = {
    "AWS_ACCESS_KEY_ID": "tests",
    "AWS_SECRET_ACCESS_KEY": "s3cret-of-the-tests",
    "AWS_REGION": "us-east-1",
}


@contextmanager
def object_store() -> Iterator[dict[str, str]]:
    """Start one with an empty bucket; yields the variables that lead a client to it."""
    import s3fs
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    files = s3fs.S3FileSystem(
        key=KEYS["AWS_ACCESS_KEY_ID"],
        secret=KEYS["AWS_SECRET_ACCESS_KEY"],
        endpoint_url=url,
        skip_instance_cache=True,
    )
    files.call_s3("create_bucket", Bucket=BUCKET)
    try:
        yield KEYS | {"AWS_ENDPOINT_URL": url}
    finally:
        server.stop()


def elsewhere(address: str, folder: Path) -> Store:
    """Be another machine: the same store, with a mirror of its own below a folder."""
    found = store_of(mirror_of(address, {MIRRORS_VARIABLE: str(folder / "there")}))
    assert found is not None
    return found
