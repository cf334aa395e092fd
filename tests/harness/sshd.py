"""A real sshd of a test's own, on loopback."""
import contextlib
import os
import shutil
import socket
import subprocess
import time

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")


def why_not():
    """What is missing for one, or None."""
    if not SSHD or not shutil.which("ssh") or not shutil.which("ssh-keygen"):
        return "sshd or ssh is not installed"
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)  # where it locks itself in
    return None


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def make_key(folder, name):
    """The public half."""
    path = os.path.join(folder, name)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    with open(path + ".pub") as f:
        return f.read()


@contextlib.contextmanager
def sshd(folder):
    """Its port; the key `key` may enter. What it is made of is in `folder`, with the host's key as `known`."""
    host = make_key(folder, "host")
    write(folder + "/authorized", make_key(folder, "key"))
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    write(folder + "/known", "[127.0.0.1]:%d %s" % (port, host))
    write(folder + "/sshd_config", "Port %d\nListenAddress 127.0.0.1\nHostKey %s/host\nAuthorizedKeysFile %s/authorized\nStrictModes no\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nPermitRootLogin yes\nPidFile none\n" % (port, folder, folder))
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", folder + "/sshd_config"], stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
            assert time.monotonic() < end and process.poll() is None, "sshd does not start"
            time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait()
