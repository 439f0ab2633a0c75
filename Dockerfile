FROM rust:1.95-trixie AS build
WORKDIR /src
COPY . .
# The caches stay with the builder, so unchanged dependencies are not compiled again. Cargo compares file times, and another
# copy of these sources may be newer in the cache. So `touch` makes Cargo always compile this crate.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    touch src/lib.rs && \
    cargo build --locked --release && \
    cp target/release/innkeeper /usr/local/bin/innkeeper && \
    mkdir /var/lib/innkeeper

# An image with glibc and certificates, without a shell and without a package manager.
FROM gcr.io/distroless/cc-debian13:nonroot
LABEL org.opencontainers.image.title="innkeeper" \
      org.opencontainers.image.description="A hotel reservation engine" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=build /usr/local/bin/innkeeper /usr/local/bin/innkeeper
COPY --from=build --chown=nonroot:nonroot /var/lib/innkeeper /var/lib/innkeeper
WORKDIR /var/lib/innkeeper
ENV INNKEEPER_DATABASE_URL=sqlite:///var/lib/innkeeper/innkeeper.db \
    INNKEEPER_LISTEN=0.0.0.0:8080 \
    INNKEEPER_LOG_FORMAT=json
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s CMD ["/usr/local/bin/innkeeper", "ready"]
ENTRYPOINT ["/usr/local/bin/innkeeper"]
CMD ["serve"]
