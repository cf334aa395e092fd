#!/usr/bin/env python3
"""`imagekeeper sync` by ssh, from a real sshd on this machine. Prints TAP."""
import getpass
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from case import case, run, skip  # noqa: E402
from repository import SyncWorld  # noqa: E402
from sshd import make_key, sshd, why_not  # noqa: E402

if why_not():
    skip(why_not())


def settings(w, port, **more):
    address = "ssh://%s@127.0.0.1:%d%s" % (getpass.getuser(), port, w.up.path)
    return dict({"repository": address, "sshKeyFile": "./key", "knownHostsFile": "./known"}, **more)


@case
def fetches_by_ssh(w):
    with sshd(w.folder) as port:
        w.configure(**settings(w, port))
        w.synced(w.up.first)
        assert "nothing new" in w.sync(SSH_AUTH_SOCK="/nowhere").out
        w.synced(w.up.push())


@case
def refuses_unknown_hosts_and_wrong_keys(w):
    with sshd(w.folder) as port:
        make_key(w.folder, "wrong")
        w.configure(**settings(w, port))
        w.synced(w.up.first)
        w.up.push()
        w.configure(**settings(w, port, sshKeyFile="./wrong"))
        w.refused(w.up.first, "Permission denied")
        w.write(w.folder + "/none", "")
        w.configure(**settings(w, port, knownHostsFile="./none"))
        w.refused(w.up.first, "Host key verification failed")
        os.chmod(w.folder + "/key", 0o644)
        w.configure(**settings(w, port))
        w.refused(w.up.first, "sync.sshKeyFile", "chmod 600")


if __name__ == "__main__":
    run(workers=2, world=SyncWorld)
