"""The units in a systemd that was really booted: under the whole sandbox, with credentials that systemd loads."""
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from case import *
from machine import Machine, add_probes, prepare, probe

DROP_IN = """[Service]
LoadCredential=oci-key:/etc/imagekeeper/oci-key.pem
WatchdogSec=3s
RestartSec=100ms
"""


@case
def a_round_under_the_whole_sandbox_repairs_drift_and_the_journal_explains_it(w):
    m = w.started()
    w.is_repaired(displayName="drifted")
    told = m.show("imagekeeperd", "ActiveState", "MainPID", "WatchdogUSec")
    assert told["ActiveState"] == "active" and told["WatchdogUSec"] == "3s", told
    status = dict(line.split(":\t", 1) for line in m.run("cat", "/proc/%s/status" % told["MainPID"]).expect().out.splitlines() if ":\t" in line)
    assert 61184 <= int(status["Uid"].split()[0]) <= 65519, "no dynamic user: " + status["Uid"]
    assert int(status["CapBnd"], 16) == 0 and status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status
    eventually(lambda: "1 of 1 objects in sync" in m.show("imagekeeperd", "StatusText"), "the status")

    status = json.loads(m.run("setpriv", "--reuid=nobody", "--clear-groups", "imagekeeper", "status", "-o", "json").expect().out)
    assert [(o["target"], o["state"]) for o in status["objects"]] == [(image_id(1), "InSync")], status
    eventually(lambda: len(w.events("updated")) == 2, "two entries")
    entry = w.events("updated")[-1]
    assert entry["IMAGEKEEPER_FROM"] == '"drifted"' and entry["IMAGEKEEPER_TARGET"] == image_id(1), entry
    assert entry["_SYSTEMD_UNIT"] == "imagekeeperd.service" and entry["SYSLOG_IDENTIFIER"] == "imagekeeper", entry
    m.run("journalctl", "--update-catalog").expect()
    shown = m.run("journalctl", "-x", "-n1", "--no-pager", "MESSAGE_ID=" + entry["MESSAGE_ID"]).expect().out
    for words in ("Subject: An object was changed to what its spec says", "OciImage golden, declared at golden.yaml:1", image_id(1)):
        assert words in shown, shown
    shown = m.run("journalctl", "-x", "--no-pager", "-t", "imagekeeper").expect().out
    assert "imagekeeperd.service has read its configuration" in shown and "@" not in shown and "IMAGEKEEPER_TARGET" not in shown, shown


@case
def a_reload_is_over_when_systemctl_returns_and_a_refused_one_fails(w):
    m = w.started()
    for n in range(1, 21):
        m.run("systemctl", "reload", "imagekeeperd").expect()
        assert m.show("imagekeeperd", "ActiveState", "SubState") == {"ActiveState": "active", "SubState": "running"}
        assert m.show("imagekeeperd", "StatusText") != "Reloading…"
        eventually(lambda n=n: len(w.events("reloaded")) == n, "the entry")
    good = open(w.config_file).read()
    pid = m.show("imagekeeperd", "MainPID")
    w.write(w.config_file, good + "intervall: 5s\n")
    assert m.run("systemctl", "reload", "imagekeeperd").status != 0
    assert m.show("imagekeeperd", "ActiveState", "MainPID") == {"ActiveState": "active", "MainPID": pid}
    eventually(lambda: len(w.events("reload-refused")) == 1, "the refusal")
    w.is_repaired(displayName="drifted")
    w.write(w.config_file, good)
    m.run("systemctl", "reload", "imagekeeperd").expect()
    w.is_repaired(displayName="drifted again")


@case
def a_loop_that_stands_still_is_restarted_by_the_watchdog(w):
    m = w.started()
    m.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "imagekeeperd").expect()
    w.sim.change(image_id(1), displayName="drifted")
    eventually(lambda: m.show("imagekeeperd", "NRestarts") == "1", "the restart")
    w.is_repaired()
    assert m.run("journalctl", "-u", "imagekeeperd", "--no-pager").out.count("Watchdog timeout") == 1


def in_a_write(w, fault, **how):
    """Somebody else's change, whose repair is on its way."""
    w.sim.fault("UpdateImage", fault, **how)
    w.sim.change(image_id(1), displayName="drifted")
    eventually(lambda: [f for f in w.sim.faults() if f.get("fired")], "the write")


@case
def killed_in_the_middle_of_a_write_it_is_started_again_and_writes_once(w):
    m = w.started()
    in_a_write(w, "process-then-close", ms=500)
    m.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "imagekeeperd").expect()
    eventually(lambda: m.show("imagekeeperd", "NRestarts") == "1", "the restart")
    eventually(lambda: "1 of 1 objects in sync" in m.show("imagekeeperd", "StatusText"), "the status")
    assert w.live()["displayName"] == "golden" and w.updates() == 2


@case
def a_stop_waits_for_the_write_that_is_on_its_way(w):
    m = w.started()
    in_a_write(w, "delay", ms=1500)
    m.run("systemctl", "stop", "imagekeeperd").expect()
    assert w.live()["displayName"] == "golden" and len(w.events("updated")) == 2
    assert m.show("imagekeeperd", "Result") == "success"


@case
def a_broken_configuration_ends_it_and_a_stop_is_clean(w):
    m = w.started()
    m.run("systemctl", "stop", "imagekeeperd").expect()
    assert m.show("imagekeeperd", "ActiveState", "Result") == {"ActiveState": "inactive", "Result": "success"}
    assert len(w.events("stopping")) == 1
    w.write(w.config_file, open(w.config_file).read() + "intervall: 5s\n")
    assert m.run("systemctl", "start", "imagekeeperd").status != 0
    assert 'unknown key "intervall"' in m.run("journalctl", "-u", "imagekeeperd", "--no-pager").out


@case
def an_instance_has_its_own_configuration_and_outlives_the_other(w):
    config = open(w.config_file).read()
    w.image(2)
    w.spec(file="../other-specs/second.yaml", name="second", target=image_id(2), displayName="golden")
    w.write(w.folder + "/other.yaml", config.replace("specs: specs", "specs: other-specs"))
    m = w.started()
    w.start("imagekeeperd@other")
    w.is_repaired(2)
    for action in ("restart", "stop"):
        m.run("systemctl", action, "imagekeeperd").expect()
        m.run("systemctl", "reload", "imagekeeperd@other").expect()
    w.is_repaired(2, displayName="drifted")
    assert {e["_SYSTEMD_UNIT"] for e in w.events("updated") if e["IMAGEKEEPER_NAME"] == "second"} == {"imagekeeperd@other.service"}
    m.run("imagekeeper", "status", "--instance", "other").expect()
    m.run("imagekeeper", "status").expect(1)


@case
def what_the_sandbox_is_to_prevent_can_be_done_without_it_and_not_with_it(w):
    shutil.copy(os.path.join(simulator.HERE, "sandbox-probe.py"), w.folder + "/probe.py")
    os.chmod(w.folder + "/probe.py", 0o644)
    w.machine.run("touch", "/tmp/left-by-somebody").expect()
    bare, inside = probe(w, "bare-probe"), probe(w, "probe")
    assert not [d for d, possible in inside["possible"].items() if possible], inside["possible"]
    assert all(inside["needed"].values()), inside["needed"]
    assert not [d for d, possible in bare["possible"].items() if not possible], bare["possible"]
    assert all(inside["namespaces"][n] != bare["namespaces"][n] for n in bare["namespaces"]), (bare, inside)
    assert inside["devices"] != bare["devices"]


prepare({"imagekeeperd.service": DROP_IN, "imagekeeperd@.service": DROP_IN})
add_probes("imagekeeperd.service", "LoadCredential=credential:/etc/imagekeeper/oci-key.pem\n")
run(world=Machine)
