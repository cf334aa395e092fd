"""imagekeeper history in a systemd that was really booted: journald's own entries, and what it knows of their writers."""
import json
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from case import *
from journal_files import MESSAGE_IDS
from machine import Machine, prepare

DROP_IN = "[Service]\nLoadCredential=oci-key:/etc/imagekeeper/oci-key.pem\n"
REVISION = "c0ffee" + "0" * 34


def told(w, *words):
    """What history tells inside, as JSON."""
    out = w.machine.run("imagekeeper", "history", "-o", "json", *words).expect().out
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]  # not what stderr has beside it


def eventually_told(w, n, *words):
    eventually(lambda: len(told(w, *words)) >= n, "%d entries" % n)
    records = told(w, *words)
    assert len(records) == n, records
    return records


@case
def a_repair_by_the_daemon_is_told_and_from_outside_too(w):
    w.write(".revision", REVISION + "\n")
    os.chmod(w.specs + "/.revision", 0o644)
    w.started()
    w.is_repaired(displayName="drifted")
    record = eventually_told(w, 2, "golden")[-1]
    request = w.sim.requests("UpdateImage")[-1]
    wanted = {"event": "updated", "kind": "OciImage", "name": "golden", "account": "prod", "target": image_id(1), "action": "update",
              "attributes": [{"path": "displayName", "from": "drifted", "to": "golden"}], "opcRequestId": request["opcRequestId"],
              "retryToken": request["retryToken"], "revision": REVISION, "file": "golden.yaml", "line": 1, "unit": "imagekeeperd.service",
              "verified": True}
    assert {k: record[k] for k in wanted} == wanted, record
    assert record["uid"] >= 61184 and record["exe"].endswith("/imagekeeperd") and record["host"], record
    first = told(w)[0]
    assert [(a["path"], a["from"]) for a in first["attributes"]] == [("displayName", "image 1"), ("freeformTags.tier", None)], first
    assert [r["event"] for r in told(w, "--all")] == ["started", "specs-loaded", "updated", "updated"]
    text = w.machine.run("imagekeeper", "history").expect().out
    assert 'displayName: "drifted" -> "golden"\n' in text and "by imagekeeperd.service\n" in text, text

    w.machine.run("journalctl", "--flush").expect()
    w.machine.run("journalctl", "--sync").expect()
    outside = "/proc/%d/root/var/log/journal" % w.machine._leader()
    files = w.folder + "/taken"
    shutil.copytree(outside, files)
    done = w.run("history", "--directory", files, "-o", "json").expect(0)
    assert [json.loads(line) for line in done.out.splitlines()] == told(w), done.out


@case
def a_change_by_hand_is_told_however_soon_its_program_ends(w):
    w.image(1)
    os.rename(w.folder + "/oci-key.pem", w.folder + "/oci-key")
    names = ["golden %d" % n for n in range(10)]
    for name in names:
        w.spec(displayName=name)
        w.machine.run("env", "CREDENTIALS_DIRECTORY=/etc/imagekeeper", "imagekeeper", "apply").expect()
    records = eventually_told(w, len(names))
    assert [r["attributes"][0]["to"] for r in records] == names, records
    assert {(r["exe"], r["uid"], r["verified"]) for r in records} == {("/usr/local/bin/imagekeeper", 0, True)}, records


@case
def what_a_user_tried_is_told_as_not_verified(w):
    w.image(1)
    w.spec(displayName="golden")
    w.machine.run("chmod", "-R", "a+rX", "/etc/imagekeeper/specs", "/etc/imagekeeper/imagekeeper.yaml").expect()
    w.machine.run("setpriv", "--reuid=nobody", "--clear-groups", "env", "CREDENTIALS_DIRECTORY=/etc/imagekeeper", "imagekeeper", "apply").expect(1)
    record, = eventually_told(w, 1)
    assert (record["event"], record["name"], record["exe"], record["uid"], record["verified"]) == (
        "failed", "golden", "/usr/local/bin/imagekeeper", 65534, False), record
    assert ", user 65534, pid %d, not verified\n" % record["pid"] in w.machine.run("imagekeeper", "history").expect().out


FORGED = "MESSAGE_ID=%s\nMESSAGE=forged\nIMAGEKEEPER_EVENT=updated\nIMAGEKEEPER_NAME=forged\n_SYSTEMD_UNIT=imagekeeperd.service\n" % MESSAGE_IDS["updated"]


@case
def what_others_wrote_under_our_name_is_left_out(w):
    w.started()
    w.write(w.folder + "/forged", FORGED)
    os.chmod(w.folder + "/forged", 0o644)
    logger = ["logger", "--journald=/etc/imagekeeper/forged"]
    w.machine.run(*logger).expect()
    w.machine.run("setpriv", "--reuid=nobody", "--clear-groups", *logger).expect()
    w.machine.run("systemd-run", "--wait", "-q", "-u", "imagekeeperd-not", *logger).expect()
    eventually(lambda: len(w.machine.journal("IMAGEKEEPER_NAME=forged")) == 3, "the forgeries")
    eventually(lambda: w.events("updated"), "the real one")
    done = w.machine.run("imagekeeper", "history").expect().out
    assert "forged" not in done and "3 entries were left out" in done and "golden" in done, done
    records = told(w, "--any-writer", "forged")
    assert [r["verified"] for r in records] == [False] * 3, records
    assert sorted(r["uid"] for r in records) == [0, 0, 65534], records


@case
def following_sees_the_next_one_come_through_a_rotation(w):
    w.started()
    eventually_told(w, 1)
    m = w.machine
    m.run("systemd-run", "-q", "-u", "following", "-p", "StandardOutput=file:/run/followed", "imagekeeper", "history", "-f", "-o", "json").expect()
    followed = lambda: [json.loads(line)["attributes"][0]["from"] for line in m.run("cat", "/run/followed").expect().out.splitlines()]
    eventually(lambda: followed() == ["image 1"], "what there was")
    w.is_repaired(displayName="drifted")
    eventually(lambda: followed() == ["image 1", "drifted"], "the next one")
    m.run("journalctl", "--rotate").expect()
    w.is_repaired(displayName="drifted again")
    eventually(lambda: followed() == ["image 1", "drifted", "drifted again"], "the one after a rotation")
    m.run("systemctl", "stop", "following").expect()
    assert m.show("following", "Result", "LoadState")["Result"] == "success"
    assert "following.service: Failed" not in m.run("journalctl", "--no-pager", "-u", "following").out


@case
def a_namespace_of_the_journal_is_read_too(w):
    w.machine.run("mkdir", "-p", "/run/systemd/system/imagekeeperd.service.d").expect()
    w.machine.run("sh", "-c", "printf '[Service]\\nLogNamespace=keeper\\n' >/run/systemd/system/imagekeeperd.service.d/namespace.conf").expect()
    w.machine.run("systemctl", "daemon-reload").expect()
    w.started()
    eventually_told(w, 1)
    assert not w.machine.journal("IMAGEKEEPER_EVENT=updated"), "it is in the usual journal"


@case
def who_may_not_read_the_journal_is_told_what_to_do(w):
    w.started()
    eventually_told(w, 1)
    as_nobody = lambda *groups: w.machine.run("setpriv", "--reuid=nobody", "--regid=nogroup", *groups, "imagekeeper", "history")
    refused = as_nobody("--clear-groups").expect(1).out
    assert "Permission denied; run this with sudo, or as a member of the group systemd-journal" in refused and "golden" not in refused, refused
    assert "golden" in as_nobody("--groups=systemd-journal").expect(0).out


@case
def without_a_journal_it_says_so(w):
    hidden = "for d in /run/log/journal /var/log/journal; do mkdir -p $d && mount -t tmpfs tmpfs $d; done; exec imagekeeper history"
    assert "there is no journal on this machine" in w.machine.run("unshare", "--mount", "sh", "-c", hidden).expect(1).out


prepare({"imagekeeperd.service": DROP_IN})
run(world=Machine)
