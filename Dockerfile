# One image for all machines of a team: the command, the Prefect server and the workers.
FROM python:3.12-slim-bookworm

WORKDIR /opt/runoff
COPY pyproject.toml constraints.txt README.md ./
COPY configs configs
COPY runoff runoff
COPY flows flows
COPY tasks tasks
RUN pip install --no-cache-dir --constraint constraints.txt '.[postgres,s3,provenance]' \
 && useradd --create-home --uid 10001 runoff

USER runoff
WORKDIR /home/runoff
ENV PREFECT_SERVER_ANALYTICS_ENABLED=false DO_NOT_TRACK=1
CMD ["runoff", "--help"]
