"""The rule on who may include whom: dependencies point one way, and each library has one folder that knows it."""
import os
import re
import sys

TOP = os.path.join(os.environ.get("srcdir", "."), "daemon")

# Folder -> the folders whose headers it may include, besides its own. "" is daemon/ itself.
MAY = {
    "base": "",
    "data": "base",
    "attr": "base data schedule",
    "schedule": "base",
    "desired": "base data attr schedule",
    "sign": "base",
    "http": "base",
    "cloud": "base data attr sign http",
    "live": "base data attr schedule desired http cloud",
    "plan": "base data attr schedule desired live",
    "execute": "base data attr schedule desired sign http cloud live plan",
    "control": "base",
    "record": "base data attr schedule desired http cloud live plan execute .",
    "sync": "base data attr desired",
    "cmd": "base data attr schedule desired sign http cloud live plan execute control record sync .",
    "keeper": "base data attr schedule desired sign http cloud live plan execute control record .",
    ".": "base data attr schedule desired sign http cloud live plan execute control record sync keeper cmd",
}
# Library header -> who may name it.
LIBRARIES = {"curl/": "http", "yaml.h": "data", "cjson/": "data", "openssl/": "sign",
             "systemd/": "base/log.c base/journal-socket.c http cloud live/observe execute control record keeper cmd . live"}
# What must be pure sees no I/O library, not even through the headers that it includes.
PURE = ["base/clock.c", "attr", "schedule", "desired/claim.c", "desired/spec.c", "plan", "live/live.c", "http/retry.c", "record/fold.c", "record/history.c"]


def includes(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return re.findall(r'^#include ([<"])([^>"]+)[>"]', f.read(), re.M)


def folder(path):
    return os.path.dirname(path) or "."


def reached(path, seen):
    """Library headers that `path` sees, through whatever it includes."""
    if path in seen:
        return set()
    seen.add(path)
    found = set()
    for kind, name in includes(path):
        if kind == "<":
            found.add(name)
        elif name != "config.h" and os.path.exists(os.path.join(TOP, name)):
            found |= reached(name, seen)
    return found


def main():
    problems, files = [], []
    for root, _, names in os.walk(TOP):
        files += [os.path.relpath(os.path.join(root, n), TOP) for n in names
                  if n.endswith((".c", ".h")) and not n.endswith("-test.c") and not n.startswith("fault-server")]
    for path in sorted(files):
        here = folder(path)
        for kind, name in includes(path):
            if kind == '"' and name != "config.h":
                there = folder(name)
                if there != here and there not in MAY[here].split():
                    problems.append("%s includes %s" % (path, name))
            for prefix, allowed in LIBRARIES.items():
                if kind == "<" and name.startswith(prefix) and here not in allowed.split() and path not in allowed.split():
                    problems.append("%s includes <%s>" % (path, name))
        if path.endswith(".c") and (here in PURE or path in PURE):
            for name in sorted(reached(path, set())):
                if name.startswith(("curl/", "systemd/", "openssl/", "sys/socket")):
                    problems.append("%s is pure and yet reaches <%s>" % (path, name))
    print("1..1")
    print("%sok 1 - %d files include only what their layer may" % ("not " if problems else "", len(files)))
    for problem in problems:
        print("# " + problem)
    sys.exit(1 if problems else 0)


main()
