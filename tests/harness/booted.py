"""A systemd that was really booted, from an overlay over this machine's files, with a network of its own; nothing of this machine's is started or
changed.

    with Booted(folder, stage=INSTALLED, binds={"/etc/imagekeeper": path}) as machine:
        machine.run("systemctl", "start", "imagekeeperd")

Needs root and systemd-nspawn; Unbootable says why it is not to be had. If this program dies, however it dies, so does the machine.
"""
import ctypes
import itertools
import json
import os
import shutil
import subprocess
import time

# nspawn 252 refuses --volatile=overlay on /, so the overlay is made first. What runs here is not started there. LoadCredential= needs /run to be
# shared, which it is under nspawn; its filter of system calls would make DevicePolicy= void, so bpf is let through.
BOOT = r"""
set -e
for c in $CGROUPS; do echo $$ >"$c/cgroup.procs"; done
mount -t tmpfs -o mode=755 tmpfs "$FOLDER/layers"
cd "$FOLDER/layers"
mkdir upper work root
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
rm -rf root/etc/systemd/system/*.wants root/etc/rc?.d root/var/log/journal root/var/lib/dbus/machine-id
: >root/etc/fstab
: >root/etc/machine-id
mkdir -p root/var/log/journal
tar -C "$STAGE" --owner=root --group=root -c . | tar -C root -x --keep-directory-symlink --no-overwrite-dir
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 /sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs /run
exec systemd-nspawn -q -D root -M "$NAME" --register=no --keep-unit --private-network --link-journal=no --resolv-conf=off --timezone=off \
    --console=pipe --system-call-filter="bpf @clock @keyring @memlock" $BINDS --boot systemd.unit=multi-user.target
"""
# Reads until we are gone or say so; then nothing is left of the machine. A killed nspawn alone would leave its processes.
WATCH = r"""
read -r _ || :
for c in $CGROUPS; do [ ! -e "$c/cgroup.kill" ] || echo 1 >"$c/cgroup.kill"; done
for c in $CGROUPS; do
    n=0
    while [ -n "$(find "$c" -name cgroup.procs -exec cat {} + 2>/dev/null)" ] && [ $n -lt 500 ]; do sleep .02; n=$((n + 1)); done
    find "$c" -depth -type d -exec rmdir {} + 2>/dev/null
done
"""
DROPPED = "-sys_time,-sys_module,-sys_rawio,-mac_admin,-mac_override,-wake_alarm"
CLONE_NEWNET = 0x40000000


class Unbootable(Exception):
    """No machine can be booted here."""


class Result:
    def __init__(self, status, out):
        self.status, self.out = status, out

    @property
    def json(self):
        return json.loads(self.expect().out)

    def expect(self, status=0):
        assert self.status == status, "exit status %d, expected %d\n%s" % (self.status, status, self.out)
        return self


class Booted:
    numbers = itertools.count(1)

    def __init__(self, folder, stage, binds=None):
        self.folder, self.stage, self.binds = folder, stage, binds or {}
        self.name = "ik-test-%d-%d" % (os.getpid(), next(Booted.numbers))
        self.process = self.watcher = None
        self.cgroups = []

    @staticmethod
    def _hierarchies():
        """Where this machine's cgroups can be made: those of version 2, and systemd's own of version 1 beside them."""
        if os.path.exists("/sys/fs/cgroup/cgroup.procs"):
            return ["/sys/fs/cgroup"]
        return [h for h in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd") if os.path.exists(h + "/cgroup.procs")]

    def __enter__(self):
        if os.geteuid() != 0:
            raise Unbootable("booting a systemd needs root")
        for program in ("systemd-nspawn", "nsenter", "setpriv", "dbus-daemon"):
            if not shutil.which(program):
                raise Unbootable("there is no " + program)
        try:
            self._boot()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def _boot(self):
        try:
            for hierarchy in self._hierarchies():
                self.cgroups.append(os.path.join(hierarchy, self.name))
                os.mkdir(self.cgroups[-1])
        except OSError as e:
            raise Unbootable("no cgroup can be made: %s" % e) from e
        os.makedirs(self.folder + "/layers")
        environment = dict(os.environ, FOLDER=self.folder, STAGE=self.stage, NAME=self.name, CGROUPS=" ".join(self.cgroups),
                           BINDS=" ".join("--bind=%s:%s" % (path, where) for where, path in self.binds.items()))
        self.watcher = subprocess.Popen(["sh", "-c", WATCH], env=environment, stdin=subprocess.PIPE, start_new_session=True)
        with open(self.folder + "/console", "w") as console:
            self.process = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-c", BOOT], env=environment,
                                            stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        end = time.monotonic() + 300
        while self._run("systemctl", "is-system-running").out.strip() not in ("running", "degraded"):
            if self.process.poll() is not None:
                raise Unbootable("systemd does not boot: " + self._console())
            assert time.monotonic() < end, "systemd has not booted after 300 s: " + self._console()
            time.sleep(0.02)

    def _console(self):
        with open(self.folder + "/console", errors="replace") as console:
            return " / ".join(console.read().split("\n")[-4:])

    def _leader(self):
        """The machine's first process, as this one sees it; None: there is none yet."""
        try:
            with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)) as f:
                return int(f.read().split()[0])
        except (OSError, IndexError):
            return None

    def _run(self, *words):
        leader = self._leader()
        if leader is None:
            return Result(125, "")
        # Whoever enters keeps this machine's capabilities unless they are taken away.
        command = ["nsenter", "-t", str(leader), "--mount", "--pid", "--ipc", "--uts", "--net", "--cgroup", "--root", "--", "env", "-i", "-C", "/",
                   "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "SYSTEMD_PAGER=", "SYSTEMD_COLORS=0",
                   "setpriv", "--inh-caps", "-all", "--bounding-set", DROPPED, "--"]
        done = subprocess.run(command + list(words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=600)
        return Result(done.returncode, done.stdout)

    def run(self, *words):
        """A command inside, as root; stdout and stderr together."""
        assert self.process.poll() is None, "the machine is gone"
        return self._run(*words)

    def show(self, unit, *properties):
        """Those properties of a unit, or the one."""
        out = self.run("systemctl", "show", unit, "-p", ",".join(properties)).expect(0).out
        told = dict(line.split("=", 1) for line in out.splitlines())
        return told[properties[0]] if len(properties) == 1 else told

    def journal(self, *matches):
        """Entries so far, oldest first, as dictionaries."""
        out = self.run("journalctl", "-o", "json", "--no-pager", *matches).expect(0).out
        return [json.loads(line) for line in out.splitlines() if line.startswith("{")]

    def join_network(self):
        """From now on this thread, and what it starts, is on the machine's network."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/%d/ns/net" % self._leader()) as f:
            if libc.setns(f.fileno(), CLONE_NEWNET) < 0:
                raise OSError(ctypes.get_errno(), "setns")

    def stop(self):
        """The power is cut."""
        if self.watcher:
            self.watcher.communicate(b"\n")
        else:
            for path in self.cgroups:
                if os.path.isdir(path):
                    os.rmdir(path)
        if self.process:
            self.process.kill()
            self.process.wait()
