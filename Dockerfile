# One image for every face and command: `docker run tracemark serve portal`, `… worker`, `… migrate`.
# Its steps are those of the Makefile: tools/setup.sh does the work in both.

FROM python:3.12-slim-bookworm AS build
WORKDIR /app
COPY pyproject.toml requirements.lock README.md LICENSE NOTICE ./
COPY tools/setup.sh tools/setup.sh
COPY gs1 gs1
COPY serials serials
COPY runtime runtime
COPY ledger ledger
COPY access access
COPY labels labels
COPY shoppers shoppers
COPY recall recall
COPY web web
COPY portal portal
COPY console console
COPY api api
COPY cli cli
COPY schema schema
COPY benchmarks benchmarks
COPY public_templates public_templates
RUN tools/setup.sh run && .venv/bin/python -m compileall -q gs1 serials runtime ledger access labels recall shoppers web portal console api cli schema

FROM python:3.12-slim-bookworm
LABEL org.opencontainers.image.title="Tracemark" org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
COPY --from=build /app /app
# Pango and the fonts: without Noto CJK a Chinese label would be empty boxes.
RUN tools/setup.sh system \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin tracemark \
    && install -d -o tracemark -g tracemark -m 0700 /var/lib/tracemark-data
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TRACEMARK_DATA_DIR=/var/lib/tracemark-data
VOLUME /var/lib/tracemark-data
USER 10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/livez', timeout=2)"]
ENTRYPOINT ["tracemark"]
CMD ["serve", "all", "--host", "0.0.0.0"]
