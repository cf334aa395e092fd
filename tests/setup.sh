# For demo.sh and check.sh, which read it in: packages, and a work folder that is gone afterwards.
# shellcheck shell=bash disable=SC2034

set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

packages_build="gcc make autoconf automake pkg-config xz-utils libcurl4-openssl-dev libyaml-dev libcjson-dev
    libsystemd-dev libssl-dev libcmocka-dev libmicrohttpd-dev python3 curl ca-certificates git"
packages_check="clang clang-tidy cppcheck shellcheck codespell valgrind util-linux libclang-rt-dev
    systemd tzdata python3-croniter gnupg openssh-client"
# A real cloud to test against; on a machine that cannot have it those tests skip themselves and say why.
packages_prometheus="prometheus" # for promtool, likewise
packages_ssh="openssh-server"    # likewise
packages_openstack="glance-api keystone uwsgi-core uwsgi-plugin-python3 python3-openstackclient"
# A systemd to boot, likewise.
packages_booted="systemd-container dbus"
# What makes journals for tests, likewise.
packages_journal="systemd-journal-remote"

missing_packages() { # NAME...
    local name
    for name in "$@"; do
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q ' installed$' || echo "$name"
    done
}

# install_packages NAME...: those that are missing, by apt, as root or through sudo.
install_packages() {
    local missing
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -eq 0 ] && return
    echo "installing: ${missing[*]}"
    local sudo=()
    [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    "${sudo[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# install_without_starting NAME...: the same for packages of services, which must not run because of us. What asks before
# it starts a service (policy-rc.d) is told no meanwhile, unless there is an answer already.
install_without_starting() (
    policy=/usr/sbin/policy-rc.d sudo=()
    [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    if [ -n "$(missing_packages "$@")" ] && [ ! -e "$policy" ]; then
        trap '"${sudo[@]}" rm -f "$policy"' EXIT
        trap 'exit 130' INT TERM
        printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee "$policy" >/dev/null
        "${sudo[@]}" chmod 755 "$policy"
    fi
    install_packages "$@"
)

# A copy of the sources is built, so that nothing is left in the tree.
work=$(mktemp -d "${TMPDIR:-/tmp}/imagekeeper.XXXXXX")
started=()
cleanup() {
    local pid
    for pid in "${started[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

copy_sources() {
    mkdir "$work/source"
    tar -C "$top" --exclude=./.git --exclude='./build*' --exclude=./autom4te.cache -cf - . | tar -C "$work/source" -xf -
}
