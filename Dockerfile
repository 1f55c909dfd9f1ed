# syntax=docker/dockerfile:1
# One image for every role. It runs as nobody in particular, writes nothing outside /data and needs no other file:
#   docker build -t vitrine .
#   docker run --read-only -v vitrine:/data -p 8080:8080 -e APP__HTTP__PUBLIC_URL=http://localhost:8080 vitrine

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked && cp target/release/app /app && mkdir /data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /app /app
COPY --from=build --chown=65532:65532 /data /data
USER 65532:65532
ENV APP__DATA__DIR=/data \
    APP__HTTP__BIND=0.0.0.0:8080
VOLUME ["/data"]
EXPOSE 8080
# The program asks itself, over its local socket: there is no other tool in the image.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s CMD ["/app", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/app"]
CMD ["serve"]
