#!/bin/sh
# Checks the unit files with systemd's own tools: each is valid, and no service is more exposed than 1.5 of 10.
# `systemd-analyze verify` looks for programs and users where the units name them, so it gets a root that has them.
set -eu

most=15 # in tenths
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

if ! command -v systemd-analyze >/dev/null; then
    if [ "${REQUIRE_ALL:-}" = 1 ] || [ -n "${CI:-}" ]; then
        echo "systemd-analyze is missing, but everything must be checked here. On Debian: apt-get install systemd" >&2
        exit 1
    fi
    echo "skipped: systemd/check.sh (systemd-analyze is missing; on Debian: apt-get install systemd)"
    exit 0
fi

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/etc/systemd/system" "$root/usr/lib/systemd"
cp "$here"/*.service "$here"/*.slice "$here"/*.socket "$root/etc/systemd/system/"
find "$here" -name '*.timer' -exec cp {} "$root/etc/systemd/system/" \;
for folder in /usr/lib/systemd/system /lib/systemd/system; do
    if [ -d "$folder" ]; then cp -R "$folder" "$root/usr/lib/systemd/" && break; fi
done
ln -s usr/lib "$root/lib"
sed -n 's/^Exec[A-Za-z]*=[-+!@:]*\([^ ]*\).*/\1/p' "$here"/*.service | sort -u | while read -r program; do
    mkdir -p "$root$(dirname "$program")"
    install -m 755 /dev/null "$root$program"
done

# Complaints about Debian's own units are not ours.
said=$(systemd-analyze verify --root="$root" --man=no --recursive-errors=no "$root"/etc/systemd/system/* 2>&1) || failed=1
if [ -n "${failed:-}" ] || [ -n "$said" ]; then
    printf '%s\n' "$said" >&2
    echo "systemd-analyze verify found faults in the units (see above)" >&2
    exit 1
fi
for unit in "$here"/*.service; do
    systemd-analyze security --no-pager --offline=yes --threshold="$most" "$unit" >"$root/table" || {
        grep '✗' "$root/table" >&2
        tail -n 1 "$root/table" >&2
        echo "$(basename "$unit") is more exposed than $most tenths" >&2
        exit 1
    }
    tail -n 1 "$root/table"
done
