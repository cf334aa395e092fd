#!/usr/bin/env python3
"""Schedules: each slot of the calendar makes one backup of each volume, whatever happens; and which backups stay."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from schedule import *

# --- what a slot makes ---


@case
def a_slot_is_made_once_as_it_was_declared(w):
    volume = w.sim.add_boot_volume("db", freeformTags={"os": "ol9"})
    schedule(w, bootVolumeId=volume, type="FULL", displayName="{volume}-{slot}", freeformTags={"made-by": "imagekeeper"},
             definedTags={"Ops": {"CostCenter": "42"}})
    report = w.apply().expect(0).json
    assert report["changes"] == [] and troubles(report) == [] and report["summary"]["objects"] == 1
    to_hour(w, 13)
    plan = w.plan().expect(2).json
    change, = plan["changes"]
    assert [change[k] for k in ("kind", "name", "account", "action", "outcome", "target", "slot", "attempt", "created", "file", "line")] == [
        KIND, "hourly", "prod", "create", "planned", volume, hour(13), 1, None, "hourly.yaml", 1]
    assert plan["summary"]["create"] == 1 and not creations(w)
    change, = w.apply().expect(0).json["changes"]
    post, = creations(w)
    assert post["body"] == {"bootVolumeId": volume, "type": "FULL", "displayName": "db-20260610T130000Z",
                            "freeformTags": {"made-by": "imagekeeper", "imagekeeper": "hourly@2026-06-10T13:00:00Z"},
                            "definedTags": {"Ops": {"CostCenter": "42"}}}
    assert 1 <= len(post["retryToken"]) <= 64
    backup, = w.sim.backups(volume)
    assert (change["action"], change["outcome"], change["created"]) == ("create", "done", backup["id"])
    assert change["slot"] == hour(13) and change["attempt"] == 1
    for _ in range(2):
        settle(w)
        report = w.apply().expect(0).json
        assert report["changes"] == [] and troubles(report) == [], report
    assert len(creations(w)) == 1


@case
def the_display_name_is_filled_in(w):
    volume = w.sim.add_boot_volume("db [ä]")
    schedule(w, bootVolumeId=volume, timeZone="Europe/Berlin", displayName="{schedule}|{volume}|{volumeId}|{slot}|{slot:%Y-%m-%d %H:%M}|{{}}")
    to_hour(w, 13)
    w.apply().expect(0)
    backup, = w.sim.backups(volume)
    assert backup["name"] == "hourly|db [ä]|%s|20260610T130000Z|2026-06-10 15:00|{}" % volume, backup["name"]
    w.sim.change(volume, displayName="ä" * 255)
    to_hour(w, 14)
    w.apply().expect(0)
    assert len(w.sim.backups(volume)[1]["name"]) == 255, "cut to what the API takes"


@case
def cron_says_when_as_well(w):
    volume = w.sim.add_boot_volume()
    schedule(w, bootVolumeId=volume, cron="15 15 * * 3", timeZone="Europe/Berlin")
    to_hour(w, 13)
    assert w.apply().expect(0).json["changes"] == []
    w.sim.advance(15 * MINUTE)
    w.apply().expect(0)
    assert slots(w, volume) == ["2026-06-10T13:15:00Z"]


@case
def nights_on_which_clocks_change_have_one_slot_each(w):
    volume = w.sim.add_boot_volume()
    w.go(at("2026-03-29T00:10:00Z"))
    schedule(w, bootVolumeId=volume, onCalendar="*-*-* 02:30:00 Europe/Berlin")
    for time_of_look in ("2026-03-29T00:31:00Z", "2026-03-29T01:05:00Z", "2026-03-29T01:35:00Z"):
        w.go(at(time_of_look))
        w.apply().expect(0)
    assert slots(w, volume) == ["2026-03-29T01:00:00Z"]
    w.go(at("2026-10-25T00:10:00Z"))
    schedule(w, "autumn", bootVolumeId=volume, onCalendar="*-*-* 02:30:00", timeZone="Europe/Berlin")
    os.unlink(os.path.join(w.specs, "hourly.yaml"))
    for time_of_look in ("2026-10-25T00:31:00Z", "2026-10-25T01:31:00Z"):
        w.go(at(time_of_look))
        w.apply().expect(0)
    assert slots(w, volume, "autumn") == ["2026-10-25T00:30:00Z"]


@case
def the_token_is_of_schedule_volume_slot_and_attempt_alone(w):
    a, b = w.sim.add_boot_volume("a"), w.sim.add_boot_volume("b")
    since = w.sim.now()
    w.sim.fault("CreateBootVolumeBackup", "status", status=400, code="InvalidParameter", message="not now", times=-1)
    to_hour(w, 13)

    def token(name="hourly", volume=a, **want):
        for file in os.listdir(w.specs):
            os.unlink(os.path.join(w.specs, file))
        new_host(w)
        schedule(w, name, since=since, bootVolumeId=volume, **want)
        w.apply().expect(1)
        return creations(w)[-1]["retryToken"]

    first = token(displayName="x", type="FULL")
    w.sim.advance(5 * MINUTE)
    w.sim.change(a, displayName="renamed", freeformTags={"os": "ol9"})
    assert token(displayName="{volume}", type="INCREMENTAL", freeformTags={"team": "base"}, onCalendar="*-*-* 13:00:00") == first
    others = {token(name="other"), token(volume=b)}
    to_hour(w, 14)
    others.add(token())
    assert len(others | {first}) == 4


@case
def the_delay_is_the_volumes_own_and_the_same_every_time(w):
    volumes = [w.sim.add_boot_volume("v%d" % n) for n in range(20)]
    schedule(w, selector=select(), randomizedDelay="30m")
    early = []
    for h in (13, 14):
        to_hour(w, h, -60)
        w.apply().expect(0)
        assert not any(hour(h) in slots(w, v) for v in volumes)
        to_hour(w, h, 12 * MINUTE)
        w.apply().expect(0)
        early.append({v for v in volumes if hour(h) in slots(w, v)})
        to_hour(w, h, 31 * MINUTE)
        w.apply().expect(0)
        assert all(hour(h) in slots(w, v) for v in volumes)
    assert early[0] == early[1] and 0 < len(early[0]) < 20, early
    assert all(slots(w, v) == [hour(13), hour(14)] for v in volumes)


# --- from when on ---


@case
def a_new_schedule_never_fires_for_the_past(w):
    volume = w.sim.add_boot_volume()
    schedule(w, bootVolumeId=volume)
    for _ in range(2):
        report = w.apply().expect(0).json
        assert report["changes"] == [] and troubles(report) == []
    to_hour(w, 13)
    w.apply().expect(0)
    assert slots(w, volume) == [hour(13)]


@case
def the_newest_missed_slot_is_made_and_older_ones_are_told_of(w):
    volume = w.sim.add_boot_volume()
    schedule(w, since=at(hour(8)) + 60, bootVolumeId=volume)
    report = w.apply().expect(0).json
    assert brief(report) == [("create", "done", volume)] and report["changes"][0]["slot"] == hour(12)
    missed, = notes(report, "missed")
    assert [missed[k] for k in ("kind", "name", "account", "target")] == [KIND, "hourly", "prod", volume]
    assert missed["message"] == "3 slots were missed, from %s to %s" % (hour(9), hour(11))
    settle(w)
    report = w.apply().expect(0).json
    assert report["changes"] == [] and notes(report, "missed") == [], report
    assert slots(w, volume) == [hour(12)]


@case
def what_was_missed_longer_ago_than_catch_up_is_only_told_of(w):
    volume = w.sim.add_boot_volume()
    schedule(w, since=at(hour(11)) + 60, bootVolumeId=volume, catchUp="20m")
    report = w.apply().expect(0).json
    assert report["changes"] == [] and [hour(12) in n["message"] for n in notes(report, "missed")] == [True], report
    assert not creations(w)


@case
def a_daemon_tells_of_each_missed_slot_once(w):
    volume = w.sim.add_boot_volume()
    schedule(w, since=at(hour(9)) + 60, bootVolumeId=volume, catchUp="20m")
    d = w.daemon()
    n = d.wait_line("%s: 3 slots were missed, from %s to %s" % (volume, hour(10), hour(12)))
    rounds(w, 3)
    assert len([line for line in d.lines if "missed" in line]) == 1, d.lines
    to_hour(w, 13, 21 * MINUTE)
    d.wait_line("missed.*" + hour(13), n)
    rounds(w, 3)
    assert len([line for line in d.lines if "missed" in line]) == 2 and not creations(w), d.lines


@case
def a_new_host_does_not_forget(w):
    a, b = w.sim.add_boot_volume("a"), w.sim.add_boot_volume("b")
    history(w, a, [hour(10)], "hourly")
    schedule(w, selector=select())
    report = w.apply().expect(0).json
    assert [hour(11) in n["message"] for n in notes(report, "missed") if n["target"] == a] == [True], report
    assert slots(w, a) == [hour(10), hour(12)] and slots(w, b)[-1:] == [hour(12)]


@case
def a_slot_of_another_calendar_or_schedule_shows_nothing(w):
    volume = w.sim.add_boot_volume()
    history(w, volume, ["2026-06-10T10:17:00Z"], "hourly")
    history(w, volume, [hour(10)], "daily")
    schedule(w, bootVolumeId=volume)
    report = w.apply().expect(0).json
    assert report["changes"] == [] and troubles(report) == [], report


@case
def a_new_volume_begins_with_the_first_slot_after_its_making(w):
    old = w.sim.add_boot_volume("old", freeformTags={"backup": "hourly"})
    w.sim.add_boot_volume("other", freeformTags={"backup": "never"})
    schedule(w, since=START - DAY, selector=select(freeformTags={"backup": "hourly"}))
    assert w.apply().expect(0).json["summary"]["objects"] == 1
    assert slots(w, old) == [hour(12)]
    new = w.sim.add_boot_volume("new", freeformTags={"backup": "hourly"}, timeCreated=told(w.sim.now()))
    settle(w)
    report = w.apply().expect(0).json
    assert report["changes"] == [] and notes(report, "missed") == [] and report["summary"]["objects"] == 2, report
    to_hour(w, 13)
    w.apply().expect(0)
    assert slots(w, new) == [hour(13)] and slots(w, old) == [hour(12), hour(13)]
    assert len(w.sim.backups()) == 3


@case
def a_volume_that_vanished_is_told_of_and_its_backups_are_left_alone(w):
    kept, gone = w.sim.add_boot_volume("kept"), w.sim.add_boot_volume("gone")
    for volume in (kept, gone):
        history(w, volume, [day(d) for d in range(6, 11)], **{MARK: "2026-06-10T10:00:00Z"})
    w.sim.purge(gone)
    nightly(w, {"last": 4}, selector=select())
    report = w.apply().expect(0).json
    note, = notes(report, "vanished")
    assert note["target"] == gone and note["name"] == "nightly" and note["kind"] == KIND and note["message"], note
    assert slots(w, gone, "nightly") == [day(d) for d in range(6, 11)] and set(marks(w, gone).values()) == {"2026-06-10T10:00:00Z"}
    assert slots(w, kept, "nightly") == [day(d) for d in range(7, 11)]
    d = w.daemon()
    d.wait_line(gone)
    rounds(w)
    assert sum(gone in line for line in d.lines) == 1, d.lines


@case
def a_terminated_volume_gets_nothing_and_loses_nothing(w):
    volume = w.sim.add_boot_volume("db", lifecycleState="TERMINATED")
    history(w, volume, [day(7), day(8), day(9)], **{MARK: "2026-06-10T10:00:00Z"})
    nightly(w, {"last": 1}, selector=select())
    w.apply()
    assert not writes(w)
    os.unlink(os.path.join(w.specs, "nightly.yaml"))
    nightly(w, {"last": 1}, bootVolumeId=volume)
    w.apply()
    assert not writes(w)


@case
def slots_inside_a_pause_are_not_made_up_for(w):
    volume = w.sim.add_boot_volume()
    history(w, volume, [day(d) for d in (8, 9, 10)], "hourly", **{MARK: "2026-06-10T10:00:00Z"})
    schedule(w, bootVolumeId=volume, onCalendar="*-*-* *:00:00", keep={"last": 1}, prune=True,
             reconcile="{suspend: {until: 2026-06-10T13:30:00Z, reason: migration}}")
    to_hour(w, 13)
    assert w.plan().expect(0).json["changes"] == []
    w.apply().expect(0)
    assert not writes(w)
    to_hour(w, 13, 31 * MINUTE)
    schedule(w, bootVolumeId=volume, reconcile="{suspend: {until: 2026-06-10T13:30:00Z, reason: migration}}")
    assert not [c for c in w.apply().expect(0).json["changes"] if c["action"] == "create"]
    to_hour(w, 14)
    w.apply().expect(0)
    assert slots(w, volume)[-1] == hour(14) and len(creations(w)) == 1


@case
def what_is_only_observed_is_not_done(w):
    volume = w.sim.add_boot_volume()
    history(w, volume, [day(7)], **{MARK: "2026-06-10T10:00:00Z"})
    history(w, volume, [day(8), day(9)])
    nightly(w, {"last": 1}, bootVolumeId=volume, reconcile="{mode: observe}")
    report = w.apply().expect(2).json
    assert sorted((c["action"], c["outcome"]) for c in report["changes"]) == [
        ("create", "observed"), ("delete", "observed"), ("update", "observed")], report
    nightly(w, {"last": 1}, bootVolumeId=volume)
    w.configure(top="mode: observe\n")
    assert {c["outcome"] for c in w.apply().expect(2).json["changes"]} == {"observed"}
    assert not writes(w)


# --- exactly once ---


def twelve(w, volume=None, **want):
    """A schedule whose slot of 12:00 has not been made yet."""
    volume = volume or w.sim.add_boot_volume("db")
    schedule(w, since=at(hour(12)) - 60, bootVolumeId=volume, **want)
    return volume


@case
def lost_answers_make_no_second_one(w):
    volume = twelve(w)
    for fault in ("process-then-close", "process-then-reset", "truncate"):
        w.sim.fault("CreateBootVolumeBackup", fault)
    w.sim.fault("CreateBootVolumeBackup", "process-then-status", status=500, code="InternalServerError", message="no")
    w.apply().expect(0)
    assert slots(w, volume, dead=True) == [hour(12)]
    assert len({r["retryToken"] for r in creations(w)}) == 1 and len(creations(w)) == 5


@case
def an_answer_that_never_comes_makes_no_second_one(w):
    volume = twelve(w)
    w.sim.fault("CreateBootVolumeBackup", "process-then-hang")
    w.apply().expect(0)
    assert slots(w, volume, dead=True) == [hour(12)] and len({r["retryToken"] for r in creations(w)}) == 1


@case
def requests_that_get_lost_are_repeated_in_the_next_round(w):
    volume = twelve(w)
    w.sim.fault("CreateBootVolumeBackup", "status", status=503, code="ServiceUnavailable", message="no", headers={"Retry-After": "3600"})
    w.apply().expect(1)
    assert not w.sim.backups(volume)
    new_host(w)
    w.apply().expect(0)
    assert slots(w, volume) == [hour(12)] and len({r["retryToken"] for r in creations(w)}) == 1


@case
def a_daemon_repeats_what_got_lost_on_its_way(w):
    volume = twelve(w)
    w.sim.fault("CreateBootVolumeBackup", "close-before", times=5)
    d = w.daemon()
    d.wait_line("will be repeated|not known|failed")
    d.wait_line("created .*" + volume)
    assert slots(w, volume, dead=True) == [hour(12)] and len({r["retryToken"] for r in creations(w)}) == 1


@case
def a_list_that_lags_makes_no_second_one(w):
    w.sim.config(listLagSeconds=3600)
    volume = twelve(w)
    for _ in range(3):
        new_host(w)
        w.apply().expect(0)
        w.sim.advance(20)
    assert slots(w, volume, dead=True) == [hour(12)]
    w.sim.config(listLagSeconds=0)
    assert w.apply().expect(0).json["changes"] == []


@case
def a_spec_edited_between_two_tries_makes_no_second_one(w):
    w.sim.config(listLagSeconds=100)
    w.sim.fault("CreateBootVolumeBackup", "process-then-close", times=-1)
    volume = twelve(w)
    w.apply().expect(1)
    w.sim.clear_faults()
    twelve(w, volume, displayName="another name")
    change, = w.apply().expect(0).json["changes"]
    assert (change["action"], change["outcome"], change["slot"], change["created"]) == ("create", "done", hour(12), None), change
    assert change["reason"]
    w.sim.advance(200)
    assert w.apply().expect(0).json["changes"] == []
    assert slots(w, volume, dead=True) == [hour(12)]
    w.token_misuse = 1


@case
def a_spec_file_written_anew_does_not_bring_its_schedule_forward(w):
    volume = twelve(w)
    w.apply().expect(0)
    settle(w)
    schedule(w, bootVolumeId=volume, displayName="another name")
    assert w.apply().expect(0).json["changes"] == []
    to_hour(w, 13)
    w.apply().expect(0)
    assert slots(w, volume, dead=True) == [hour(12), hour(13)] and w.sim.backups(volume)[1]["name"] == "another name"


@case
def one_deleted_by_hand_and_still_listed_is_not_made_again(w):
    w.sim.config(terminatedVisibleSeconds=DAY)
    volume = twelve(w)
    w.apply().expect(0)
    settle(w)
    w.sim.delete(w.sim.backups(volume)[0]["id"])
    for _ in range(3):
        w.sim.advance(9 * MINUTE)
        w.apply().expect(0)
    assert slots(w, volume, dead=True) == [hour(12)] and slots(w, volume) == []
    to_hour(w, 13)
    w.apply().expect(0)
    assert slots(w, volume) == [hour(13)]


@case
def one_deleted_by_hand_and_gone_from_the_lists_is_not_made_again(w):
    for when in ("deleted", "purged"):
        w.sim.config(tokenVoidWhen=when)
        volume = twelve(w, w.sim.add_boot_volume("db " + when))
        w.apply().expect(0)
        settle(w)
        w.sim.purge(w.sim.backups(volume)[0]["id"])
        for _ in range(2):
            w.sim.advance(6 * MINUTE)
            new_host(w)
            w.apply().expect(0)
        assert slots(w, volume, dead=True) == [hour(12)] and slots(w, volume) == []
    w.go(at(hour(12)) + 25 * HOUR - 10 * MINUTE)
    w.apply().expect(0)
    assert hour(12) not in slots(w, volume)


@case
def a_restart_after_the_tokens_day_makes_no_second_one(w):
    volume = twelve(w, onCalendar="Wed *-*-* 12:00:00", catchUp="3d")
    w.apply().expect(0)
    w.sim.advance(30 * HOUR)
    new_host(w)
    report = w.apply().expect(0).json
    assert report["changes"] == [] and troubles(report) == [], report
    assert slots(w, volume, dead=True) == [hour(12)]


@case
def a_lost_answer_is_forgotten_by_no_host(w):
    volume = twelve(w)
    w.sim.fault("CreateBootVolumeBackup", "process-then-close", times=-1)
    w.apply().expect(1)
    w.sim.clear_faults()
    new_host(w)
    settle(w)
    assert w.apply().expect(0).json["changes"] == []
    assert slots(w, volume, dead=True) == [hour(12)]


@case
def two_daemons_make_one_of_each(w):
    volumes = [w.sim.add_boot_volume("v%d" % n) for n in range(6)]
    w.sim.config(listLagSeconds=0.5)
    schedule(w, selector=select())
    daemons = [w.daemon(), w.daemon()]
    for daemon in daemons:
        daemon.wait_message("of 6 objects")
    for h in (13, 14, 15):
        to_hour(w, h)
        eventually(lambda: all(hour(h) in slots(w, v) for v in volumes), "the slots of " + hour(h))
        rounds(w, 4)
    for volume in volumes:
        assert slots(w, volume, dead=True) == [hour(h) for h in (13, 14, 15)]
    assert not any(hour(h) in line and "missed" in line for h in (13, 14, 15) for daemon in daemons for line in daemon.lines)


# --- what may come in between ---


@case
def a_faulty_one_is_tried_again_further_apart_each_time_and_three_times_at_most(w):
    volume = w.sim.add_boot_volume()
    schedule(w, "nightly", bootVolumeId=volume, onCalendar="*-*-* 02:00:00", catchUp="23h")
    w.sim.faulty(3)
    w.go(at(day(11)) + 5)

    def attempts():
        return len(w.sim.backups(volume))

    seen = [w.apply().expect(0).json["changes"][0]["attempt"]]
    w.sim.advance(10)
    report = w.apply().json
    assert [n["target"] for n in notes(report, "faulty")] == [volume], report
    w.sim.advance(4 * MINUTE)
    w.apply()
    assert attempts() == 1
    w.sim.advance(2 * MINUTE)
    seen.append(w.apply().expect(0).json["changes"][0]["attempt"])
    assert attempts() == 2
    for pause in (10, 10 * MINUTE, 17 * MINUTE):
        w.sim.advance(pause)
        w.apply()
    assert attempts() == 2
    w.sim.advance(4 * MINUTE)
    new_host(w)
    seen.append(w.apply().expect(0).json["changes"][0]["attempt"])
    assert attempts() == 3 and seen == [1, 2, 3]
    for pause in (10, HOUR, 8 * HOUR):
        w.sim.advance(pause)
        error, = w.apply().expect(1).json["errors"]
        assert "FAULTY" in error["message"] and error["name"] == "nightly", error
    assert [b["state"] for b in w.sim.backups(volume)] == ["FAULTY"] * 3
    assert len({r["retryToken"] for r in creations(w)}) == 3 and slots(w, volume, "nightly", dead=True) == [day(11)] * 3
    w.go(at(day(12)) + 5)
    w.apply()
    assert slots(w, volume, "nightly") == [day(12)]


@case
def a_second_attempt_that_is_good_ends_it(w):
    w.sim.faulty(1)
    volume = twelve(w, onCalendar="*-*-* 12:00:00")
    w.apply().expect(0)
    for _ in range(8):
        w.sim.advance(10 * MINUTE)
        w.apply()
    assert w.apply().expect(0).json["changes"] == []
    assert sorted(b["state"] for b in w.sim.backups(volume)) == ["AVAILABLE", "FAULTY"]


@case
def an_unfinished_one_is_waited_for(w):
    w.sim.config(creatingSeconds=3 * HOUR)
    volume = twelve(w, onCalendar="*-*-* 12:00:00")
    for _ in range(4):
        w.apply().expect(0)
        w.sim.advance(40 * MINUTE)
    assert slots(w, volume, dead=True) == [hour(12)] and len(creations(w)) == 1


@case
def a_busy_volume_is_waited_for(w):
    volume = w.sim.add_boot_volume()
    w.sim.config(requestReceivedSeconds=0, creatingSeconds=100)
    for name in ("hourly", "yours"):
        schedule(w, name, bootVolumeId=volume)
    to_hour(w, 13)
    report = w.apply().expect(2).json
    assert sorted((c["action"], c["outcome"]) for c in report["changes"]) == [("create", "done"), ("create", "held")], report
    assert [c for c in report["changes"] if c["outcome"] == "held"][0]["reason"] and len(w.sim.backups(volume)) == 1
    w.apply().expect(2)
    assert len(w.sim.backups(volume)) == 1
    w.sim.advance(150)
    w.apply().expect(0)
    assert slots(w, volume, "hourly", dead=True) == slots(w, volume, "yours", dead=True) == [hour(13)]


@case
def a_daemon_gets_its_turn_on_a_busy_volume(w):
    volume = w.sim.add_boot_volume()
    w.sim.config(requestReceivedSeconds=0, creatingSeconds=100)
    by_hand = w.sim.add_backup(volume, "by hand", lifecycleState="CREATING")
    schedule(w, bootVolumeId=volume)
    d = w.daemon()
    d.wait_message("of 1 objects")
    to_hour(w, 13)
    rounds(w)
    assert slots(w, volume) == []
    w.sim.change(by_hand, lifecycleState="AVAILABLE")
    eventually(lambda: slots(w, volume) == [hour(13)], "its turn")


def everything_is_due(w, **want):
    """Two volumes; of each a backup is to be made, one to be marked and one to be deleted."""
    volumes = [w.sim.add_boot_volume(name, freeformTags={"backup": "nightly"}) for name in ("a", "b")]
    for volume in volumes:
        history(w, volume, [day(7)], **{MARK: "2026-06-10T10:00:00Z"})
        history(w, volume, [day(8), day(9)])
    nightly(w, {"last": 1}, **(want or {"selector": select(freeformTags={"backup": "nightly"})}))
    return volumes


def everything_was_done(w, volumes):
    for volume in volumes:
        assert slots(w, volume, "nightly") == [day(8), day(9), day(10)] and marked(w, volume) == [day(8)]
    done = w.sim.statistics()
    assert (done["created"], done["deleted"], done["applied"]) == (len(volumes), len(volumes), 3 * len(volumes)), done


@case
def nothing_fires_on_a_clock_that_cannot_be_trusted(w):
    volumes = everything_is_due(w)
    for difference in (90, -90, 240):
        w.sim.call("POST", "/clock", {"offsetSeconds": difference})
        report = w.apply().expect(2).json
        assert report["changes"] and {c["outcome"] for c in report["changes"]} == {"held"}, report
        assert all("clock" in c["reason"] for c in report["changes"]), report
        assert not writes(w)
    w.sim.call("POST", "/clock", {"offsetSeconds": HOUR})
    assert "clock" in w.apply().expect(1).json["errors"][0]["message"] and not writes(w)
    w.sim.call("POST", "/clock", {"offsetSeconds": 30})
    w.apply().expect(0)
    everything_was_done(w, volumes)


@case
def a_daemon_says_that_its_clock_cannot_be_trusted_and_goes_on_when_it_can(w):
    volume = w.sim.add_boot_volume()
    w.sim.call("POST", "/clock", {"offsetSeconds": -100})
    schedule(w, since=START, bootVolumeId=volume)
    to_hour(w, 13)
    d = w.daemon()
    d.wait_line("clock")
    rounds(w)
    assert not creations(w)
    w.sim.call("POST", "/clock", {"offsetSeconds": 0})
    d.wait_line("created .*" + volume)


@case
def a_permission_that_is_gone_does_nothing_and_its_return_only_what_is_due(w):
    volumes = everything_is_due(w)
    for operation in ("ListBootVolumes", "ListBootVolumeBackups"):
        w.sim.revoke(operation)
        for _ in range(2):
            report = w.apply().expect(1).json
            assert report["errors"][0]["status"] == 404 and report["errors"][0]["name"] == "nightly", report
            assert notes(report, "vanished") == [] and notes(report, "missed") == [], report
        assert not writes(w)
        w.sim.grant()
    w.sim.hide(COMPARTMENT)
    w.apply().expect(1)
    assert not writes(w)
    w.sim.show(COMPARTMENT)
    w.apply().expect(0)
    everything_was_done(w, volumes)


@case
def a_daemon_survives_a_permission_that_is_gone_for_a_while(w):
    volumes = [w.sim.add_boot_volume(name) for name in ("a", "b", "c")]
    for volume in volumes:
        history(w, volume, [day(8), day(9), day(10)])
    nightly(w, {"last": 3}, selector=select())
    d = w.daemon()
    n = d.wait_message("3 of 3 objects in sync$")
    for operation in ("ListBootVolumes", "ListBootVolumeBackups"):
        w.sim.revoke(operation)
        n = d.wait_message("[1-9][0-9]* (Failed|AccessUncertain)", n)
        w.sim.grant()
        n = d.wait_message("3 of 3 objects in sync$", n)
    assert not writes(w) and not any(v in line and "vanished" in line for v in volumes for line in d.lines), d.lines


@case
def a_volume_that_cannot_be_read_is_left_alone(w):
    volume = w.sim.add_boot_volume()
    for d in (7, 8, 9):
        history(w, volume, [day(d)], **{MARK: "2026-06-10T10:00:00Z"})
    nightly(w, {"last": 1}, bootVolumeId=volume)
    w.sim.revoke("GetBootVolume")
    error, = w.apply().expect(1).json["errors"]
    assert error["status"] == 404 and not writes(w)


@case
def lists_that_break_off_half_way_decide_nothing(w):
    w.configure(account="    pageSize: 100\n")
    w.sim.generate_backups(120, 3)
    volumes = everything_is_due(w)
    for operation in ("ListBootVolumes", "ListBootVolumeBackups"):
        w.sim.fault(operation, "break-page", times=-1)
        w.apply().expect(1)
        assert not writes(w), operation
        w.sim.clear_faults()
    w.apply().expect(0)
    everything_was_done(w, volumes)


@case
def several_schedules_on_one_volume_keep_out_of_each_others_way(w):
    volume = w.sim.add_boot_volume()
    history(w, volume, [hour(h) for h in (10, 11, 12)], "hourly")
    history(w, volume, [day(d) for d in (8, 9, 10)])
    schedule(w, bootVolumeId=volume, keep={"last": 1}, prune=True, grace="1h")
    nightly(w, {"last": 2}, selector=select())
    w.apply().expect(0)
    assert marked(w, volume) == [day(8), hour(10), hour(11)]
    to_hour(w, 13)
    w.apply().expect(0)
    settle(w)
    w.apply().expect(0)
    assert marked(w, volume) == [day(8), hour(10), hour(11), hour(12)]
    assert slots(w, volume, dead=True) == [hour(h) for h in (10, 11, 12, 13)] and slots(w, volume, "nightly") == [day(d) for d in (8, 9, 10)]


@case
def more_than_the_changes_of_a_round_are_all_held(w):
    for n in range(5):
        w.sim.add_boot_volume("v%d" % n)
    schedule(w, selector=select())
    to_hour(w, 13)
    w.configure(top="limits: {maxChanges: 4}\n")
    report = w.apply().expect(2).json
    assert [c["outcome"] for c in report["changes"]] == ["held"] * 5 and "limits.maxChanges" in report["changes"][0]["reason"]
    assert not creations(w)
    w.configure(top="limits: {maxChanges: 5}\n")
    w.apply().expect(0)
    assert len(w.sim.backups()) == 5


@case
def what_can_wait_is_held_first(w):
    volumes = everything_is_due(w)
    w.configure(top="limits: {maxChanges: 2}\n")
    report = w.apply().expect(2).json
    assert sorted((c["action"], c["outcome"]) for c in report["changes"]) == [
        ("create", "done")] * 2 + [("delete", "held")] * 2 + [("update", "held")] * 2, report
    assert all(slots(w, v, "nightly") == [day(d) for d in (7, 8, 9, 10)] and marked(w, v) == [day(7)] for v in volumes)


@case
def a_selector_that_suddenly_takes_far_more_is_held(w):
    w.sim.add_boot_volume("first", freeformTags={"backup": "yes"})
    schedule(w, since=START - DAY, selector=select(freeformTags={"backup": "yes"}))
    d = w.daemon()
    d.wait_message("1 of 1 objects in sync$")
    w.sim.call("POST", "/bootVolumes", [{"id": "ocid1.bootvolume.oc1.phx.more%06d" % n, "displayName": "more", "compartmentId": COMPARTMENT,
                                         "freeformTags": {"backup": "yes"}} for n in range(20)])
    d.wait_line("held: the selector matches 21 objects, 1 in the round before")
    rounds(w)
    assert len(creations(w)) == 1
    d.stop()
    w.apply().expect(0)
    assert len(w.sim.backups()) == 21


@case
def clocks_that_jump_make_nothing_twice(w):
    volume = w.sim.add_boot_volume()
    schedule(w, bootVolumeId=volume)
    d = w.daemon()
    d.wait_message("of 1 objects")
    to_hour(w, 17)
    eventually(lambda: slots(w, volume) == [hour(17)], "the newest slot")
    d.wait_line("missed.*" + hour(16))
    to_hour(w, 12, 40 * MINUTE)
    rounds(w)
    to_hour(w, 17, 10)
    rounds(w)
    assert slots(w, volume, dead=True) == [hour(17)]
    to_hour(w, 18)
    eventually(lambda: slots(w, volume) == [hour(17), hour(18)], "the next slot")
    rounds(w)
    assert slots(w, volume, dead=True) == [hour(17), hour(18)]


@case
def a_daemon_wakes_for_its_slots_whatever_its_interval(w):
    volume = w.sim.add_boot_volume()
    with open(w.config_file) as f:
        text = f.read().replace("interval: 1s", "interval: 1d")
    w.write(w.config_file, text)
    schedule(w, bootVolumeId=volume, onCalendar="*:*:0/3")
    d = w.daemon()
    eventually(lambda: len(slots(w, volume)) >= 2, "two slots, with an interval of a day")
    d.wait_line("is AVAILABLE")


# --- followed ---


@case
def a_daemon_follows_a_backup_until_it_is_available(w):
    volume = w.sim.add_boot_volume()
    w.sim.config(creatingSeconds=90)
    schedule(w, bootVolumeId=volume)
    d = w.daemon()
    d.wait_message("of 1 objects")
    to_hour(w, 13)
    n = d.wait_line("created .*" + volume)
    rounds(w)
    assert not any("AVAILABLE" in line for line in d.lines)
    backup, = w.sim.backups(volume)
    w.sim.advance(90)
    n = d.wait_line("is AVAILABLE", n)
    assert backup["id"] in d.lines[n - 1] and re.search(r"is AVAILABLE\b.*\b\d+(\.\d+)? ?(ms|s|min|h)\b", d.lines[n - 1]), d.lines[n - 1]
    rounds(w)
    assert len([line for line in d.lines if "is AVAILABLE" in line]) == 1, d.lines


@case
def a_backup_is_followed_across_reloads_and_restarts(w):
    volume = w.sim.add_boot_volume()
    w.sim.config(creatingSeconds=90)
    schedule(w, bootVolumeId=volume)
    to_hour(w, 13)
    d = w.daemon()
    d.wait_line("created .*" + volume)
    d.signal(signal.SIGHUP)
    d.wait_line("reloaded")
    rounds(w)
    new_host(w)
    e = w.daemon()
    e.wait_message("of 1 objects")
    rounds(w)
    w.sim.advance(90)
    for daemon in (d, e):
        daemon.wait_line("is AVAILABLE")


@case
def a_daemon_tells_of_a_faulty_backup_and_tries_again(w):
    volume = w.sim.add_boot_volume()
    schedule(w, bootVolumeId=volume, onCalendar="*-*-* 13:00:00")
    w.sim.faulty(1)
    d = w.daemon()
    d.wait_message("of 1 objects")
    to_hour(w, 13)
    n = d.wait_line("FAULTY")
    assert w.sim.backups(volume)[0]["id"] in d.lines[n - 1] or volume in d.lines[n - 1], d.lines[n - 1]
    rounds(w)
    assert len(w.sim.backups(volume)) == 1
    w.sim.advance(5 * MINUTE)
    d.wait_line("is AVAILABLE", n)
    assert [b["state"] for b in w.sim.backups(volume)] == ["FAULTY", "AVAILABLE"]


@case
def a_daemon_tells_of_a_faulty_backup_when_a_newer_slot_is_due_as_well(w):
    volume = w.sim.add_boot_volume()
    w.sim.config(creatingSeconds=90 * MINUTE)
    schedule(w, bootVolumeId=volume)
    w.sim.faulty(1)
    d = w.daemon()
    d.wait_message("of 1 objects")
    to_hour(w, 13)
    d.wait_line("created .*" + volume)
    backup, = w.sim.backups(volume)
    to_hour(w, 14)
    rounds(w)
    assert len(w.sim.backups(volume)) == 1
    to_hour(w, 14, 31 * MINUTE)
    d.wait_line("FAULTY")
    eventually(lambda: slots(w, volume) == [hour(14)], "the newer slot")
    assert any(backup["id"] in line for line in d.lines if "FAULTY" in line), d.lines


# --- what stays ---


@case
def what_keep_drops_is_marked_and_goes_when_its_grace_is_over(w):
    volume = w.sim.add_boot_volume()
    ids = history(w, volume, [day(d) for d in range(5, 11)], team="x")
    nightly(w, {"last": 2}, bootVolumeId=volume)
    plan = w.plan().expect(2).json
    assert brief(plan) == sorted(("update", "planned", ids[day(d)]) for d in range(5, 9))
    before = w.sim.now()
    report = w.apply().expect(0).json
    after = w.sim.now()
    for change in report["changes"]:
        attribute, = change["attributes"]
        assert (attribute["path"], attribute["from"]) == ("freeformTags." + MARK, None), attribute
        assert before - 1 <= at(attribute["to"]) - HOUR <= after + 1, attribute
        backup = w.sim.backup(change["target"])
        assert backup["freeform"] == {"imagekeeper": "nightly@" + slot_of(backup)[1], "team": "x", MARK: attribute["to"]}
    assert marked(w, volume) == [day(d) for d in range(5, 9)] and report["summary"]["update"] == 4
    assert not any(r["retryToken"] for r in w.sim.requests("UpdateBootVolumeBackup"))
    w.go(before + HOUR - MINUTE)
    assert w.plan().expect(0).json["changes"] == []
    w.apply().expect(0)
    assert not deletions(w)
    w.go(after + HOUR + 2)
    plan = w.plan().expect(2).json
    assert brief(plan) == sorted(("delete", "planned", ids[day(d)]) for d in range(5, 9)) and all(c["reason"] for c in plan["changes"])
    report = w.apply().expect(0).json
    assert {c["outcome"] for c in report["changes"]} == {"done"} and report["summary"]["delete"] == 4
    assert slots(w, volume, "nightly") == [day(9), day(10)]
    assert all(r["ifMatch"] and not r["retryToken"] for r in deletions(w)) and len(deletions(w)) == 4
    settle(w)
    report = w.apply().expect(0).json
    assert report["changes"] == [] and troubles(report) == [], report


@case
def a_daemon_marks_and_deletes_and_says_so(w):
    volume = w.sim.add_boot_volume()
    ids = history(w, volume, [day(8), day(9), day(10)])
    nightly(w, {"last": 2}, bootVolumeId=volume)
    d = w.daemon()
    n = d.wait_line("updated " + ids[day(8)])
    assert MARK in d.lines[n - 1], d.lines[n - 1]
    rounds(w)
    w.sim.advance(HOUR + 5)
    d.wait_line("deleted .*" + ids[day(8)], n)
    rounds(w)
    assert slots(w, volume, "nightly") == [day(9), day(10)] and len(deletions(w)) == 1


@case
def classes_count_in_the_schedules_zone(w):
    volume = w.sim.add_boot_volume()
    # In Berlin 22:30 UTC is the next day.
    made = ["2026-06-0%dT%s:30:00Z" % (d, h) for d in (7, 8) for h in ("21", "22")] + ["2026-06-09T21:30:00Z"]
    history(w, volume, made, "late")
    schedule(w, "late", bootVolumeId=volume, onCalendar="*-*-* 21,22:30:00", timeZone="UTC", keep={"daily": 3}, prune=True, catchUp="1h")
    w.apply().expect(0)
    assert marked(w, volume) == [made[0], made[2]]
    schedule(w, "late", bootVolumeId=volume, onCalendar="*-*-* 00,23:30:00", timeZone="Europe/Berlin", keep={"daily": 3}, prune=True,
             catchUp="1h")
    w.apply().expect(0)
    assert marked(w, volume) == [made[1], made[3]]


@case
def only_good_ones_fill_places_and_the_newest_good_one_stays(w):
    volume = w.sim.add_boot_volume()
    ids = history(w, volume, [day(7), day(8), day(9), day(10), day(15)])
    w.sim.change(ids[day(9)], lifecycleState="CREATING")
    w.sim.change(ids[day(10)], lifecycleState="FAULTY")
    w.sim.change(ids[day(8)], freeformTags={"imagekeeper": "nightly@" + day(8), MARK: "2026-06-10T10:00:00Z"})
    nightly(w, {"last": 1}, bootVolumeId=volume, catchUp="1h")
    w.apply()
    assert not deletions(w) and {slot: bool(mark) for slot, mark in marks(w, volume).items()} == {
        day(7): True, day(8): False, day(9): False, day(10): False, day(15): False}
    w.sim.advance(HOUR + 5)
    w.apply()
    assert slots(w, volume, "nightly", dead=False) == [day(8), day(9), day(15)] and w.sim.backup(ids[day(10)])["state"] == "FAULTY"


@case
def a_faulty_one_that_is_of_no_use_any_more_goes_as_well(w):
    volume = w.sim.add_boot_volume()
    ids = history(w, volume, [day(8), day(9), day(10)])
    w.sim.change(ids[day(8)], lifecycleState="FAULTY")
    nightly(w, {"last": 5}, bootVolumeId=volume)
    w.apply().expect(0)
    assert marked(w, volume) == [day(8)]
    w.sim.advance(HOUR + MINUTE)
    w.apply().expect(0)
    assert w.sim.backup(ids[day(8)])["deleted"] and slots(w, volume, "nightly") == [day(9), day(10)]


@case
def a_new_one_takes_the_place_of_the_old_one_when_it_is_good(w):
    volume = w.sim.add_boot_volume()
    w.sim.config(creatingSeconds=30 * MINUTE)
    history(w, volume, [hour(12)], "hourly")
    schedule(w, bootVolumeId=volume, keep={"last": 1}, prune=True)
    to_hour(w, 13)
    for _ in range(2):
        w.apply().expect(0)
    assert slots(w, volume) == [hour(12), hour(13)] and marked(w, volume) == []
    w.sim.advance(31 * MINUTE)
    w.apply().expect(0)
    assert marked(w, volume) == [hour(12)]


@case
def never_keeps_a_backup_for_good(w):
    volume = w.sim.add_boot_volume()
    history(w, volume, [day(7)], **{MARK: "never"})
    history(w, volume, [day(8)], **{MARK: "when I say so"})
    history(w, volume, [day(9), day(10)])
    nightly(w, {"last": 2}, bootVolumeId=volume)
    w.plan().expect(0)
    w.sim.advance(10 * HOUR)
    w.apply().expect(0)
    assert not writes(w) and marks(w, volume)[day(7)] == "never" and marks(w, volume)[day(8)] == "when I say so"


@case
def taking_the_mark_away_starts_a_new_grace(w):
    volume = w.sim.add_boot_volume()
    ids = history(w, volume, [day(9), day(10)])
    nightly(w, {"last": 1}, bootVolumeId=volume)
    w.apply().expect(0)
    first = marks(w, volume)[day(9)]
    w.sim.advance(50 * MINUTE)
    w.sim.change(ids[day(9)], freeformTags={"imagekeeper": "nightly@" + day(9)})
    w.sim.advance(20 * MINUTE)
    w.apply().expect(0)
    second = marks(w, volume)[day(9)]
    assert at(first) + HOUR <= at(second) and not deletions(w)
    w.sim.advance(50 * MINUTE)
    assert w.apply().expect(0).json["changes"] == []
    w.sim.advance(11 * MINUTE)
    w.apply().expect(0)
    assert slots(w, volume, "nightly") == [day(10)]


@case
def a_looser_keep_takes_marks_off_again(w):
    volume = w.sim.add_boot_volume()
    ids = history(w, volume, [day(8), day(9), day(10)], team="x")
    nightly(w, {"last": 1}, bootVolumeId=volume)
    w.apply().expect(0)
    assert marked(w, volume) == [day(8), day(9)]
    w.sim.advance(HOUR + MINUTE)
    nightly(w, {"last": 2}, bootVolumeId=volume)
    plan = w.plan().expect(2).json
    assert brief(plan) == sorted([("delete", "planned", ids[day(8)]), ("update", "planned", ids[day(9)])])
    unmark, = [c["attributes"] for c in plan["changes"] if c["action"] == "update"]
    assert [(a["path"], bool(a["from"]), a["to"]) for a in unmark] == [("freeformTags." + MARK, True, None)]
    w.apply().expect(0)
    assert w.sim.backup(ids[day(9)])["freeform"] == {"imagekeeper": "nightly@" + day(9), "team": "x"}
    assert slots(w, volume, "nightly") == [day(9), day(10)]


@case
def without_prune_it_is_only_shown(w):
    volume = w.sim.add_boot_volume()
    ids = history(w, volume, [day(7), day(8), day(9), day(10)])
    nightly(w, {"last": 1}, bootVolumeId=volume, prune=False)
    report = w.plan().expect(0).json
    assert brief(report) == sorted(("delete", "observed", ids[day(d)]) for d in (7, 8, 9)), report
    assert all(c["reason"] for c in report["changes"]) and report["summary"]["observed"] == 3
    for _ in range(2):
        w.apply().expect(0)
        w.sim.advance(2 * DAY)
    assert not deletions(w) and marked(w, volume) == []


@case
def a_mark_does_not_outlive_prune(w):
    volume = w.sim.add_boot_volume()
    history(w, volume, [day(7), day(8)], **{MARK: "2026-06-10T10:00:00Z"})
    history(w, volume, [day(9)])
    nightly(w, {"last": 1}, bootVolumeId=volume, prune=False, catchUp="1h")
    w.apply().expect(0)
    assert not deletions(w) and marked(w, volume) == []
    w.plan().expect(0)


@case
def other_peoples_backups_are_none_of_its_business(w):
    volume, other = w.sim.add_boot_volume("db"), w.sim.add_boot_volume("other")
    history(w, volume, [day(d) for d in (7, 8, 9)])
    tags = [{}, {"imagekeeper": "nightly"}, {"imagekeeper": "nightly@"}, {"imagekeeper": "nightly@soon"},
            {"imagekeeper": "nightly2@" + day(7)}, {"imagekeeper": "nightly@2026-06-07 02:00:00"}, {"Imagekeeper": "nightly@" + day(7)},
            {MARK: "2026-06-10T10:00:00Z"}, {"imagekeeper": "weekly@" + day(7), MARK: "2026-06-10T10:00:00Z"}]
    others = [w.sim.add_backup(volume, "theirs %d" % n, freeformTags=dict(t), timeCreated=day(7)) for n, t in enumerate(tags)]
    others += history(w, other, [day(6)], **{MARK: "2026-06-10T10:00:00Z"}).values()
    before = {b: w.sim.backup(b)["etag"] for b in others}
    nightly(w, {"last": 1}, bootVolumeId=volume)
    w.apply().expect(0)
    w.sim.advance(HOUR + MINUTE)
    w.apply().expect(0)
    assert {b: w.sim.backup(b)["etag"] for b in others} == before
    assert day(10) in slots(w, volume, "nightly") and marks(w, volume)[day(9)] and len(deletions(w)) == 2


@case
def a_larger_sweep_than_allowed_is_held_whole(w):
    volume = w.sim.add_boot_volume()
    history(w, volume, [day(d) for d in range(-2, 9)], **{MARK: "2026-06-10T10:00:00Z"})
    history(w, volume, [day(9)])
    nightly(w, {"last": 1}, bootVolumeId=volume)
    report = w.apply().expect(2).json
    swept = [c for c in report["changes"] if c["action"] == "delete"]
    assert [c["outcome"] for c in swept] == ["held"] * 11 and all("limits.maxDeletes" in c["reason"] for c in swept), report
    assert not deletions(w) and slots(w, volume, "nightly")[-1] == day(10), "what is to be made is not held with it"
    settle(w)
    w.configure(top="limits: {maxDeletes: 11}\n")
    w.apply().expect(0)
    assert slots(w, volume, "nightly") == [day(9), day(10)]


def one_to_delete(w):
    volume = w.sim.add_boot_volume()
    ids = history(w, volume, [day(8)], **{MARK: "2026-06-10T10:00:00Z"})
    ids.update(history(w, volume, [day(9), day(10)]))
    nightly(w, {"last": 2}, bootVolumeId=volume)
    return ids[day(8)]


@case
def one_that_changes_between_look_and_deletion_is_not_lost(w):
    kept = dict(imagekeeper="nightly@" + day(8))
    for operation in ("GetBootVolumeBackup", "DeleteBootVolumeBackup"):
        for tags in (dict(kept, **{MARK: "never"}), dict(kept), {"team": "mine now", MARK: "2026-06-10T10:00:00Z"},
                     dict(kept, **{MARK: "2026-07-01T00:00:00Z"})):
            w.sim.clear_faults()
            backup = one_to_delete(w)
            w.sim.fault(operation, "change-before", target=backup, change={"freeformTags": tags})
            w.apply()
            assert w.sim.backup(backup)["state"] == "AVAILABLE", (operation, tags)
            assert w.sim.faults()[0]["fired"] == 1 if operation.startswith("Delete") else True
            if tags.get(MARK) == "never":
                assert w.apply().expect(0).json["changes"] == []


@case
def nothing_is_deleted_when_the_newest_good_one_is_not_what_the_list_showed(w):
    w.sim.config(listLagSeconds=1000)
    for trouble in ("deleted", "purged", "faulty", "hidden"):
        volume = w.sim.add_boot_volume()
        ids = history(w, volume, [day(9)], **{MARK: "2026-06-10T10:00:00Z"})
        ids.update(history(w, volume, [day(10)]))
        nightly(w, {"last": 1}, bootVolumeId=volume)
        newest = ids[day(10)]
        if trouble == "deleted":
            w.sim.delete(newest)
        elif trouble == "purged":
            w.sim.purge(newest)
        elif trouble == "faulty":
            w.sim.change(newest, lifecycleState="FAULTY")
        else:
            w.sim.hide(newest, listed=True)
        change, = w.apply().json["changes"]
        assert (change["action"], change["outcome"], change["target"]) == ("delete", "held", ids[day(9)]), (trouble, change)
        assert not deletions(w), trouble


@case
def one_that_changes_and_would_still_go_goes(w):
    backup = one_to_delete(w)
    w.sim.fault("DeleteBootVolumeBackup", "change-before", change={"displayName": "renamed"})
    w.apply()
    w.apply().expect(0)
    assert w.sim.backup(backup)["state"] in ("TERMINATING", "TERMINATED") and w.sim.statistics()["deleted"] == 1


@case
def a_rival_between_look_and_mark_is_not_overwritten(w):
    volume = w.sim.add_boot_volume()
    ids = history(w, volume, [day(9), day(10)])
    nightly(w, {"last": 1}, bootVolumeId=volume)
    w.sim.fault("UpdateBootVolumeBackup", "change-before", change={"freeformTags": {"imagekeeper": "nightly@" + day(9), "rival": "yes"}})
    w.apply()
    w.apply().expect(0)
    assert w.sim.backup(ids[day(9)])["freeform"]["rival"] == "yes" and marked(w, volume) == [day(9)]
    w.sim.change(ids[day(9)], freeformTags={"imagekeeper": "nightly@" + day(9)})
    w.sim.fault("UpdateBootVolumeBackup", "change-before", change={"freeformTags": {"imagekeeper": "nightly@" + day(9), MARK: "never"}})
    w.apply()
    w.apply().expect(0)
    assert marks(w, volume)[day(9)] == "never"


@case
def a_mark_that_somebody_sets_between_look_and_mark_is_theirs(w):
    for operation in ("GetBootVolumeBackup", "UpdateBootVolumeBackup"):
        volume = w.sim.add_boot_volume()
        ids = history(w, volume, [day(9), day(10)])
        nightly(w, {"last": 1}, bootVolumeId=volume)
        w.sim.fault(operation, "change-before", target=ids[day(9)],
                    change={"freeformTags": {"imagekeeper": "nightly@" + day(9), MARK: "2026-07-01T00:00:00Z"}})
        w.apply()
        w.apply().expect(0)
        assert marks(w, volume)[day(9)] == "2026-07-01T00:00:00Z", operation


@case
def a_list_that_lags_marks_and_deletes_once(w):
    volume = w.sim.add_boot_volume()
    ids = history(w, volume, [day(7)], **{MARK: "2026-06-10T10:00:00Z"})
    ids.update(history(w, volume, [day(8), day(9), day(10)]))
    nightly(w, {"last": 2}, bootVolumeId=volume)
    w.sim.config(listLagSeconds=1000, terminatedVisibleSeconds=DAY)
    for _ in range(3):
        w.apply().expect(0)
        w.sim.advance(5)
    assert len(deletions(w)) == 1
    assert w.sim.backup(ids[day(8)])["updates"] == 1, [r["body"] for r in w.sim.requests("UpdateBootVolumeBackup")]


@case
def a_backup_that_changed_between_two_pages_is_left_for_the_next_look(w):
    w.configure(account="    pageSize: 100\n")
    w.sim.generate_backups(1, 99)
    volume = w.sim.add_boot_volume("db", freeformTags={"backup": "yes"})
    backup = history(w, volume, [day(8)], **{MARK: "2026-06-10T10:00:00Z"})[day(8)]
    history(w, volume, [day(9), day(10)])
    nightly(w, {"last": 2}, selector=select(freeformTags={"backup": "yes"}))
    w.sim.fault("ListBootVolumeBackups", "shuffle-page", times=1, set={"freeformTags": {"imagekeeper": "nightly@" + day(8), MARK: "never"}})
    w.apply()
    assert w.sim.faults()[0]["fired"] == 1 and not writes(w)
    w.apply().expect(0)
    assert w.sim.backup(backup)["state"] != "AVAILABLE"


@case
def one_that_is_locked_stays_and_the_others_go(w):
    volume = w.sim.add_boot_volume()
    ids = history(w, volume, [day(7), day(8)], **{MARK: "2026-06-10T10:00:00Z"})
    history(w, volume, [day(9), day(10)])
    w.sim.change(ids[day(7)], isRetentionLockEnabled=True)
    nightly(w, {"last": 2}, bootVolumeId=volume)
    report = w.apply().json
    change, = [c for c in report["changes"] if c["target"] == ids[day(7)]]
    assert change["outcome"] in ("held", "failed") and "isRetentionLockEnabled" in json.dumps(report), report
    assert slots(w, volume, "nightly") == [day(7), day(9), day(10)]


@case
def lost_answers_to_a_deletion_are_looked_after(w):
    volume = w.sim.add_boot_volume()
    history(w, volume, [day(7), day(8), day(9)], **{MARK: "2026-06-10T10:00:00Z"})
    history(w, volume, [day(10)])
    w.sim.fault("DeleteBootVolumeBackup", "process-then-close")
    w.sim.fault("DeleteBootVolumeBackup", "process-then-reset")
    w.sim.fault("DeleteBootVolumeBackup", "process-then-status", status=500, code="InternalServerError", message="no")
    nightly(w, {"last": 1}, bootVolumeId=volume)
    report = w.apply().expect(0).json
    assert [c["outcome"] for c in report["changes"]] == ["done"] * 3, report
    assert len(deletions(w)) == 3 and w.sim.statistics()["deleted"] == 3 and slots(w, volume, "nightly") == [day(10)]


@case
def a_deletion_whose_answer_was_lost_and_whose_backup_is_gone_is_over(w):
    backup = one_to_delete(w)
    w.sim.config(terminatingSeconds=0, terminatedVisibleSeconds=0)
    w.sim.fault("DeleteBootVolumeBackup", "process-then-close")
    w.apply()
    assert w.apply().expect(0).json["changes"] == [] and w.sim.backup(backup)["gone"] and w.sim.statistics()["deleted"] == 1


@case
def a_lost_answer_to_a_mark_is_looked_after(w):
    volume = w.sim.add_boot_volume()
    ids = history(w, volume, [day(9), day(10)])
    w.sim.fault("UpdateBootVolumeBackup", "process-then-close")
    nightly(w, {"last": 1}, bootVolumeId=volume)
    w.apply().expect(0)
    assert marked(w, volume) == [day(9)] and w.sim.backup(ids[day(9)])["updates"] == 1


@case
def what_may_not_be_deleted_or_made_is_an_error_and_nothing_else_waits_for_it(w):
    volumes = everything_is_due(w)
    w.sim.revoke("DeleteBootVolumeBackup")
    error, = w.apply().expect(1).json["errors"]
    assert error["status"] == 404 and error["name"] == "nightly", error
    for volume in volumes:
        assert slots(w, volume, "nightly") == [day(d) for d in (7, 8, 9, 10)] and day(8) in marked(w, volume)
    w.sim.grant()
    w.apply().expect(0)
    assert not any(day(7) in slots(w, v, "nightly") for v in volumes)


# --- saved plans ---


@case
def a_saved_plan_does_what_it_says_once(w):
    volumes = everything_is_due(w)
    saved = save_plan(w)
    w.sim.advance(20 * MINUTE)
    report = w.apply("--plan", saved).expect(0).json
    assert sorted((c["action"], c["outcome"]) for c in report["changes"]) == sorted(
        [(a, "done") for a in ("create", "delete", "update")] * 2), report
    everything_was_done(w, volumes)
    # However old the plan is, the grace is a whole one.
    assert all(at(marks(w, v)[day(8)]) >= w.sim.now() - MINUTE + HOUR for v in volumes)
    report = w.apply("--plan", saved).expect(2).json
    assert {c["outcome"] for c in report["changes"]} == {"held"} and all(c["reason"] for c in report["changes"]), report
    everything_was_done(w, volumes)


@case
def a_saved_plan_makes_no_other_slot(w):
    volume = twelve(w)
    saved = save_plan(w)
    to_hour(w, 13)
    report = w.apply("--plan", saved).expect(2).json
    assert ("create", "held", volume) in brief(report) and not creations(w), report
    w.apply().expect(0)
    assert slots(w, volume) == [hour(13)]


@case
def a_saved_plan_does_nothing_that_it_only_observed(w):
    volume = w.sim.add_boot_volume()
    history(w, volume, [day(8), day(9), day(10)])
    nightly(w, {"last": 1}, bootVolumeId=volume, prune=False)
    saved = os.path.join(w.folder, "plan.json")
    with open(saved, "w") as f:
        f.write(w.plan().expect(0).out)
    for backup in w.sim.backups(volume):
        w.sim.change(backup["id"], freeformTags=dict(backup["freeform"], **{MARK: "2026-06-10T10:00:00Z"}))
    nightly(w, {"last": 1}, bootVolumeId=volume)
    w.apply("--plan", saved)
    assert not writes(w)


@case
def a_saved_deletion_is_refused_when_its_backup_has_changed(w):
    backup = one_to_delete(w)
    saved = save_plan(w)
    w.sim.change(backup, freeformTags={"imagekeeper": "nightly@" + day(8), MARK: "never"})
    change, = w.apply("--plan", saved).expect(2).json["changes"]
    assert (change["action"], change["outcome"], change["target"]) == ("delete", "held", backup) and change["reason"]
    assert not deletions(w)


@case
def a_saved_mark_is_refused_when_its_backup_stays(w):
    volume = w.sim.add_boot_volume()
    ids = history(w, volume, [day(9), day(10)])
    nightly(w, {"last": 1}, bootVolumeId=volume)
    saved = save_plan(w)
    nightly(w, {"last": 2}, bootVolumeId=volume)
    change, = w.apply("--plan", saved).expect(2).json["changes"]
    assert (change["action"], change["outcome"], change["target"]) == ("update", "held", ids[day(9)])
    assert not writes(w)


# --- one volume, one backup and one slot stop no others ---


@case
def busy_volumes_stop_nothing_else(w):
    w.sim.config(creatingSeconds=HOUR, onBusyVolume=True)
    for n in range(20):
        w.sim.add_boot_volume("v%d" % n)
    image = w.image(1)
    w.spec(displayName="declared")
    for name in ("a", "b"):
        schedule(w, name, selector=select())
    to_hour(w, 13)
    for made, image_name in ((20, "declared"), (0, "drifted")):
        report = w.apply().expect(2).json
        assert not report["errors"], report["errors"]
        assert len([c for c in report["changes"] if (c["action"], c["outcome"]) == ("create", "done")]) == made
        assert all("waits its turn" in c["reason"] for c in report["changes"] if c["outcome"] == "held")
        assert w.live(1)["displayName"] == "declared"
        w.sim.change(image, displayName="drifted")
    # One request for each that was to wait, and none for what the list shows to be on its way.
    assert len(creations(w)) == 40


@case
def a_volume_that_bears_our_tags_is_an_error_and_is_left_alone(w):
    volume = w.sim.add_boot_volume(freeformTags={"imagekeeper": "nightly@" + day(1)})
    other = w.sim.add_boot_volume()
    # By hand, with a copy of the volume's tag: nothing of the schedule's.
    by_hand = w.sim.add_backup(volume, "by hand", timeCreated=day(1), freeformTags={"imagekeeper": "nightly@" + day(1)})
    history(w, volume, [day(9), day(10)])
    nightly(w, {"last": 1}, since=START - 9 * DAY, selector=select())
    report = w.apply().expect(1).json
    error, = report["errors"]
    assert error["target"] == volume and "itself bears the tag imagekeeper" in error["message"], error
    assert brief(report) == [("create", "done", other)] and marked(w, volume) == [] and w.sim.backup(by_hand)["state"] == "AVAILABLE"
    w.sim.change(volume, freeformTags={})
    w.apply()
    assert marked(w, volume)


@case
def a_daemon_that_is_stopped_while_it_looks_ends_well(w):
    w.configure(account="    pageSize: 100\n")
    volume = w.sim.add_boot_volume()
    history(w, volume, [told(START - n * HOUR) for n in range(150)], "hourly")
    schedule(w, selector=select())
    w.sim.fault("ListBootVolumeBackups", "hang", skip=1, times=-1)
    d = w.daemon()
    eventually(lambda: len(w.sim.requests("ListBootVolumeBackups")) >= 2)
    d.signal(signal.SIGTERM)
    assert d.wait() == 0 and not writes(w)


@case
def a_reload_in_the_middle_of_a_round_loses_no_news(w):
    w.sim.config(requestReceivedSeconds=0, creatingSeconds=HOUR)
    schedule(w, bootVolumeId=w.sim.add_boot_volume())
    image = w.image(1)
    w.spec(displayName="declared")
    d = w.daemon()
    d.wait_message("2 of 2 objects")
    to_hour(w, 13)
    n = d.wait_line("created")
    # The round that sees it finished is broken off while it writes.
    w.sim.fault("UpdateImage", "delay", ms=3000)
    looks = len(w.sim.requests("GetImage"))
    w.sim.advance(2 * HOUR - 600)
    w.sim.change(image, displayName="drifted")
    d.signal(signal.SIGUSR1)
    # Requests are told of when they are answered: the write that follows the look is on its way a moment later.
    eventually(lambda: len(w.sim.requests("GetImage")) > looks)
    time.sleep(1)
    d.signal(signal.SIGHUP)
    d.wait_line("is AVAILABLE", n)


@case
def marks_that_somebody_strips_are_left_alone_after_a_while(w):
    volume = w.sim.add_boot_volume()
    history(w, volume, [day(9), day(10)])
    nightly(w, {"last": 1}, bootVolumeId=volume)
    w.sim.fault("UpdateBootVolumeBackup", "change-after", times=-1, change={"freeformTags": {"imagekeeper": "nightly@" + day(9)}})
    d = w.daemon()
    d.wait_line("not converging")
    rounds(w, 3)
    assert not deletions(w)


@case
def attempts_that_the_next_slot_overtakes_are_errors(w):
    volume = w.sim.add_boot_volume()
    schedule(w, bootVolumeId=volume, onCalendar="*:0/5")
    w.sim.faulty(2)
    for n in range(2):
        w.go(START + 300 * (n + 1) + 5)
        w.apply().expect(0)
        settle(w)
        error, = w.apply().expect(1).json["errors"]
        assert "FAULTY" in error["message"] and error["target"] == volume
    w.go(START + 900 + 5)
    w.apply().expect(0)
    settle(w)
    w.apply().expect(0)
    assert len(creations(w)) == 3


@case
def what_was_refused_is_tried_again_in_each_round(w):
    volume = w.sim.add_boot_volume()
    schedule(w, bootVolumeId=volume)
    w.sim.fault("CreateBootVolumeBackup", "status", status=400, code="LimitExceeded", times=6)
    to_hour(w, 13, -2)
    w.daemon()
    to_hour(w, 13, 1)
    eventually(lambda: slots(w, volume) == [hour(13)])
    assert len(creations(w)) == 7


@case
def ids_that_can_be_none_are_not_shown(w):
    volume = w.sim.add_boot_volume()
    w.sim.add_backup(volume, ocid="ocid1.bootvolumebackup.oc1..\x1b[31mRED", freeformTags={"imagekeeper": "nightly@" + day(9)})
    nightly(w, {"last": 1}, bootVolumeId=volume)
    for command in ("plan", "calendar"):
        result = w.run(command).expect(1)
        assert "\x1b" not in result.out + result.err and "can be none" in result.err


# --- nothing is kept ---


@case
def nothing_that_is_kept_on_disk_matters(w):
    volume = w.sim.add_boot_volume()
    history(w, volume, [hour(9), hour(11), hour(12)], "hourly")
    schedule(w, bootVolumeId=volume, keep={"last": 3}, prune=True, grace="30m")
    for h in (13, 14, 15):
        to_hour(w, h)
        for _ in range(2):
            new_host(w)
            w.apply().expect(0)
            settle(w)
    assert slots(w, volume, dead=True) == [hour(h) for h in (9, 11, 12, 13, 14, 15)]
    assert slots(w, volume) == [hour(h) for h in (12, 13, 14, 15)] and marked(w, volume) == [hour(12)]


run(workers=4, start=START)
