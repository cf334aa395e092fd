"""Shows of each directive of a unit's sandbox that it is in force by itself, in a booted systemd: what it prevents can be done without it, and with
it alone cannot. Together they would hide each other.

    each_is_in_force(w, "imagekeeperd.service")

A directive that is neither known as none of the sandbox, nor has a probe (directive-probe.py), nor a reason to have none, is an error.
"""
import json
import os
import re
import shutil
import subprocess
import sys

import sim as simulator
from installed import find

PROGRAM = os.path.join(simulator.HERE, "directive-probe.py")
PYTHON = os.path.realpath("/usr/bin/python3")
LIBRARIES = "ExecPaths=%s -/usr/lib -/usr/lib32 -/usr/lib64 -/usr/libx32 -/lib -/lib64 -/usr/local/lib" % PYTHON

NO_SANDBOX = {"Type", "NotifyAccess", "ExecStart", "ExecReload", "Restart", "RestartSec", "WatchdogSec", "TimeoutStartSec", "TimeoutStopSec",
              "ConfigurationDirectory", "RuntimeDirectory", "StateDirectory", "StateDirectoryMode", "StandardOutput", "StandardError", "SyslogIdentifier",
              "SyslogLevel", "LogLevelMax", "Group"}
WITHOUT_PROBE = {
    "ExecPaths": "it lets through, and prevents nothing: without it nothing would run where NoExecPaths= is /",
    "MemoryMax": "a container's cgroup has not everywhere the controller",
    "TasksMax": "a container's cgroup has not everywhere the controller",
}
# What must hold for the one directive to have an effect, with it and without it.
BESIDE = {
    "AmbientCapabilities": ["User=nobody", "AmbientCapabilities=CAP_CHOWN"],
    "ProtectProc": ["User=nobody"],  # root sees everything
    "RemoveIPC": ["User=nobody"],  # what is root's is left alone
    "KeyringMode": ["KeyringMode=inherit"],  # else it would be private for a service anyway
    "SystemCallFilter": ["SystemCallErrorNumber=EPERM"],
    "SystemCallErrorNumber": ["SystemCallFilter=~@chown"],
    "NoExecPaths": [LIBRARIES],
}
# What only some machines can do at all.
IF_POSSIBLE = {"SystemCallArchitectures": "this machine carries out no calls of another architecture"}


def directives(unit, stage):
    """The lines of each directive of [Service], by its name."""
    with open(find(stage, unit), encoding="utf-8") as f:
        service = re.search(r"^\[Service\]\n(.*?)(?=^\[|\Z)", f.read(), re.M | re.S)[1]
    found = {}
    for line in service.splitlines():
        if line and not line.startswith("#"):
            found.setdefault(line.partition("=")[0], []).append(line)
    return {name: lines for name, lines in found.items() if name not in NO_SANDBOX}


def probes_of(name, lines):
    """A filter has one for each set that it excludes."""
    excluded = [s for line in lines if name == "SystemCallFilter" and "=~" in line for s in line.partition("=~")[2].split()]
    return [name] + ["%s %s" % (name, s) for s in excluded]


def without_probe(found):
    known = set(json.loads(subprocess.run([sys.executable, PROGRAM, "--names"], stdout=subprocess.PIPE, check=True).stdout))
    return [p for name, lines in found.items() if name not in WITHOUT_PROBE for p in probes_of(name, lines) if p not in known]


class Probes:
    """Units in the machine that run probes, and what they printed."""

    def __init__(self, w):
        self.w, self.machine, self.names = w, w.machine, []
        shutil.copy(PROGRAM, w.folder + "/directive-probe.py")
        os.makedirs(w.folder + "/probes", exist_ok=True)
        for path in (w.folder + "/directive-probe.py", w.folder + "/probes"):
            os.chmod(path, 0o755)
        for path in ("/root", "/tmp", "/dev", "/usr/lib/modules"):
            self.machine.run("mkdir", "-p", path).expect()
            self.machine.run("touch", path + "/left-by-somebody").expect()

    def add(self, unit, arguments, lines):
        with open("%s/probes/%s.service" % (self.w.folder, unit), "w", encoding="utf-8") as f:
            f.write("[Service]\nType=oneshot\nExecStart=%s /etc/imagekeeper/directive-probe.py %s\nStandardOutput=truncate:/etc/imagekeeper/probes/%s.out\n%s\n"
                    % (PYTHON, arguments, unit, "\n".join(lines)))
        self.names.append(unit)

    def run(self):
        """What each of those that were added printed."""
        self.machine.run("sh", "-c", "cp /etc/imagekeeper/probes/*.service /run/systemd/system && systemctl daemon-reload").expect()
        done = self.machine.run("systemctl", "start", *self.names)
        told = {}
        for unit in self.names:
            with open("%s/probes/%s.out" % (self.w.folder, unit), encoding="utf-8") as f:
                text = f.read()
            assert text.startswith("{"), "%s\n%s" % (done.out, self.machine.run("journalctl", "--no-pager", "-u", unit).out)
            told[unit] = json.loads(text)
        self.names = []
        return told

    def try_each(self, found, of):
        """(directive, probe) → was it possible, where each directive stands in a unit of its own with the lines of of(directive)."""
        for name, lines in found.items():
            self.add("probe-" + name, "/etc/imagekeeper/probes/common.out " + " ".join("'%s'" % p for p in probes_of(name, lines)),
                     BESIDE.get(name, []) + of(lines))
        told = self.run()
        result = {(name, p): possible for name in found for p, possible in told["probe-" + name].items()}
        if "RemoveIPC" in found:
            result["RemoveIPC", "RemoveIPC"] = self.machine.run("test", "-e", "/dev/shm/left-by-somebody").status == 0
        return result


def each_is_in_force(w, unit, stage):
    found = directives(unit, stage)
    assert not without_probe(found), "no probe shows that they are in force: %s" % without_probe(found)
    found = {name: lines for name, lines in found.items() if name not in WITHOUT_PROBE}
    probes = Probes(w)
    probes.add("common", "--look", ["KeyringMode=inherit"])
    probes.run()
    without, alone = probes.try_each(found, lambda lines: []), probes.try_each(found, lambda lines: lines)
    for name, reason in IF_POSSIBLE.items():
        if name in found and not without[name, name]:
            print("# %s: %s" % (name, reason))
            del without[name, name]
    assert all(without.values()), "cannot be done in any case: %s" % [p for (_, p), possible in without.items() if not possible]
    assert not any(alone.values()), "not in force: %s" % [p for (_, p), possible in alone.items() if possible]
    return len(found)
