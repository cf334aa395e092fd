#!/usr/bin/env python3
"""`imagekeeper sync` by ssh, from a real sshd on this machine. Prints TAP."""
import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from case import case, run, skip  # noqa: E402
from repository import SyncWorld, have  # noqa: E402

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
if not SSHD or not have("ssh", "ssh-keygen"):
    skip("sshd or ssh is not installed")
if os.geteuid() == 0:
    os.makedirs("/run/sshd", exist_ok=True)  # where it locks itself in


def make_key(w, name):
    path = os.path.join(w.folder, name)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    with open(path + ".pub") as f:
        return f.read()


@contextlib.contextmanager
def sshd(w):
    """Its port; the key `key` may enter."""
    host = make_key(w, "host")
    w.write(w.folder + "/authorized", make_key(w, "key"))
    make_key(w, "wrong")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    w.write(w.folder + "/known", "[127.0.0.1]:%d %s" % (port, host))
    w.write(w.folder + "/sshd_config", "Port %d\nListenAddress 127.0.0.1\nHostKey %s/host\nAuthorizedKeysFile %s/authorized\nStrictModes no\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nPermitRootLogin yes\nPidFile none\n" % (port, w.folder, w.folder))
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", w.folder + "/sshd_config"], stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
            assert time.monotonic() < end and process.poll() is None, "sshd does not start"
            time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait()


def settings(w, port, **more):
    address = "ssh://%s@127.0.0.1:%d%s" % (getpass.getuser(), port, w.up.path)
    return dict({"repository": address, "sshKeyFile": "./key", "knownHostsFile": "./known"}, **more)


@case
def fetches_by_ssh(w):
    with sshd(w) as port:
        w.configure(**settings(w, port))
        w.synced(w.up.first)
        assert "nothing new" in w.sync(SSH_AUTH_SOCK="/nowhere").out
        w.synced(w.up.push())


@case
def refuses_unknown_hosts_and_wrong_keys(w):
    with sshd(w) as port:
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
