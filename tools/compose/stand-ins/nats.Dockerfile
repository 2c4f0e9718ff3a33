# Stands in for nats:2-alpine: the server that tools/up runs, with wget.
FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends wget \
 && rm -rf /var/lib/apt/lists/*
COPY nats-server /usr/local/bin/
CMD ["nats-server"]
