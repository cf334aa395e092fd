#!/bin/sh
# Makes configure and what it needs, from configure.ac and Makefile.am.
set -e
cd "$(dirname "$0")"
mkdir -p build-aux
autoreconf --install --force "$@"
