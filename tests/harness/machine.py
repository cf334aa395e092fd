"""A world in a booted systemd that has what `make install` puts there.

    prepare({"imagekeeperd.service": DROP_IN})    # skips where no systemd can be booted
    run(world=Machine)
"""
import atexit
import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile

import sim as simulator
from booted import Booted, Unbootable
from case import World, eventually, image_id, skip
from installed import find, install

stage = tempfile.mkdtemp(prefix="ik-stage-")
atexit.register(shutil.rmtree, stage, ignore_errors=True)


class Machine(World):
    """Its cloud is on the machine's network; /etc/imagekeeper is a folder of the test's."""

    @classmethod
    @contextlib.contextmanager
    def made(cls, folder, start=None):
        etc = os.path.join(folder, "etc")
        os.mkdir(etc)
        with Booted(folder, stage, {"/etc/imagekeeper": etc}) as machine:
            machine.join_network()
            with simulator.Simulator(directory=tempfile.mkdtemp(dir=folder), stderr=subprocess.DEVNULL) as sim:
                w = cls(sim, etc)
                w.machine = machine
                yield w

    def prepare(self):
        shutil.copy(self.sim.ca_file, self.folder + "/ca.pem")
        simulator.write_private(self.folder + "/oci-key.pem", open(simulator.vectors("oci-test-key.pem")).read())
        for path, mode in ((self.folder, 0o755), (self.specs, 0o755), (self.folder + "/ca.pem", 0o644)):
            os.chmod(path, mode)

    def account(self):
        return "  - name: prod\n    type: oci\n    tenancy: %s\n    user: %s\n    fingerprint: %s\n    keyFile: oci-key\n    region: us-phoenix-1\n" \
               "    endpoint: %s\n    caFile: /etc/imagekeeper/ca.pem\n" % (
                   simulator.TENANCY, simulator.USER, simulator.FINGERPRINT, self.sim.endpoint)

    def started(self, unit="imagekeeperd"):
        """Starts the unit, which is READY then, with one image that has been made as its spec says."""
        self.image(1)
        self.spec(displayName="golden", freeformTags={"tier": "gold"})
        self.start(unit)
        self.is_repaired()
        return self.machine

    def start(self, unit):
        done = self.machine.run("systemctl", "start", unit)
        assert done.status == 0, done.out + self.machine.run("journalctl", "--no-pager", "-u", unit).out

    def is_repaired(self, n=1, **drift):
        """After a change by somebody else, if one is given."""
        if drift:
            self.sim.change(image_id(n), **drift)
        eventually(lambda: self.live(n)["displayName"] == "golden", "a repair")

    def events(self, name):
        return self.machine.journal("IMAGEKEEPER_EVENT=" + name)


def probe(w, unit):
    w.machine.run("systemctl", "start", unit)
    line = w.machine.run("journalctl", "-u", unit, "-t", "python3", "-o", "cat", "--no-pager").out
    assert line.startswith("{"), w.machine.run("journalctl", "-u", unit, "--no-pager").out
    return json.loads(line)


def add_probes(service, more=""):
    """`probe`, which is that unit with a probe in its program's place, and `bare-probe`, the same program without all that. `more` is set for
    both of them."""
    with open(find(stage, service), encoding="utf-8") as f:
        text = re.sub("^(Type|NotifyAccess|ExecStart|ExecReload|Restart|WatchdogSec|StandardOutput|LogLevelMax|SyslogIdentifier)=.*\n", "", f.read(), flags=re.M)
    python = os.path.realpath("/usr/bin/python3")  # not one of somebody's home, which is out of reach
    start = "Type=oneshot\nExecStart=%s /etc/imagekeeper/probe.py\nSyslogIdentifier=python3\n%s" % (python, more)
    units = {"bare-probe": "[Service]\n" + start, "probe": text.replace("[Service]\n", "[Service]\n%sExecPaths=%s\n" % (start, python))}
    for name, words in units.items():
        with open("%s/etc/systemd/system/%s.service" % (stage, name), "w", encoding="utf-8") as f:
            f.write(words)


def prepare(drop_ins):
    """What is installed, with a drop-in for each of those units, into `stage`. Skips where no systemd can be booted."""
    with open(os.environ["IMAGEKEEPERD"], "rb") as f:
        if b"__asan_init" in f.read():
            skip("the sanitizers do not work under the sandbox")
    install(stage)
    for unit, text in drop_ins.items():
        find(stage, unit)
        os.makedirs("%s/etc/systemd/system/%s.d" % (stage, unit))
        with open("%s/etc/systemd/system/%s.d/test.conf" % (stage, unit), "w") as f:
            f.write(text)
    os.chmod(stage, 0o755)
    folder = tempfile.mkdtemp(prefix="ik-try-")
    try:
        with Booted(folder, stage):
            pass
    except Unbootable as e:
        skip(str(e))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
