"""Tries what directives of a unit prevent, and prints as one line of JSON which of it was possible: `directive-probe.py WORDS NAME...`, with the
names of probes below. WORDS is a file with what a look around told before (`directive-probe.py --look`).

A system call that a filter stops gives EPERM, whatever its arguments; these are such that the kernel would say something else, and nothing happens.
"""
import ctypes
import errno
import json
import mmap
import os
import platform
import resource
import signal
import socket
import stat
import subprocess
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
NAMESPACES = ("mnt", "uts", "ipc", "user")
ADDR_NO_RANDOMIZE, CLONE_NEWUSER, SCHED_RR = 0x0040000, 0x10000000, 2
KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, PTRACE_DETACH = 0, -3, 17
MAN = 200, 10  # the device that tunnels are made of, which a container may have
READ_WRITE_EXECUTE = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
GETPID_OF_32_BITS = b"\xb8\x14\x00\x00\x00\xcd\x80\xc3"  # mov eax, 20; int 0x80; ret
LEFT = "left-by-somebody"  # files of that name the test makes
CALLS = {"x86_64": {"keyctl": 250, "io_setup": 206}, "aarch64": {"keyctl": 219, "io_setup": 0}}.get(platform.machine())


def allowed(name, *arguments):
    ctypes.set_errno(0)
    return getattr(libc, name)(*arguments) != -1 or ctypes.get_errno() != errno.EPERM


def call_allowed(name, *arguments):
    return allowed("syscall", ctypes.c_long(CALLS[name]), *arguments)


def works(function, *arguments):
    try:
        function(*arguments)
    except OSError:
        return False
    return True


def in_a_child(function):
    """Its exit status, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        os._exit(int(function()))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def is_writable(path):
    return not os.statvfs(path).f_flag & os.ST_RDONLY


def status(name):
    with open("/proc/self/status") as f:
        return next(line.split(":\t")[1].rstrip("\n") for line in f if line.startswith(name + ":"))


def look():
    """What whoever has nothing of his own has in common with the others."""
    return {"namespaces": {name: os.readlink("/proc/self/ns/" + name) for name in NAMESPACES},
            "keyring": libc.syscall(ctypes.c_long(CALLS["keyctl"]), KEYCTL_GET_KEYRING_ID, ctypes.c_int(KEY_SPEC_SESSION_KEYRING), 0)}


def shares(name):
    return lambda: look()["namespaces"][name] == common["namespaces"][name]


def map_executable():
    return libc.mmap(None, mmap.PAGESIZE, READ_WRITE_EXECUTE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)


def make_device():
    path = "/run/probe-device-%d" % os.getpid()
    made = works(os.mknod, path, stat.S_IFCHR | 0o600, os.makedev(MAN[1], MAN[0]))
    if made:
        os.unlink(path)
    return made


def set_user_id_bit():
    path = "/tmp/probe-set-user-id-%d" % os.getpid()
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    try:
        return allowed("chmod", path.encode(), 0o4755)
    finally:
        os.unlink(path)


def call_of_another_architecture():
    def call():
        page = map_executable()
        ctypes.memmove(page, GETPID_OF_32_BITS, len(GETPID_OF_32_BITS))
        return ctypes.CFUNCTYPE(ctypes.c_int)(page)() != os.getpid()
    return in_a_child(call) == 0


def lock_memory():
    page = mmap.mmap(-1, mmap.PAGESIZE)
    return libc.mlock(ctypes.byref(ctypes.c_char.from_buffer(page)), mmap.PAGESIZE) == 0


def leave_in_shared_memory():
    with open("/dev/shm/" + LEFT, "w"):
        return True


PROBES = {
    "DynamicUser": lambda: os.geteuid() == 0,
    "User": lambda: os.geteuid() == 0,
    "UMask": lambda: os.umask(0o022) != 0o077,
    "LimitCORE": lambda: resource.getrlimit(resource.RLIMIT_CORE) != (0, 0),
    "CapabilityBoundingSet": lambda: int(status("CapBnd"), 16) != 0,
    "AmbientCapabilities": lambda: int(status("CapAmb"), 16) != 0,
    "NoNewPrivileges": lambda: status("NoNewPrivs") == "0",
    "ProtectSystem": lambda: is_writable("/etc") or is_writable("/usr") or is_writable("/var"),
    "ProtectHome": lambda: os.path.exists("/root/" + LEFT),
    "PrivateTmp": lambda: os.path.exists("/tmp/" + LEFT),
    "PrivateDevices": lambda: os.path.exists("/dev/" + LEFT),
    "DevicePolicy": make_device,
    "PrivateUsers": shares("user"),
    "PrivateIPC": shares("ipc"),
    "PrivateMounts": shares("mnt"),
    "ProtectHostname": shares("uts"),
    "ProtectClock": lambda: allowed("adjtimex", bytes(512)),  # which only reads it
    "ProtectKernelTunables": lambda: is_writable("/proc/sys/net"),
    "ProtectKernelModules": lambda: os.path.exists("/usr/lib/modules/" + LEFT),
    "ProtectKernelLogs": lambda: stat.S_IMODE(os.stat("/proc/kmsg").st_mode) != 0,  # what stands before it is nobody's
    "ProtectControlGroups": lambda: is_writable("/sys/fs/cgroup"),
    "ProtectProc": lambda: os.path.exists("/proc/1"),
    "ProcSubset": lambda: os.path.exists("/proc/meminfo"),
    "RemoveIPC": leave_in_shared_memory,  # whether it is still there afterwards the test sees
    "KeyringMode": lambda: look()["keyring"] == common["keyring"],
    "LockPersonality": lambda: allowed("personality", ADDR_NO_RANDOMIZE),
    "MemoryDenyWriteExecute": lambda: map_executable() != ctypes.c_void_p(-1).value,
    "RestrictRealtime": lambda: allowed("sched_setscheduler", 0, SCHED_RR, bytes(4)),
    "RestrictSUIDSGID": set_user_id_bit,
    "RestrictNamespaces": lambda: in_a_child(lambda: libc.unshare(CLONE_NEWUSER) != 0) == 0,
    "RestrictAddressFamilies": lambda: works(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()),
    "SystemCallArchitectures": call_of_another_architecture,
    "SystemCallErrorNumber": lambda: in_a_child(lambda: libc.fchown(-1, 0, 0) == 0) == -signal.SIGSYS,
    "SystemCallFilter": lambda: allowed("ptrace", PTRACE_DETACH, -1, 0, 0),  # in none of the sets that are let through
    "SystemCallFilter @privileged": lambda: allowed("chroot", None),
    "SystemCallFilter @resources": lambda: allowed("setpriority", 99, 0, 0),
    "SystemCallFilter @setuid": lambda: allowed("setuid", ctypes.c_uint(2 ** 32 - 1)),
    "SystemCallFilter @memlock": lock_memory,
    "SystemCallFilter @keyring": lambda: call_allowed("keyctl", 9999, 0, 0),
    "SystemCallFilter @aio": lambda: call_allowed("io_setup", 0, None),
    "SystemCallFilter @chown": lambda: allowed("fchown", -1, 0, 0),
    "NoExecPaths": lambda: works(subprocess.run, ["/usr/bin/true"]),
}

if __name__ == "__main__":
    if sys.argv[1] == "--look":
        print(json.dumps(look()))
    elif sys.argv[1] == "--names":
        print(json.dumps(sorted(PROBES)))
    else:
        with open(sys.argv[1]) as f:
            common = json.load(f)
        print(json.dumps({name: bool(PROBES[name]()) for name in sys.argv[2:]}))
