# One image for the gateway and for workers of every kind: `docker build -t opswire .`
# What runs is told by the command: `serve` (default), `worker --celery`, `worker --url …`.

FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_COMPILE=1
RUN python -m venv /opt/opswire
WORKDIR /src
# The lock alone decides what is installed, so this layer lasts until it changes.
COPY requirements.lock ./
RUN /opt/opswire/bin/pip install --no-deps --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY core ./core
COPY commands ./commands
COPY channels ./channels
COPY gateway ./gateway
RUN /opt/opswire/bin/pip install --no-deps --no-build-isolation .

FROM python:3.13-slim
# Steps that write a changelog read the history of a repository.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 opswire \
    && useradd --system --uid 10001 --gid opswire --home-dir /data --no-create-home opswire \
    && install -d -o opswire -g opswire -m 0700 /data
COPY --from=build /opt/opswire /opt/opswire
WORKDIR /app
COPY config ./config
ENV PATH=/opt/opswire/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OPSWIRE_HOST=0.0.0.0 \
    OPSWIRE_DATA=/data \
    OPSWIRE_WORKERS__FOLDER=/tmp/work
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["ops"]
CMD ["serve"]
