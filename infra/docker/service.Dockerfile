# One recipe for every service: docker build -f infra/docker/service.Dockerfile --build-arg SERVICE=twin .
# Behind a proxy with its own certificate authority: --secret id=ca,src=/path/to/ca-bundle.crt
#
# uv and the sources are mounted while needed and end up in no layer. The dependencies that nearly all services
# share come first and depend only on the lock file: one layer for all images, built and stored once.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS uv
ARG UV_VERSION=0.13.8
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=secret,id=ca \
    if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi; \
    pip install --root-user-action=ignore --disable-pip-version-check "uv==${UV_VERSION}"

FROM ${PYTHON_IMAGE} AS third-party
ENV UV_COMPILE_BYTECODE=1 \
    UV_HTTP_TIMEOUT=180 \
    UV_LINK_MODE=copy \
    UV_PROJECT_ENVIRONMENT=/opt/forewarn \
    UV_PYTHON=/usr/local/bin/python3 \
    UV_PYTHON_DOWNLOADS=never
RUN groupadd --gid 10001 forewarn \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin forewarn
WORKDIR /src
RUN --mount=type=bind,from=uv,source=/usr/local/bin/uv,target=/usr/local/bin/uv \
    --mount=type=bind,source=pyproject.toml,target=pyproject.toml \
    --mount=type=bind,source=uv.lock,target=uv.lock \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=secret,id=ca \
    if [ -s /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca; fi; \
    uv sync --frozen --no-dev --no-install-workspace --package forewarn --extra runtime --extra kafka

FROM scratch AS sources
ARG SERVICE
COPY LICENSE pyproject.toml uv.lock ./
COPY libs/forewarn libs/forewarn
COPY services/${SERVICE} services/${SERVICE}

FROM third-party
ARG SERVICE
RUN --mount=type=bind,from=uv,source=/usr/local/bin/uv,target=/usr/local/bin/uv \
    --mount=type=bind,source=pyproject.toml,target=pyproject.toml \
    --mount=type=bind,source=uv.lock,target=uv.lock \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=secret,id=ca \
    if [ -s /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca; fi; \
    uv sync --frozen --no-dev --inexact --no-install-workspace \
        --package "forewarn-${SERVICE:?--build-arg SERVICE=name is missing}"
RUN --mount=type=bind,from=uv,source=/usr/local/bin/uv,target=/usr/local/bin/uv \
    --mount=type=bind,from=sources,target=/src,rw \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=secret,id=ca \
    if [ -s /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca; fi; \
    uv sync --frozen --no-dev --inexact --no-editable --package "forewarn-${SERVICE}"
COPY --chmod=0755 infra/docker/entrypoint.sh infra/docker/healthcheck.py /usr/local/lib/forewarn/
LABEL org.opencontainers.image.title="forewarn-${SERVICE}" \
      org.opencontainers.image.description="Forewarn: streaming digital twins and predictive maintenance" \
      org.opencontainers.image.licenses="Apache-2.0"
# Services write only to /tmp (a tmpfs in docker-compose.yml), so the root file system can be read-only.
# PYTHONSAFEPATH keeps that writable directory out of the import path.
ENV FOREWARN_SERVICE=${SERVICE} \
    MALLOC_ARENA_MAX=2 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    PATH=/opt/forewarn/bin:${PATH} \
    PROBE_HOST=0.0.0.0 \
    PROBE_PORT=8080 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1
WORKDIR /tmp
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["/opt/forewarn/bin/python", "-I", "-S", "/usr/local/lib/forewarn/healthcheck.py"]
ENTRYPOINT ["/usr/local/lib/forewarn/entrypoint.sh"]
