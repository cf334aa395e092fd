#!/usr/bin/env bash
# Builds and runs every test; ends with the line "N passed, N failed, N skipped".
#   tests/check.sh             gcc and clang without a warning, all tests, the tarball, the linters, valgrind
#   tests/check.sh --sanitize  all tests and the fuzzers, built with the address and undefined-behaviour sanitizers
# shellcheck source=tests/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

passed=0 failed=0 skipped=0
jobs=$(nproc)

# check WHAT COMMAND...: one check, quiet unless it fails.
check() {
    local what=$1
    shift
    if ("$@") >"$work/log" 2>&1; then
        passed=$((passed + 1))
        echo "ok: $what"
    else
        failed=$((failed + 1))
        echo "FAILED: $what"
        tail -n 60 "$work/log" | sed 's/^/    /'
    fi
}

configure_in() { # FOLDER [OPTION...]
    mkdir -p "$work/$1"
    cd "$work/$1"
    shift
    "$work/source/configure" --enable-werror "$@"
}

build() { # FOLDER [OPTION...]
    configure_in "$@"
    make -j"$jobs"
    make -j"$jobs" check TESTS=
}

# The test suite's own counts are added to ours.
suite() { # FOLDER
    cd "$work/$1"
    make -j"$jobs" check >"$work/suite.log" 2>&1 || true
    count() { sed -n "s/^# $1: *//p" "$work/suite.log" | tail -n 1; }
    if [ -z "$(count TOTAL)" ]; then
        failed=$((failed + 1))
        echo "FAILED: the test suite did not run"
        tail -n 60 "$work/suite.log"
        return
    fi
    passed=$((passed + $(count PASS)))
    failed=$((failed + $(count FAIL) + $(count ERROR)))
    skipped=$((skipped + $(count SKIP)))
    echo "the test suite: $(count PASS) passed, $(count FAIL) failed, $(count ERROR) broken, $(count SKIP) skipped"
    grep -hE '^(not ok|# |ERROR|.*# SKIP)' ./*.log daemon/*/*.log tests/*/*.log 2>/dev/null | grep -vE '^# (TOTAL|PASS|SKIP|XFAIL|FAIL|XPASS|ERROR|ok - tests)' | head -n 200 || true
}

tarball() {
    cd "$work/gcc"
    # The suite runs elsewhere; that the tarball is whole shows in one test of each sort.
    make distcheck TESTS="daemon/base/clock-test tests/lint/layers-test.py" DISTCHECK_CONFIGURE_FLAGS=--enable-werror
}

installation() {
    cd "$work/gcc"
    make install DESTDIR="$work/stage"
    "$work/stage/usr/local/bin/imagekeeper" --version
    "$work/stage/usr/local/sbin/imagekeeperd" --version
}

sources() { find daemon tests/simulator -name '*.c' ! -name '*-test.c' ! -name fault-server.c; }

tidy() {
    cd "$work/source"
    # shellcheck disable=SC2016
    sources | grep '^daemon' | xargs -P "$jobs" -I{} sh -c \
        'clang-tidy --quiet {} -- -std=gnu11 -D_GNU_SOURCE -I"$0" -Idaemon 2>/dev/null' "$work/gcc"
}

cpp_check() {
    cd "$work/source"
    # shellcheck disable=SC2046
    cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 -j "$jobs" \
        -D_GNU_SOURCE -DPACKAGE_VERSION='"0"' -Idaemon -Itests/simulator $(sources)
}

shell_check() {
    cd "$work/source"
    shellcheck -x autogen.sh tests/*.sh .ci/run
}

spelling() {
    cd "$work/source"
    codespell -q 3 -L nd,anually,ist --skip '*.pem,*.json,tests/specs,tests/e2e' daemon tests specs units doc README.md
}

under_valgrind() { # TEST PATTERN...
    cd "$work/gcc"
    srcdir=$work/source OCI_SIMULATOR=$work/gcc/tests/simulator/oci-simulator IMAGEKEEPER=$work/gcc/imagekeeper \
        IMAGEKEEPERD=$work/gcc/imagekeeperd PYTHONDONTWRITEBYTECODE=1 \
        WRAPPER="valgrind -q --leak-check=full --show-leak-kinds=definite,indirect,possible --errors-for-leak-kinds=definite,indirect,possible --error-exitcode=99" \
        python3 "$work/source/tests/e2e/$1" "${@:2}"
}

fuzz() { # FUZZER
    cd "$work/fuzz"
    "./tests/fuzz/$1" -max_total_time=20 -max_len=8192 -print_final_stats=0
}

report() {
    echo
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
}

# shellcheck disable=SC2086
install_packages $packages_build $packages_check
# shellcheck disable=SC2086
install_without_starting $packages_ssh || echo "without an ssh server: it cannot be installed here"
# shellcheck disable=SC2086
install_without_starting $packages_prometheus || echo "without promtool: its package cannot be installed here"
# shellcheck disable=SC2086
install_without_starting $packages_openstack || echo "without OpenStack: its packages cannot be installed here"
# shellcheck disable=SC2086
install_without_starting $packages_booted || echo "without a booted systemd: its packages cannot be installed here"
# shellcheck disable=SC2086
install_without_starting $packages_journal || echo "without journals made for tests: systemd-journal-remote cannot be installed here"
copy_sources
check "autogen.sh" "$work/source/autogen.sh"

if [ "${1:-}" = --sanitize ]; then
    check "gcc, -Werror, address and undefined-behaviour sanitizers" build asan --enable-dev
    suite asan
    check "clang, fuzzers" build fuzz --enable-fuzzers CC=clang
    for fuzzer in "$work"/source/tests/fuzz/*-fuzz.c; do
        name=$(basename "$fuzzer" .c)
        check "fuzzing for 20 s: $name" fuzz "$name"
    done
else
    check "gcc, -Werror" build gcc
    check "clang, -Werror" build clang CC=clang
    suite gcc
    check "make install DESTDIR=" installation
    check "make distcheck" tarball
    check "clang-tidy" tidy
    check "cppcheck" cpp_check
    check "shellcheck" shell_check
    check "codespell" spelling
    check "valgrind: plan and apply" under_valgrind apply-test.py 'apply_sends*' 'a_selector*' 'a_saved_plan*' 'one_broken*'
    check "valgrind: backups" under_valgrind backup-test.py 'what_is_decl*' 'copies*' 'a_faulty*'
    check "valgrind: schedules" under_valgrind schedule-test.py 'a_slot_is*' 'a_volume_that_van*' 'what_keep*' 'a_saved_plan_does*'
    check "valgrind: the calendar" under_valgrind calendar-test.py 'a_small*'
    check "valgrind: Huawei Cloud" under_valgrind ims-test.py 'one_patch*' 'a_selector*'
    check "valgrind: logins" under_valgrind ims-login-test.py 'a_revoked*' 'a_password*' 'an_iam_that_is*'
    check "valgrind: history" under_valgrind history-test.py 'an_entry*' 'junk*' 'files_that*' 'the_last*'
    check "valgrind: sync" under_valgrind sync-test.py 'the_first*' 'links*' 'a_forced*' 'a_wrong*'
    check "valgrind: the daemon" under_valgrind daemon-test.py 'repairs*' 'reads_conf*' 'broken_specs*' 'sigterm*'
fi
report
