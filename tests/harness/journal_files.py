"""Journal files made by a test, entry by entry: their times, boots and writers are the test's to choose."""
import glob
import os
import re
import shutil
import struct
import subprocess

REMOTE = next((p for p in ("/lib/systemd/systemd-journal-remote", "/usr/lib/systemd/systemd-journal-remote") if os.path.exists(p)),
              shutil.which("systemd-journal-remote"))
TOP = os.environ.get("srcdir", ".")
BOOT, OTHER_BOOT = "b" * 32, "c" * 32

with open(os.path.join(TOP, "daemon/record/event.c"), encoding="utf-8") as _f:
    MESSAGE_IDS = dict(re.findall(r'\{"([a-z-]+)", "([0-9a-f]{32})"', _f.read()))


def field(name, value):
    """In the journal's export format."""
    data = value if isinstance(value, bytes) else str(value).encode()
    if re.fullmatch(rb"[\x20-\x7e]*", data):
        return name.encode() + b"=" + data + b"\n"
    return name.encode() + b"\n" + struct.pack("<Q", len(data)) + data + b"\n"


def exported(time, fields, boot=BOOT, monotonic=None):
    """One entry; `time` in seconds, `fields` as (name, value) pairs."""
    usec = round(time * 1000000)
    head = "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%s\n" % (usec, usec if monotonic is None else monotonic, boot)
    return head.encode() + b"".join(field(*pair) for pair in fields) + b"\n"


def write_journal(path, entries):
    """A file of entries, which appears in its folder whole."""
    new = os.path.dirname(path) + ".new.journal"
    done = subprocess.run([REMOTE, "-o", new, "-"], input=b"".join(entries), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0 and os.path.getsize(new), done.stdout
    assert not glob.glob(glob.escape(new[:-len(".journal")]) + "@*"), "too much for one file"
    os.rename(new, path)
