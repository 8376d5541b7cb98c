#!/bin/sh
# Puts a Debian for aarch64 at build/aarch64, in which the long tests run Python in an emulator: this Debian's arm64 packages
# of Python and libjpeg's headers, unpacked, and the wheels of requirements.lock in wheels/. This machine's own packages stay
# as they are. It takes half a minute and 220 MB.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
pip="$root/.venv/bin/python -m pip --disable-pip-version-check --quiet"
mkdir -p "$root/build"
staging=$(mktemp -d "$root/build/aarch64.XXXXXX")
trap 'rm -rf "$staging"' EXIT
system="$staging/system" wheels="$staging/system/wheels" apt="$staging/apt"

arm_apt() { # apt-get with lists, archives and a status of its own: nothing is installed there
    apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Install-Recommends=false \
        -o APT::Sandbox::User= -o Dir::State="$apt" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" \
        -o Dpkg::Use-Pty=0 "$@"
}

mkdir -p "$wheels" "$apt/lists/partial" "$apt/cache/archives/partial"
: >"$apt/status"
arm_apt update
arm_apt -y --download-only install python3 libstdc++6 libjpeg62-turbo-dev >/dev/null
for package in "$apt"/cache/archives/*.deb; do dpkg-deb -x "$package" "$system"; done

version=$(basename "$(readlink "$system/usr/bin/python3")")
platforms=
for glibc in 36 35 34 31 28 27 26 24 17; do platforms="$platforms --platform manylinux_2_${glibc}_aarch64"; done
sed '/^pyvips==/,/[^\\]$/d' "$root/requirements.lock" >"$staging/other.lock"
# shellcheck disable=SC2086 # words
$pip install --target "$wheels" --only-binary=:all: --no-deps --require-hashes -r "$staging/other.lock" \
    --implementation cp --python-version "${version#python}" $platforms --platform manylinux2014_aarch64
cp -R "$root"/.venv/lib/python3*/site-packages/pyvips "$wheels/" # no wheel is published, and this one is pure Python
touch "$system/.made"
rm -rf "$root/build/aarch64"
mv "$system" "$root/build/aarch64"
echo "make aarch64: unpacked build/aarch64" >&2
