#!/bin/sh
# Puts the servers that ours is measured against under build/peers: thumbor (Python), sharp (Node, beside its script), and
# last oximg (Rust, 3 to 4 minutes on 2 cores). What can't be installed is named, and its rows say "skipped".
set -u

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
peers="$root/build/peers"
mkdir -p "$peers"

say() { printf 'make bench-peers: %s\n' "$*" >&2; }

if [ -x "$peers/thumbor/bin/thumbor" ]; then say "thumbor is there already"
else
    "${PYTHON:-python3}" -m venv "$peers/thumbor" && "$peers/thumbor/bin/python" -m pip --quiet install 'thumbor==7.8.*' ||
        say "thumbor was not installed"
fi

(cd "$root/benchmarks/peers/sharp" && "$root/web/with-node" npm ci --silent) || say "sharp was not installed"

if [ -x "$peers/bin/oximg" ]; then say "oximg is there already"
elif command -v cargo >/dev/null; then cargo install --quiet --locked --root "$peers" --version 0.18.1 oximg || say "oximg was not built"
else say "oximg needs Rust's cargo"; fi
