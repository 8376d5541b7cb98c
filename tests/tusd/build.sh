#!/bin/sh
# Puts tusd, the tus project's own server, at build/bin/tusd for benchmarks/large_uploads.py; does nothing when a working
# one is there already. Taken, in this order: $TUSD_BIN, a `tusd` on PATH, a build from source (see tests/go.sh).
set -eu

version=v2.8.0
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
target="$root/build/bin/tusd"

say() { printf '%s\n' "$*" >&2; }

works() { [ -x "$1" ] && "$1" -version 2>/dev/null | grep -qi version; }

. "$root/tests/go.sh"

link() {
    works "$1" || { say "make tusd: $1 is no tusd that runs here."; exit 1; }
    ln -sf "$1" "$target"
    say "make tusd: using $1"
    exit 0
}

mkdir -p "$root/build/bin"
if [ -n "${TUSD_BIN:-}" ]; then link "$(command -v "$TUSD_BIN" || printf '%s' "$TUSD_BIN")"; fi
if works "$target"; then say "make tusd: build/bin/tusd is there already."; exit 0; fi
if found=$(command -v tusd); then link "$found"; fi

go=$(find_go) || {
    say "make tusd: no tusd and no Go 1.24 or newer was found. Bring a Go from your system, or"
    say "  .venv/bin/pip install -e '.[minio-build]'; or set TUSD_BIN to a tusd you have already."
    exit 1
}
say "make tusd: building $version with $("$go" env GOVERSION); this takes a minute or two."
staging=$(mktemp -d "$root/build/tusd.XXXXXX")
trap 'rm -rf "$staging"' EXIT
# `go install` refuses it for the replacements in its go.mod; as a requirement of a module of our own it builds.
printf 'module tusd.build\n\ngo 1.24\n\nrequire github.com/tus/tusd/v2 %s\n' "$version" >"$staging/go.mod"
(cd "$staging" && GOFLAGS=-trimpath GOOS='' GOARCH='' "$go" build -mod=mod -o tusd github.com/tus/tusd/v2/cmd/tusd) || {
    say "make tusd: the build failed (see above). It needs the Go module proxy and 2 GB of disk."
    exit 1
}
works "$staging/tusd" || { say "make tusd: the binary was built but does not run here."; exit 1; }
mv -f "$staging/tusd" "$target"
say "make tusd: built build/bin/tusd"
