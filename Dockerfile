# One image for all machines of a team: the command, the review page, the Prefect server and the workers.
# The base is pinned by its digest, everything from PyPI by constraints.txt: renew both together.
# tests/end_to_end/test_containers.py carries these instructions out in an empty root.
FROM debian:bookworm-20260824-slim@sha256:88200866dfff7ea7f5cbcb6ec7c8a701889efe6fe859fe64d6990e4b07ea4171

# Time zones for schedules, media types for what Prefect's pages and the review page serve. Fonts: Pillow has its own.
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
      ca-certificates media-types python3 python3-venv tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 runoff \
 && install --directory --owner=runoff --group=runoff /var/lib/runoff

ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1 \
    PREFECT_SERVER_ANALYTICS_ENABLED=false \
    DO_NOT_TRACK=1 \
    PREFECT_UI_STATIC_DIRECTORY=/home/runoff/pages \
    RUNOFF_MIRRORS=/var/lib/runoff

WORKDIR /opt/runoff
COPY constraints.txt pyproject.toml README.md ./
COPY configs configs
COPY runoff runoff
COPY flows flows
COPY tasks tasks
RUN python3 -m venv /opt/venv \
 && pip install --no-cache-dir --upgrade --constraint constraints.txt pip \
 && pip install --no-cache-dir --constraint constraints.txt '.[postgres,s3,dask,provenance,xlsx]'

USER runoff
WORKDIR /home/runoff
# Reads secrets from files: OPENAI_API_KEY_FILE=/run/secrets/openai_api_key
ENTRYPOINT ["python3", "-m", "runoff.with_secrets"]
CMD ["runoff", "--help"]
