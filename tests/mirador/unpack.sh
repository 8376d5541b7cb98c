#!/bin/sh
# Puts Mirador's bundle at build/mirador/mirador.min.js for the long browser tests, without the packages that it was
# built from, which take 375 MB. Does nothing if it is there already.
set -eu

version=4.0.0
sha512=52fa4175d2dbc4b64d3c5573eece269070312823550fd07271414afb6b7633255a1f53d88eac9670c5ca72a9dce678b1959a4e415f0246a7d9ed9ddd26ff1413
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
bundle="$root/build/mirador/mirador.min.js"

is_right() { printf '%s  %s\n' "$sha512" "$1" | sha512sum --check --status 2>/dev/null; }

if is_right "$bundle"; then echo "make mirador: build/mirador is there already." >&2; exit 0; fi
mkdir -p "$root/build"
staging=$(mktemp -d "$root/build/mirador.XXXXXX")
trap 'rm -rf "$staging"' EXIT
(cd "$staging" && "$root/web/with-node" npm pack --silent "mirador@$version" >/dev/null)
tar -xzf "$staging/mirador-$version.tgz" -C "$staging" package/dist/mirador.min.js package/LICENSE
is_right "$staging/package/dist/mirador.min.js" || {
    echo "make mirador: the bundle of mirador $version is not the one that was checked." >&2
    exit 1
}
mkdir -p "$root/build/mirador"
mv -f "$staging/package/dist/mirador.min.js" "$staging/package/LICENSE" "$root/build/mirador/"
echo "make mirador: unpacked build/mirador/mirador.min.js" >&2
