#!/bin/bash
# Builds dist/appliance-VERSION.tar.gz, which the role `appliance` installs: the wheel, and by hash the wheels of its
# dependencies, and of the extra `postgres`, for each Python below, so that the target machine contacts no package index. Its
# SHA-256 goes into a file next to it. The same commit and locks give the same archive.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
source=${SOURCE:-$root}                 # the tree that the wheel is built from
pythons=${PYTHONS:-"3.11 3.13"}         # Debian 12 and 13
machine=${MACHINE:-$(uname -m)}         # x86_64 or aarch64
bin=$root/.venv/bin
dist=${DIST:-$root/dist}
wheels=$root/build/wheels               # kept between builds; pip looks here first
epoch=$(git -C "$source" log -1 --format=%ct 2>/dev/null || echo 1767225600)
export SOURCE_DATE_EPOCH=$epoch PIP_DISABLE_PIP_VERSION_CHECK=1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$dist" "$wheels"
export CROSS_COMPILED=$work/libfastjpeg.so.1 # read by the wheel's hook

cross_compile() { # the extension for another kind of machine, where its compiler is; libjpeg's headers are the same for both
    [ "$machine" != "$(uname -m)" ] && command -v "$machine-linux-gnu-gcc" >/dev/null || return 0
    make -s -C "$source" CC="$machine-linux-gnu-gcc -idirafter /usr/include/$(uname -m)-linux-gnu" \
        FAST_JPEG="$CROSS_COMPILED" "$CROSS_COMPILED"
}

build_wheel() {
    (cd "$source" && "$bin/hatchling" build -t wheel -d "$work/own" >/dev/null 2>&1)
    version=$(basename "$work"/own/appliance-*.whl | cut -d- -f2)
    release=$work/appliance-$version
    mkdir -p "$release/wheels"
    cp "$work"/own/*.whl "$release/wheels/"
}

build_pyvips() { # no wheel is published; without pkg-config files it is pure Python, and bound to no system library
    sed -n '/^pyvips==/,/[^\\]$/p' "$root/requirements.lock" >"$work/pyvips.lock"
    [ -n "$(find "$wheels/" -name "pyvips-$(sed -n 's/^pyvips==\([^ ]*\).*/\1/p' "$work/pyvips.lock")-*any.whl")" ] && return
    PKG_CONFIG_PATH='' PKG_CONFIG_LIBDIR=/nonexistent "$bin/pip" wheel --quiet --no-build-isolation --no-deps \
        --no-cache-dir --require-hashes -r "$work/pyvips.lock" -w "$wheels"
}

gather() { # every other wheel, for one Python
    local -a platforms=()
    for glibc in 36 35 34 31 28 27 26 24 17 12 5; do platforms+=(--platform "manylinux_2_${glibc}_$machine"); done
    sed '/^pyvips==/,/[^\\]$/d' "$root/requirements-postgres.lock" >"$work/other.lock"
    "$bin/pip" download --quiet --only-binary=:all: --no-deps --require-hashes -r "$work/other.lock" \
        --implementation cp --python-version "$1" "${platforms[@]}" --platform "manylinux2014_$machine" \
        --find-links "$wheels" -d "$work/gathered"
    cp -n "$work"/gathered/*.whl "$wheels/"
}

pin() { # every wheel of the release by its hash, as pip reads it
    for wheel in *.whl; do
        name=${wheel%%-*}
        rest=${wheel#*-}
        printf '%s==%s %s\n' "${name//_/-}" "${rest%%-*}" "$(sha256sum "$wheel" | cut -d' ' -f1)"
    done | sort | awk '{ if ($1 != last) { printf "%s%s", (last ? "\n" : ""), $1 } printf " --hash=sha256:%s", $2; last = $1 }
        END { print "" }'
}

cross_compile
build_wheel
case $(basename "$work"/own/*.whl) in # only a wheel with the C extension is for one kind of machine
*-any.whl) echo "This release resizes JPEGs by libvips alone: it has no C extension for $machine (docs/fast-jpeg.md)" >&2 ;;
esac
build_pyvips
for python in $pythons; do gather "$python"; done
cp "$work"/gathered/*.whl "$release/wheels/"
cp "$wheels/pyvips-$(sed -n 's/^pyvips==\([^ ]*\).*/\1/p' "$work/pyvips.lock")"-*any.whl "$release/wheels/"
(cd "$release/wheels" && pin >../requirements.txt)
cp -R "$root/systemd" "$release/systemd"
cp "$source/LICENSE" "$release/"
printf '%s\n' "$version" >"$release/VERSION"

name=appliance-$version.tar.gz
tar -C "$work" --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --mode='u+rwX,go+rX,go-w' \
    -cf - "appliance-$version" | gzip -1 -n >"$dist/$name.new"
mv "$dist/$name.new" "$dist/$name"
(cd "$dist" && sha256sum "$name" >"$name.sha256")
printf 'dist/%s (%s, %s)\n' "$name" "$(du -h "$dist/$name" | cut -f1)" "$(cut -d' ' -f1 "$dist/$name.sha256")"
