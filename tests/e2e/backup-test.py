#!/usr/bin/env python3
"""Backups: names and tags kept, under if-match and without a token; and one that is declared made exactly once."""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from case import *
from schedule import START

BOOT, BLOCK = "OciBootVolumeBackup", "OciVolumeBackup"


def declare(w, kind, name="kept", file=None, reconcile="", **want):
    lines = ["apiVersion: imagekeeper/v1", "kind: " + kind, "metadata: {name: %s}" % name, "spec:", "  account: prod"]
    lines += ["  %s: %s" % (key, json.dumps(value)) for key, value in want.items()]
    if reconcile:
        lines.append("reconcile: " + reconcile)
    w.write(file or name + ".yaml", "\n".join(lines) + "\n")


def select(**conditions):
    return dict(compartmentId=COMPARTMENT, **conditions)


def live_of(w, volume):
    return w.sim.backups(volume, dead=False)


def creations(w):
    return w.sim.requests("CreateBootVolumeBackup")


# --- names and tags ---


@case
def both_kinds_are_kept_under_if_match_and_without_a_token(w):
    boot, block = w.sim.add_boot_volume("db"), w.sim.add_volume("data")
    a = w.sim.add_backup(boot, "old", freeformTags={"team": "x", "tmp": "1", "other": "stays"})
    b = w.sim.add_backup(block, "old", definedTags={"Oracle-Tags": {"CreatedBy": "me"}})
    declare(w, BOOT, bootVolumeBackupId=a, displayName="before the move", freeformTags={"team": "base", "tmp": None})
    declare(w, BLOCK, file="block.yaml", volumeBackupId=b, definedTags={"Ops": {"CostCenter": "42"}})
    report = w.apply().expect(0).json
    assert report["summary"]["update"] == 2 and {c["outcome"] for c in report["changes"]} == {"done"}, report
    assert (w.sim.backup(a)["name"], w.sim.backup(a)["freeform"]) == ("before the move", {"team": "base", "other": "stays"})
    assert w.sim.backup(b)["model"]["definedTags"] == {"Oracle-Tags": {"CreatedBy": "me"}, "Ops": {"CostCenter": "42"}}
    first, = w.sim.requests("UpdateBootVolumeBackup")
    second, = w.sim.requests("UpdateVolumeBackup")
    assert first["body"] == {"displayName": "before the move", "freeformTags": {"team": "base", "other": "stays"}}
    assert first["ifMatch"] and second["ifMatch"] and not first["retryToken"] and not second["retryToken"]
    w.plan().expect(0)


@case
def a_selector_takes_what_meets_all_its_conditions(w):
    db, web = w.sim.add_boot_volume("db"), w.sim.add_boot_volume("web")
    wanted = w.sim.add_backup(db, "nightly-1", freeformTags={"tier": "gold"}, type="FULL")
    w.sim.add_backup(db, "nightly-2", freeformTags={"tier": "gold"}, type="INCREMENTAL")
    w.sim.add_backup(db, "nightly-3", freeformTags={"tier": "tin"}, type="FULL")
    w.sim.add_backup(db, "weekly-1", freeformTags={"tier": "gold"}, type="FULL")
    w.sim.add_backup(web, "nightly-4", freeformTags={"tier": "gold"}, type="FULL")
    w.sim.add_backup(db, "nightly-5", freeformTags={"tier": "gold"}, type="FULL", lifecycleState="FAULTY")
    declare(w, BOOT, selector=select(bootVolumeId=db, displayName="nightly-*", type="full", sourceType="MANUAL",
                                     freeformTags={"tier": "gold"}), freeformTags={"seen": "yes"})
    change, = w.apply().expect(0).json["changes"]
    assert change["target"] == wanted and w.sim.backup(wanted)["freeform"]["seen"] == "yes"


@case
def a_backup_in_the_making_is_held(w):
    a = w.sim.add_backup(w.sim.add_boot_volume(), "x", lifecycleState="CREATING")
    declare(w, BOOT, bootVolumeBackupId=a, displayName="y")
    change, = w.apply().expect(2).json["changes"]
    assert change["outcome"] == "held" and "CREATING" in change["reason"]


@case
def a_rival_between_look_and_write_is_not_overwritten(w):
    a = w.sim.add_backup(w.sim.add_boot_volume(), "x", freeformTags={"a": "1"})
    w.sim.fault("UpdateBootVolumeBackup", "change-before", change={"freeformTags": {"a": "1", "rival": "yes"}})
    declare(w, BOOT, bootVolumeBackupId=a, freeformTags={"b": "2"})
    w.apply().expect(0)
    assert w.sim.backup(a)["freeform"] == {"a": "1", "rival": "yes", "b": "2"}


@case
def a_lost_answer_is_looked_after(w):
    a = w.sim.add_backup(w.sim.add_volume(), "x")
    w.sim.fault("UpdateVolumeBackup", "process-then-close")
    declare(w, BLOCK, volumeBackupId=a, displayName="y")
    w.apply().expect(0)
    assert w.sim.backup(a)["updates"] == 1 and len(w.sim.requests("UpdateVolumeBackup")) == 1


@case
def copies_of_the_volumes_tags_survive_exact(w):
    db, gone = w.sim.add_boot_volume("db", freeformTags={"os": "ol9"}), w.sim.add_boot_volume("gone")
    a = w.sim.add_backup(db, "n1", freeformTags={"os": "ol8", "stray": "1", "imagekeeper": "s@2026-11-22T01:00:00Z"})
    b = w.sim.add_backup(gone, "n2", freeformTags={"stray": "1"})
    w.sim.purge(gone)
    declare(w, BOOT, selector=select(displayName="n*"), freeformTags={"team": "base"}, reconcile="{tags: exact}")
    plan = w.plan("--show-ignored").expect(2).json
    assert {(i["target"], i["path"], i["rule"].split(",")[0]) for i in plan["ignored"]} == {
        (a, "freeformTags.os", "copied from its volume"), (a, "freeformTags.imagekeeper", "imagekeeper's own"),
        (b, "freeformTags.stray", "perhaps copied from its volume")}
    w.apply().expect(0)
    assert w.sim.backup(a)["freeform"] == {"os": "ol8", "team": "base", "imagekeeper": "s@2026-11-22T01:00:00Z"}
    assert w.sim.backup(b)["freeform"] == {"stray": "1", "team": "base"}
    w.plan().expect(0)


# --- made once ---


def one_off(w, volume, name="before-upgrade", **want):
    want = dict({"type": "FULL", "displayName": "before the upgrade", "freeformTags": {"team": "base", "absent": None}}, **want)
    declare(w, BOOT, name, bootVolumeId=volume, **want)


@case
def what_is_declared_is_made_and_then_kept(w):
    volume = w.sim.add_boot_volume("db", freeformTags={"os": "ol9"})
    one_off(w, volume, definedTags={"Ops": {"CostCenter": "42"}})
    change, = w.plan().expect(2).json["changes"]
    assert (change["action"], change["outcome"], change["target"], change["file"], change["line"]) == (
        "create", "planned", volume, "before-upgrade.yaml", 1)
    assert [(a["path"], a["from"], a["to"]) for a in change["attributes"]] == [
        ("displayName", None, "before the upgrade"), ("freeformTags.team", None, "base"), ("definedTags.Ops.CostCenter", None, "42")]
    assert not creations(w)
    report = w.apply().expect(0).json
    assert report["summary"]["create"] == 1 and report["changes"][0]["outcome"] == "done"
    post, = creations(w)
    assert post["body"] == {"bootVolumeId": volume, "type": "FULL", "displayName": "before the upgrade",
                            "freeformTags": {"team": "base", "imagekeeper": "before-upgrade"},
                            "definedTags": {"Ops": {"CostCenter": "42"}}}
    assert 1 <= len(post["retryToken"]) <= 64
    backup, = live_of(w, volume)
    assert report["changes"][0]["created"] == backup["id"]
    assert backup["freeform"] == {"os": "ol9", "team": "base", "imagekeeper": "before-upgrade"}
    w.sim.advance(60)
    w.apply().expect(0)
    w.sim.change(backup["id"], displayName="renamed by hand")
    w.apply().expect(0)
    assert w.sim.backup(backup["id"])["name"] == "before the upgrade" and len(creations(w)) == 1


@case
def a_saved_plan_makes_it_once(w):
    volume = w.sim.add_boot_volume()
    one_off(w, volume)
    saved = os.path.join(w.folder, "plan.json")
    with open(saved, "w") as f:
        f.write(w.plan().expect(2).out)
    w.apply("--plan", saved).expect(0)
    change, = w.apply("--plan", saved).expect(2).json["changes"]
    assert (change["action"], change["outcome"], change["target"]) == ("create", "held", volume)
    assert len(w.sim.backups(volume)) == 1


@case
def exact_tags_of_what_was_made_leave_the_volumes_copies(w):
    volume = w.sim.add_boot_volume(freeformTags={"os": "ol9"})
    declare(w, BOOT, bootVolumeId=volume, freeformTags={"team": "base"}, reconcile="{tags: exact}")
    w.apply().expect(0)
    w.sim.advance(60)
    backup, = live_of(w, volume)
    w.sim.change(backup["id"], freeformTags=dict(backup["freeform"], stray="1"))
    w.apply().expect(0)
    assert w.sim.backup(backup["id"])["freeform"] == {"os": "ol9", "team": "base", "imagekeeper": "kept"}


@case
def nothing_is_made_when_it_is_only_observed_or_suspended(w):
    volume = w.sim.add_boot_volume()
    declare(w, BOOT, "a", bootVolumeId=volume, reconcile="{mode: observe}")
    declare(w, BOOT, "b", bootVolumeId=volume, reconcile="{suspend: {until: 2999-01-01T00:00:00Z, reason: later}}")
    report = w.apply().expect(2).json
    assert [(c["name"], c["action"], c["outcome"]) for c in report["changes"]] == [("a", "create", "observed")]
    assert not creations(w)


@case
def lost_answers_make_no_second_one(w):
    volume = w.sim.add_boot_volume()
    for fault in ("process-then-close", "process-then-reset", "truncate"):
        w.sim.fault("CreateBootVolumeBackup", fault)
    w.sim.fault("CreateBootVolumeBackup", "process-then-status", status=500, code="InternalServerError", message="no")
    one_off(w, volume)
    w.apply().expect(0)
    assert len(live_of(w, volume)) == 1 and len({r["retryToken"] for r in creations(w)}) == 1 and len(creations(w)) == 5


@case
def a_list_that_lags_makes_no_second_one(w):
    volume = w.sim.add_boot_volume()
    w.sim.config(listLagSeconds=3600)
    one_off(w, volume)
    for _ in range(3):
        w.apply().expect(0)
    assert len(w.sim.backups(volume)) == 1
    w.sim.config(listLagSeconds=0)
    w.sim.advance(60)
    assert w.apply().expect(0).json["changes"] == []


@case
def a_spec_edited_between_two_tries_makes_no_second_one(w):
    volume = w.sim.add_boot_volume()
    w.sim.config(listLagSeconds=100)
    w.sim.fault("CreateBootVolumeBackup", "process-then-close", times=-1)
    one_off(w, volume)
    w.apply().expect(1)
    w.sim.clear_faults()
    one_off(w, volume, displayName="another name")
    change, = w.apply().expect(2).json["changes"]
    assert change["outcome"] == "held" and "made before" in change["reason"]
    w.sim.advance(200)
    w.apply().expect(0)
    backup, = w.sim.backups(volume)
    assert backup["name"] == "another name"
    w.token_misuse = 1


@case
def a_faulty_one_is_made_again_three_times_at_most(w):
    volume = w.sim.add_boot_volume()
    w.sim.faulty(3)
    one_off(w, volume)
    for minutes in (5, 30, 1):
        w.apply().expect(0)
        w.sim.advance(60)
        if minutes > 1:
            report = w.apply().expect(0).json
            note, = report["notes"]
            assert note["event"] == "faulty" and "made again at" in note["message"] and not report["changes"], report
        w.sim.advance(minutes * 60)
    error, = w.apply().expect(1).json["errors"]
    assert "FAULTY" in error["message"] and error["target"] == volume
    assert [b["state"] for b in w.sim.backups(volume)] == ["FAULTY"] * 3
    assert len({r["retryToken"] for r in creations(w)}) == 3
    for backup in w.sim.backups(volume):
        w.sim.delete(backup["id"])
    w.apply().expect(0)
    assert len(live_of(w, volume)) == 1


@case
def one_deleted_by_hand_is_made_again_as_a_new_attempt(w):
    volume = w.sim.add_boot_volume()
    w.sim.config(terminatedVisibleSeconds=3600)
    one_off(w, volume)
    w.apply().expect(0)
    w.sim.advance(60)
    first, = live_of(w, volume)
    w.sim.delete(first["id"])
    w.apply().expect(0)
    second, = live_of(w, volume)
    assert second["id"] != first["id"] and len({r["retryToken"] for r in creations(w)}) == 2
    assert w.apply().expect(0).json["changes"] == [] or second["state"] != "AVAILABLE"


@case
def one_deleted_and_gone_from_the_lists_is_not_made_on_a_guess(w):
    volume = w.sim.add_boot_volume()
    one_off(w, volume)
    w.apply().expect(0)
    w.sim.purge(live_of(w, volume)[0]["id"])
    change, = w.apply().expect(2).json["changes"]
    assert change["outcome"] == "held" and "within a day" in change["reason"]
    assert live_of(w, volume) == []


@case
def a_volume_that_is_busy_is_waited_for(w):
    volume = w.sim.add_boot_volume()
    w.sim.config(requestReceivedSeconds=0, creatingSeconds=100)
    one_off(w, volume, "first")
    w.apply().expect(0)
    one_off(w, volume, "second")
    change, = w.apply().expect(2).json["changes"]
    assert (change["name"], change["outcome"]) == ("second", "held") and "waits its turn" in change["reason"]
    w.sim.advance(150)
    w.apply().expect(0)
    assert len(live_of(w, volume)) == 2


@case
def a_permission_that_is_gone_makes_nothing(w):
    volume = w.sim.add_boot_volume()
    one_off(w, volume)
    for operation in ("GetBootVolume", "ListBootVolumeBackups", "CreateBootVolumeBackup"):
        w.sim.revoke(operation)
        error, = w.apply().expect(1).json["errors"]
        assert error["status"] == 404, error
        assert w.sim.backups(volume) == []
        w.sim.grant()
    w.apply().expect(0)
    assert len(w.sim.backups(volume)) == 1


@case
def a_list_that_breaks_off_makes_nothing(w):
    volume, = w.sim.generate_backups(1, 250)
    w.configure(account="    pageSize: 100\n")
    w.sim.fault("ListBootVolumeBackups", "break-page", times=-1, skip=1)
    one_off(w, volume)
    w.apply().expect(1)
    assert not creations(w)
    w.sim.clear_faults()
    w.apply().expect(0)
    assert len(w.sim.backups(volume)) == 251


@case
def only_the_volumes_own_backups_are_listed(w):
    volume, = w.sim.generate_backups(1, 3)
    w.sim.generate_backups(1, 500, prefix="bbbbbbbb")
    w.configure(account="    pageSize: 100\n")
    one_off(w, volume)
    w.apply().expect(0)
    assert len(w.sim.requests("ListBootVolumeBackups")) == 1


@case
def a_volume_that_is_gone_is_an_error_of_its_document(w):
    volume = w.sim.add_boot_volume(lifecycleState="TERMINATED")
    one_off(w, volume)
    error, = w.apply().expect(1).json["errors"]
    assert "TERMINATED" in error["message"] and not creations(w)


@case
def two_daemons_make_one(w):
    volumes = [w.sim.add_boot_volume("v%d" % n) for n in range(10)]
    w.sim.config(listLagSeconds=2)
    for n, volume in enumerate(volumes):
        one_off(w, volume, "b%d" % n)
    daemons = [w.daemon(), w.daemon()]
    eventually(lambda: len(w.sim.backups()) >= 10)
    for daemon in daemons:
        daemon.wait_message("10 of 10 objects in sync")
    assert sorted(b["volume"] for b in w.sim.backups()) == sorted(volumes)


@case
def a_daemon_waits_for_the_list_to_show_what_it_made(w):
    volume = w.sim.add_boot_volume()
    w.sim.config(listLagSeconds=4)
    one_off(w, volume)
    daemon = w.daemon()
    daemon.wait_line("created .* of " + volume)
    daemon.wait_line("held: it was made a moment ago, and no list shows it yet")
    daemon.wait_message("1 of 1 objects in sync")
    assert len(creations(w)) == 1 and len([l for l in daemon.lines if "created" in l]) == 1


def killed_at_random(w, kills, seed):
    """Kills at random instants, lost answers and lists that lag: in the end each has exactly one."""
    chance = random.Random(seed)
    volumes = []
    w.sim.config(listLagSeconds=0.3, requestReceivedSeconds=0, creatingSeconds=0)
    for n in range(kills):
        volumes.append(w.sim.add_boot_volume("v%d" % n))
        one_off(w, volumes[-1], "b%d" % n)
        if n % 3 == 0:
            w.sim.fault("CreateBootVolumeBackup", chance.choice(["process-then-close", "process-then-hang", "close-before", "truncate"]))
        daemon = w.daemon()
        if n % 2:
            seen = len(creations(w))
            eventually(lambda: len(creations(w)) > seen, "a creation")
        time.sleep(chance.random() * 0.05)
        daemon.signal(signal.SIGKILL)
        daemon.wait()
    w.sim.clear_faults()
    daemon = w.daemon()
    daemon.wait_message("%d of %d objects in sync" % (kills, kills))
    assert sorted(b["volume"] for b in w.sim.backups()) == sorted(volumes), "seed %d" % seed


@case
def killed_at_any_instant_it_makes_each_once(w):
    killed_at_random(w, int(os.environ.get("IMAGEKEEPER_KILLS", "60")), int(os.environ.get("IMAGEKEEPER_SEED", time.time())))


run(workers=4, start=START)
