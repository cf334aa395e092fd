#!/usr/bin/env python3
"""metrics.prom: what Prometheus is told, and the alert rules that are shipped, by promtool's own tests."""
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from case import *

RULES = os.path.join(os.path.abspath(os.environ.get("srcdir", ".")), "units", "imagekeeper.rules.yaml")
NEEDS = None if shutil.which("promtool") else "promtool (package prometheus) is not installed"


def promtool(*words, text=None):
    if NEEDS:
        raise Skipped(NEEDS)
    done = subprocess.run(["promtool", *words], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    return done.stdout


def metrics(w):
    """Name and labels to value; the same sample never twice."""
    found = {}
    with open(w.folder + "/run/metrics.prom") as f:
        for line in f:
            if line.startswith("#"):
                continue
            name, labels, value = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)\n", line).groups()
            key = name, tuple(sorted(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or "")))
            assert key not in found, line
            found[key] = float(value)
    return found


def started(w):
    os.mkdir(w.folder + "/run")
    w.environment["RUNTIME_DIRECTORY"] = w.folder + "/run"
    d = w.daemon()
    d.wait_message("objects in sync")
    eventually(lambda: any(name == "imagekeeper_object_state" for name, _ in metrics(w)), "the first round")
    return d


def value(found, metric, /, **labels):
    return found.get((metric, tuple(sorted(labels.items()))))


@case
def objects_accounts_and_the_daemon_are_told(w):
    w.image(1)
    w.image(2)
    w.spec("well", target=image_id(1), displayName="image 1")
    w.write("odd.yaml", "apiVersion: imagekeeper/v1\nkind: OciImage\nmetadata: {name: 'o\"d\\d'}\nspec: {account: prod, imageId: %s, displayName: x}\n"
            "reconcile: {suspend: {until: 2099-01-01T00:00:00Z, reason: r}}\n" % image_id(2))
    w.spec("gone", target=image_id(9), displayName="x")
    started(w)
    found = metrics(w)
    thing = dict(account="prod", kind="OciImage")
    assert value(found, "imagekeeper_object_state", name="well", target=image_id(1), state="InSync", **thing) == 1, found
    assert value(found, "imagekeeper_object_state", name="gone", target=image_id(9), state="AccessUncertain", **thing) == 1
    assert value(found, "imagekeeper_suspension_end_timestamp_seconds", name='o\\"d\\\\d', target=image_id(2), **thing) == 4070908800
    for state, n in (("InSync", 1), ("Suspended", 1), ("AccessUncertain", 1), ("Failed", 0), ("Held", 0)):
        assert value(found, "imagekeeper_objects", account="prod", state=state) == n, (state, found)
    assert value(found, "imagekeeper_account_ok", account="prod") == 1 and value(found, "imagekeeper_specs_valid") == 1
    assert abs(value(found, "imagekeeper_account_last_complete_look_timestamp_seconds", account="prod") - time.time()) < 3600
    assert abs(value(found, "imagekeeper_told_timestamp_seconds") - time.time()) < 3600 and value(found, "imagekeeper_interval_seconds") == 1
    w.write("odd.yaml", "kind: [")
    eventually(lambda: value(metrics(w), "imagekeeper_specs_valid") == 0, "broken specs")


@case
def backups_of_schedules_are_told_with_the_interval_that_is_expected(w):
    volume = w.sim.add_boot_volume("db", freeformTags={})
    w.sim.add_backup(volume, freeformTags={"imagekeeper": "nightly@2026-11-02T02:00:00Z"})
    w.sim.add_backup(volume, freeformTags={"imagekeeper": "nightly@2026-11-01T02:00:00Z"})
    w.write("nightly.yaml", "apiVersion: imagekeeper/v1\nkind: OciBootVolumeBackupSchedule\nmetadata: {name: nightly}\nspec:\n  account: prod\n"
            "  bootVolumeId: %s\n  onCalendar: \"Mon..Fri *-*-* 02:00:00\"\n" % volume)
    w.configure(top="mode: observe\n")
    started(w)
    eventually(lambda: any("backup" in name for name, _ in metrics(w)), "the schedule")
    labels = dict(account="prod", schedule="nightly", volume=volume)
    found = metrics(w)
    assert value(found, "imagekeeper_backup_last_good_timestamp_seconds", **labels) == 1793584800, found
    assert value(found, "imagekeeper_backup_expected_interval_seconds", **labels) == 3 * 86400  # over the weekend


@case
def the_format_is_what_prometheus_wants(w):
    w.image(1)
    w.spec(displayName="image 1", reconcile="{mode: observe}")
    started(w)
    with open(w.folder + "/run/metrics.prom") as f:
        text = f.read()
    assert promtool("check", "metrics", text=text).strip() == "", text
    named = set(re.findall(r"^# TYPE (\w+) gauge$", text, re.M))
    with open(os.path.join(os.path.dirname(os.path.dirname(RULES)), "README.md"), encoding="utf-8") as f:
        told = set(re.findall(r"imagekeeper_\w+", f.read()))
    assert named == told, "README and metrics differ: %s" % (named ^ told)
    with open(RULES, encoding="utf-8") as f:
        assert set(re.findall(r"imagekeeper_\w+", f.read())) <= named


@case
def the_alert_rules_fire_when_they_should_and_only_then(w):
    promtool("check", "rules", RULES)
    series = [  # minute by minute
        ("imagekeeper_interval_seconds{instance='a',job='n'}", "300x500"),
        ("imagekeeper_told_timestamp_seconds{instance='a',job='n'}", "0+60x120 7200x380"),
        ("imagekeeper_account_last_complete_look_timestamp_seconds{instance='a',job='n',account='prod'}", "0+60x500"),
        ("imagekeeper_account_last_complete_look_timestamp_seconds{instance='a',job='n',account='blind'}", "0x500"),
        ("imagekeeper_backup_last_good_timestamp_seconds{instance='a',job='n',account='prod',schedule='s',volume='v'}", "0x500"),
        ("imagekeeper_backup_expected_interval_seconds{instance='a',job='n',account='prod',schedule='s',volume='v'}", "3600x500"),
        ("imagekeeper_object_state{instance='a',job='n',account='prod',kind='OciImage',name='bad',target='i',state='Failed'}", "1x500"),
        ("imagekeeper_object_state{instance='a',job='n',account='prod',kind='OciImage',name='good',target='j',state='InSync'}", "1x500"),
        ("imagekeeper_objects{instance='a',job='n',account='prod',state='Held'}", "0x100 3x400"),
        ("imagekeeper_specs_valid{instance='a',job='n'}", "1x200 0x300"),
        ("imagekeeper_specs_in_force{instance='a',job='n'}", "1x150 0x350"),
        ("imagekeeper_suspension_end_timestamp_seconds{instance='a',job='n',account='prod',kind='OciImage',name='s',target='k'}", "100000x500"),
        ("node_systemd_unit_state{instance='a',job='n',name='imagekeeper-sync.service',state='inactive'}", "1x30 0x5 1 0x464"),
        ("node_systemd_unit_state{instance='a',job='n',name='imagekeeper-sync.service',state='failed'}", "0x30 1x5 0 1x464"),
        ("node_systemd_unit_state{instance='a',job='n',name='other.service',state='inactive'}", "0x500"),
        ("node_systemd_unit_state{instance='a',job='n',name='other.service',state='active'}", "0x500"),
        ("node_systemd_unit_state{instance='a',job='n',name='other.timer',state='active'}", "0x500"),
        # A reload takes a moment, the stop is for good; and what the daemon told goes with it.
        ("node_systemd_unit_state{instance='b',job='n',name='imagekeeperd@two.service',state='active'}", "1x50 0x2 1x100 0x350"),
        ("imagekeeper_told_timestamp_seconds{instance='b',job='n'}", "0+60x152 stale"),
        ("imagekeeper_interval_seconds{instance='b',job='n'}", "300x152 stale"),
        ("node_systemd_unit_state{instance='a',job='n',name='imagekeeperd.service',state='active'}", "1x500"),
        ("node_systemd_unit_state{instance='b',job='n',name='imagekeeperd@two.service',state='inactive'}", "0x154 1x350"),
        ("node_systemd_unit_state{instance='b',job='n',name='imagekeeper-sync@two.timer',state='active'}", "1x300 0x200"),
        ("node_systemd_unit_state{instance='a',job='n',name='imagekeeper-sync.timer',state='active'}", "1x500"),
    ]
    # Name, a time at which it is silent, one at which it fires.
    alerts = [("ImagekeeperDead", "120m", "160m"), ("ImagekeeperAccountBlind", "10m", "60m"), ("ImagekeeperBackupOverdue", "120m", "240m"),
              ("ImagekeeperObjectFailing", "20m", "40m"), ("ImagekeeperChangesHeld", "100m", "150m"), ("ImagekeeperSpecsBroken", "200m", "260m"),
              ("ImagekeeperSuspensionEnds", "200m", "240m"), ("ImagekeeperSyncFailing", "50m", "55m"),
              ("ImagekeeperNotRunning", "54m", "165m"), ("ImagekeeperSyncStopped", "300m", "320m"),
              ("ImagekeeperNothingEnforced", "150m", "160m")]
    expected = {
        "ImagekeeperDead": {}, "ImagekeeperAccountBlind": {"account": "blind"},
        "ImagekeeperBackupOverdue": {"account": "prod", "schedule": "s", "volume": "v"},
        "ImagekeeperObjectFailing": {"account": "prod", "kind": "OciImage", "name": "bad", "target": "i", "state": "Failed"},
        "ImagekeeperChangesHeld": {"account": "prod"}, "ImagekeeperSpecsBroken": {},
        "ImagekeeperSyncFailing": {"name": "imagekeeper-sync.service", "state": "inactive"},
        "ImagekeeperNotRunning": {"instance": "b", "name": "imagekeeperd@two.service", "state": "active"},
        "ImagekeeperSyncStopped": {"instance": "b", "name": "imagekeeper-sync@two.timer", "state": "active"}, "ImagekeeperNothingEnforced": {},
        "ImagekeeperSuspensionEnds": {"account": "prod", "kind": "OciImage", "name": "s", "target": "k"}}
    severity = dict(re.findall(r"- alert: (\w+)\n.*?severity: (\w+)", open(RULES, encoding="utf-8").read(), re.S))
    lines = ["rule_files: [%s]" % json.dumps(RULES), "evaluation_interval: 1m", "tests:", "  - interval: 1m", "    input_series:"]
    lines += ["      - {series: %s, values: %s}" % (json.dumps(s), json.dumps(v)) for s, v in series]
    lines.append("    alert_rule_test:")
    for name, silent, firing in alerts:
        labels = dict({"instance": "a", "job": "n", "severity": severity[name]}, **expected[name])
        lines += ["      - {eval_time: %s, alertname: %s, exp_alerts: []}" % (silent, name),
                  "      - {eval_time: %s, alertname: %s, exp_alerts: [{exp_labels: %s, exp_annotations: ANNOTATIONS}]}" % (firing, name, json.dumps(labels))]
    # The words of the annotations are not what is tested here: without them in rules and tests.
    rules = w.folder + "/rules.yaml"
    with open(RULES, encoding="utf-8") as f, open(rules, "w") as out:
        out.write(re.sub(r" +annotations:\n(?: {10}.*\n)+", "", f.read()))
    text = "\n".join(lines).replace(json.dumps(RULES), json.dumps(rules)).replace(", exp_annotations: ANNOTATIONS", "") + "\n"
    path = w.folder + "/test.yaml"
    with open(path, "w") as f:
        f.write(text)
    promtool("test", "rules", path)
    with open(path, "w") as f:
        f.write("rule_files: [%s]\nevaluation_interval: 1m\ntests:\n  - interval: 10m\n    input_series: []\n    alert_rule_test:\n"
                "      - {eval_time: 30m, alertname: ImagekeeperAbsent, exp_alerts: [{exp_labels: {severity: critical}}]}\n" % json.dumps(rules))
    promtool("test", "rules", path)


if __name__ == "__main__":
    run(workers=4)
