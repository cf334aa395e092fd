"""Runs in place of the program of a unit, and prints as one line of JSON what it could do: True for what a sandbox should prevent and did not.

All of it at once, as the unit is installed; directive-probe.py tries each directive by itself.
A system call that a filter stops gives EPERM, whatever its arguments; these are such that the kernel would say something else.
"""
import ctypes
import errno
import json
import mmap
import os
import resource
import socket
import subprocess

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
ADDR_NO_RANDOMIZE, CLONE_NEWUSER, S_ISUID_FILE = 0x0040000, 0x10000000, 0o4755


def allowed(name, *arguments):
    ctypes.set_errno(0)
    return getattr(libc, name)(*arguments) != -1 or ctypes.get_errno() != errno.EPERM


def works(function, *arguments):
    try:
        function(*arguments)
    except OSError:
        return False
    return True


def is_writable(path):
    return not os.statvfs(path).f_flag & os.ST_RDONLY


def set_user_id_bit():
    path = "/tmp/probe-set-user-id"
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    try:
        return allowed("chmod", path.encode(), S_ISUID_FILE)
    finally:
        os.unlink(path)


def new_user_namespace():
    child = os.fork()
    if child == 0:
        os._exit(0 if libc.unshare(CLONE_NEWUSER) == 0 else 1)
    return os.waitpid(child, 0)[1] == 0


with open("/proc/self/status") as f:
    status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
with open("/proc/self/uid_map") as f:
    uid_map = f.read().split()
write_and_execute = libc.mmap(None, mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)

print(json.dumps({"possible": {
    "User": os.geteuid() == 0,
    "CapabilityBoundingSet": int(status["CapBnd"], 16) != 0,
    "NoNewPrivileges": status["NoNewPrivs"] == "0",
    "ProtectSystem": is_writable("/etc") or is_writable("/usr") or is_writable("/var"),
    "ProtectHome": works(os.listdir, "/root"),
    "PrivateTmp": os.path.exists("/tmp/left-by-somebody"),
    "PrivateUsers": uid_map == ["0", "0", "4294967295"],
    "ProtectControlGroups": is_writable("/sys/fs/cgroup"),
    "ProtectProc": os.path.exists("/proc/1"),
    "ProcSubset": os.path.exists("/proc/meminfo"),
    "LockPersonality": allowed("personality", ADDR_NO_RANDOMIZE),
    "MemoryDenyWriteExecute": write_and_execute != ctypes.c_void_p(-1).value,
    "RestrictSUIDSGID": set_user_id_bit(),
    "RestrictNamespaces": new_user_namespace(),
    "RestrictAddressFamilies": works(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()),
    "SystemCallFilter @setuid": allowed("setuid", ctypes.c_uint(2 ** 32 - 1)),
    "SystemCallFilter @chown": allowed("fchown", -1, 0, 0),
    "SystemCallFilter @resources": allowed("setpriority", 99, 0, 0),
    "NoExecPaths": works(subprocess.run, ["/usr/bin/true"]),
    "LimitCORE": resource.getrlimit(resource.RLIMIT_CORE) != (0, 0),
    "UMask": os.umask(0o022) != 0o077,
}, "needed": {
    "its directory": works(lambda: open((os.environ.get("RUNTIME_DIRECTORY") or os.environ.get("STATE_DIRECTORY", "/nowhere")) + "/probe", "w").close()),
    "the configuration": works(lambda: open("/etc/imagekeeper/imagekeeper.yaml").close()),
    "the credential": works(lambda: open(os.environ.get("CREDENTIALS_DIRECTORY", "/nowhere") + "/credential").close()),
    "the certificates": works(lambda: open("/etc/ssl/certs/ca-certificates.crt").close()),
    "addresses": all(works(lambda f=f: socket.socket(f, socket.SOCK_STREAM).close()) for f in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)),
}, "namespaces": {name: os.readlink("/proc/self/ns/" + name) for name in ("mnt", "uts", "ipc", "user")},
    "devices": os.stat("/dev").st_dev}))
