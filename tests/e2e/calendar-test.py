#!/usr/bin/env python3
"""`imagekeeper calendar`: the slots to come, what became of the last ones, and what stays and why. Nothing is ever written."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from schedule import *

VOLUME = "ocid1.bootvolume.oc1.phx.db"
OTHER_COMPARTMENT = "ocid1.compartment.oc1..other"


def show(w, *words, status=0):
    """The command's result; it has written nothing."""
    before = {b["id"]: b["etag"] for b in w.sim.backups()}
    result = w.run("calendar", *words).expect(status)
    assert not writes(w), writes(w)
    assert {b["id"]: b["etag"] for b in w.sim.backups()} == before
    return result


def told_of(w, *words, status=0):
    return show(w, "-o", "json", *words, status=status).json


def one_volume(w, *words, status=0):
    """What is told of the only volume of the only schedule."""
    only, = told_of(w, *words, status=status)["schedules"]
    volume, = only["volumes"]
    return volume


def backup(w, volume, slot, letter, name="nightly", tags=None, **members):
    """A good backup of a slot, with an OCID that is known beforehand."""
    tags = dict({"imagekeeper": "%s@%s" % (name, slot)}, **tags or {})
    return w.sim.add_backup(volume, "backup " + letter, ocid="ocid1.bootvolumebackup.oc1.phx." + letter, timeCreated=slot,
                            timeRequestReceived=slot, freeformTags=tags, **members)


def small(w):
    """Two days were made, one of them by now too many; one was missed, one is due."""
    w.sim.add_boot_volume("db [ä]", ocid=VOLUME)
    backup(w, VOLUME, day(6), "a", tags={MARK: "2026-06-11T00:00:00Z"})
    backup(w, VOLUME, day(7), "b")
    backup(w, VOLUME, day(8), "c")
    nightly(w, {"last": 1, "daily": 2}, bootVolumeId=VOLUME)


@case
def a_small_case_is_shown_as_text(w):
    small(w)
    result = show(w, "--base-time", "2026-06-10T11:00:00Z", "--iterations", "2")
    assert result.err == ""
    assert result.out == """\
nightly  prod  *-*-* 02:00:00  UTC  %s/nightly.yaml:1
  next    Thu 2026-06-11 02:00:00 UTC  2026-06-11T02:00:00Z
          Fri 2026-06-12 02:00:00 UTC  2026-06-12T02:00:00Z
  db [ä]  ocid1.bootvolume.oc1.phx.db
    due     2026-06-10T02:00:00Z, attempt 1 of 3
    missed  2026-06-09T02:00:00Z
    2026-06-08T02:00:00Z  AVAILABLE   newest good, last 1/1, daily 1/2  stays                               ocid1.bootvolumebackup.oc1.phx.c
    2026-06-07T02:00:00Z  AVAILABLE   daily 2/2                         stays                               ocid1.bootvolumebackup.oc1.phx.b
    2026-06-06T02:00:00Z  AVAILABLE   expired                           deleted after 2026-06-11T00:00:00Z  ocid1.bootvolumebackup.oc1.phx.a
""" % w.specs, result.out


@case
def a_small_case_is_told_as_json(w):
    small(w)
    result = show(w, "-o", "json", "--base-time", "2026-06-10T11:00:00Z", "--iterations", "2")
    assert result.err == "" and result.out.endswith("}\n") and result.out.count("\n") == 1
    kept = {"state": "AVAILABLE", "keep": True, "pruneAfter": None}
    assert result.json == {
        "schedules": [{
            "name": "nightly", "account": "prod", "timeZone": "UTC", "file": "nightly.yaml", "line": 1, "suspendedUntil": None,
            "next": [day(11), day(12)],
            "volumes": [{
                "id": VOLUME, "name": "db [ä]", "delaySeconds": 0,
                "last": {"slot": day(8), "backupId": "ocid1.bootvolumebackup.oc1.phx.c", "state": "AVAILABLE"},
                "due": {"slot": day(10), "attempt": 1, "notBefore": None, "givenUp": False},
                "missed": [day(9)],
                "retention": [
                    dict(kept, backupId="ocid1.bootvolumebackup.oc1.phx.c", slot=day(8), reasons=["newest good", "last 1/1", "daily 1/2"]),
                    dict(kept, backupId="ocid1.bootvolumebackup.oc1.phx.b", slot=day(7), reasons=["daily 2/2"]),
                    {"backupId": "ocid1.bootvolumebackup.oc1.phx.a", "slot": day(6), "state": "AVAILABLE", "keep": False,
                     "reasons": ["expired"], "pruneAfter": "2026-06-11T00:00:00Z"}]}],
            "vanished": []}],
        "orphans": [], "errors": []}, result.out


@case
def the_base_time_is_what_counts_as_now(w):
    small(w)
    assert one_volume(w)["due"]["slot"] == day(10)
    later = one_volume(w, "--base-time", "2026-06-10T14:00:01Z")
    assert later["due"] is None and later["missed"] == [day(9), day(10)]
    report = told_of(w, "--base-time", "2026-06-12T04:00:00+02:00")["schedules"][0]
    assert report["next"][0] == day(13) and report["volumes"][0]["due"]["slot"] == day(12)
    text = show(w, "--base-time", "2026-06-10T14:00:01Z").out
    assert "    missed  %s\n            %s\n    %s" % (day(9), day(10), day(8)) in text and " due " not in text, text


@case
def as_many_slots_are_shown_as_asked_for(w):
    small(w)
    for words, n in (((), 5), (("--iterations", "0"), 0), (("--iterations", "1"), 1), (("--iterations", "1000"), 1000)):
        upcoming = told_of(w, *words)["schedules"][0]["next"]
        assert len(upcoming) == n and upcoming == [day(11 + i) for i in range(n)]
    assert "next" not in show(w, "--iterations", "0").out
    schedule(w, "nightly", bootVolumeId=VOLUME, onCalendar="2026-06-11..12 02:00")
    assert told_of(w)["schedules"][0]["next"] == [day(11), day(12)]


@case
def slots_are_shown_on_the_zones_clocks(w):
    schedule(w, "nightly", bootVolumeId=VOLUME, onCalendar="*-*-* 02:30", timeZone="Europe/Berlin")
    result = show(w, "--offline", "--iterations", "3", "--base-time", "2026-10-24T12:00:00Z")
    assert result.out == """\
nightly  prod  *-*-* 02:30  Europe/Berlin  %s/nightly.yaml:1
  next    Sun 2026-10-25 02:30:00 CEST  2026-10-25T00:30:00Z
          Mon 2026-10-26 02:30:00 CET  2026-10-26T01:30:00Z
          Tue 2026-10-27 02:30:00 CET  2026-10-27T01:30:00Z
""" % w.specs, result.out
    schedule(w, "nightly", bootVolumeId=VOLUME, cron="30 2 * * 1", timeZone="Europe/Berlin")
    assert show(w, "--offline").out.startswith("nightly  prod  cron 30 2 * * 1  Europe/Berlin  ")
    schedule(w, "nightly", bootVolumeId=VOLUME, onCalendar="02:30 America/New_York")
    assert told_of(w, "--offline")["schedules"][0]["timeZone"] == "America/New_York"


@case
def the_base_time_may_lie_before_the_schedule_was_in_force(w):
    small(w)
    for more in ([], ["--offline"]):
        assert told_of(w, "--base-time", "2026-06-01T00:00:00Z", "--iterations", "2", *more)["schedules"][0]["next"] == [day(1), day(2)]


@case
def the_delay_is_that_with_which_backups_are_made(w):
    w.sim.add_boot_volume("db", ocid=VOLUME)
    schedule(w, bootVolumeId=VOLUME, randomizedDelay="30m")
    delay = one_volume(w)["delaySeconds"]
    assert 0 < delay < 30 * MINUTE and "  db  %s  %d s after each slot\n" % (VOLUME, delay) in show(w).out
    to_hour(w, 13, delay - 1)
    assert one_volume(w)["due"] is None
    to_hour(w, 13, delay + 1)
    assert one_volume(w)["due"]["slot"] == hour(13)
    assert w.plan().expect(2).json["changes"][0]["slot"] == hour(13)


@case
def attempts_are_told_of(w):
    w.sim.add_boot_volume("db", ocid=VOLUME)
    schedule(w, "nightly", since=at(day(10)), bootVolumeId=VOLUME, onCalendar="*-*-* 02:00:00")
    backup(w, VOLUME, day(10), "a", lifecycleState="FAULTY")
    base = ("--base-time", "2026-06-10T02:01:00Z")
    volume = one_volume(w, *base)
    assert volume["due"] == {"slot": day(10), "attempt": 2, "notBefore": "2026-06-10T02:05:00Z", "givenUp": False}, volume
    assert volume["last"]["state"] == "FAULTY" and volume["retention"][0]["reasons"] == ["faulty"] and volume["retention"][0]["keep"]
    assert "    due     %s, attempt 2 of 3 not before 2026-06-10T02:05:00Z\n" % day(10) in show(w, *base).out
    base = ("--base-time", "2026-06-10T02:05:00Z")
    assert one_volume(w, *base)["due"] == {"slot": day(10), "attempt": 2, "notBefore": None, "givenUp": False}
    assert "    failed  %s, after 1 attempt\n" % day(10) in show(w, "--base-time", "2026-06-10T14:00:01Z").out
    backup(w, VOLUME, day(10), "b", lifecycleState="FAULTY")
    backup(w, VOLUME, day(10), "c", lifecycleState="FAULTY")
    # What is wrong with the schedule is an error here, too.
    assert one_volume(w, *base, status=1)["due"] == {"slot": day(10), "attempt": 3, "notBefore": None, "givenUp": True}
    result = show(w, *base, status=1)
    assert "    failed  %s, after 3 attempts\n" % day(10) in result.out and "FAULTY" in result.err


@case
def every_backup_has_its_state_its_reason_and_its_end(w):
    w.sim.add_boot_volume("db", ocid=VOLUME)
    backup(w, VOLUME, day(3), "a", tags={MARK: "never"})
    backup(w, VOLUME, day(4), "b", tags={MARK: "soon"})
    backup(w, VOLUME, day(5), "c")
    backup(w, VOLUME, day(6), "d", lifecycleState="FAULTY")
    backup(w, VOLUME, day(7), "e", tags={MARK: "2026-06-20T00:00:00+02:00"})
    backup(w, VOLUME, day(8), "f", lifecycleState="TERMINATED")
    backup(w, VOLUME, day(9), "g", lifecycleState="CREATING")
    backup(w, VOLUME, day(12), "h")
    nightly(w, {"last": 1}, bootVolumeId=VOLUME)
    volume = one_volume(w)
    assert [(item["backupId"][-1], item["state"], item["keep"], item["reasons"], item["pruneAfter"]) for item in volume["retention"]] == [
        ("h", "AVAILABLE", True, ["in the future"], None),
        ("g", "CREATING", True, ["unfinished"], None),
        ("e", "AVAILABLE", True, ["newest good", "last 1/1"], "2026-06-19T22:00:00Z"),
        ("d", "FAULTY", False, ["faulty"], None),
        ("c", "AVAILABLE", False, ["expired"], None),
        ("b", "AVAILABLE", True, ["mark cannot be read"], None),
        ("a", "AVAILABLE", True, ["kept by hand"], "never")], volume["retention"]
    text = show(w).out.split("\n")

    fates = ("stays", "stays", "goes: to be marked", "goes: to be marked", "stays: its mark is taken off", "stays", "stays")
    for letter, expected in zip("abcdegh", fates):
        line, = [t for t in text if t.endswith("." + letter)]
        assert "  %s  " % expected in line, line
    assert not [t for t in text if t.endswith(".f")]


@case
def what_would_go_is_told_where_prune_is_not_true(w):
    w.sim.add_boot_volume("db", ocid=VOLUME)
    for slot, letter in ((day(9), "a"), (day(10), "b")):
        backup(w, VOLUME, slot, letter)
    nightly(w, {"last": 1}, bootVolumeId=VOLUME, prune=False)
    kept, gone = one_volume(w)["retention"]
    assert (kept["keep"], gone["keep"], gone["reasons"], gone["pruneAfter"]) == (True, False, ["expired"], None)
    assert "  would go, if prune were true  ocid1.bootvolumebackup.oc1.phx.a\n" in show(w).out
    schedule(w, "nightly", bootVolumeId=VOLUME, onCalendar="*-*-* 02:00:00")
    assert [(item["keep"], item["reasons"]) for item in one_volume(w)["retention"]] == [(True, ["no keep is declared"])] * 2


@case
def what_a_hand_deleted_is_told_of(w):
    w.sim.config(terminatedVisibleSeconds=DAY)
    w.sim.add_boot_volume("db", ocid=VOLUME)
    backup(w, VOLUME, day(9), "a")
    backup(w, VOLUME, day(10), "b", lifecycleState="TERMINATED")
    schedule(w, "nightly", bootVolumeId=VOLUME, onCalendar="*-*-* 02:00:00")
    volume = one_volume(w)
    assert volume["due"] is None and volume["last"]["slot"] == day(9) and volume["missed"] == [], volume
    assert "    deleted %s, by hand: not made again\n" % day(10) in show(w).out


@case
def what_is_not_done_is_told_as_such(w):
    w.sim.add_boot_volume("db", ocid=VOLUME)
    backup(w, VOLUME, day(7), "a", tags={MARK: "2026-06-11T00:00:00Z"})
    backup(w, VOLUME, day(8), "b")
    backup(w, VOLUME, day(9), "c", tags={MARK: "2026-06-11T00:00:00Z"})

    def fates(**want):
        nightly(w, {"last": 1}, bootVolumeId=VOLUME, **want)
        shown = {}
        for line in show(w).out.split("\n"):
            if " AVAILABLE " in line:
                shown[line[-1]] = line[:line.rindex("ocid1.")].partition("AVAILABLE")[2].strip().partition("  ")[2].strip()
        return [shown[letter] for letter in "abc"]

    after = "deleted after 2026-06-11T00:00:00Z"
    assert fates() == [after, "goes: to be marked", "stays: its mark is taken off"]
    assert fates(reconcile="{mode: observe}")[:2] == [after + " (only observed)", "goes: to be marked (only observed)"]
    assert fates(prune=False) == ["would go, if prune were true: its mark is taken off", "would go, if prune were true", "stays: its mark is taken off"]
    assert fates(reconcile='{suspend: {until: "2026-06-12T12:00:00Z", reason: x}}') == ["would go, if the schedule were at work"] * 2 + ["stays"]
    w.sim.change(VOLUME, lifecycleState="TERMINATED")
    nightly(w, {"last": 1}, bootVolumeId=VOLUME)
    result = show(w, status=1)
    assert result.out.count("would go, if the schedule were at work") == 2 and " due " not in result.out and VOLUME in result.err, result.out


@case
def a_volume_without_backups_says_so(w):
    w.sim.add_boot_volume("db", ocid=VOLUME)
    schedule(w, bootVolumeId=VOLUME)
    volume = one_volume(w)
    assert (volume["last"], volume["due"], volume["missed"], volume["retention"]) == (None, None, [], [])
    assert "  db  %s\n    no backups yet\n" % VOLUME in show(w).out


@case
def a_selector_that_takes_none_says_so(w):
    w.sim.add_boot_volume("db", ocid=VOLUME)
    schedule(w, selector=select(displayName="web*"))
    assert told_of(w)["schedules"][0]["volumes"] == [] and "  no volume is selected\n" in show(w).out


@case
def names_cannot_write_on_the_terminal(w):
    w.sim.add_boot_volume("db\x1b[31m\nnext", ocid=VOLUME)
    schedule(w, bootVolumeId=VOLUME)
    text = show(w).out
    assert "\x1b" not in text and "\nnext" not in text and VOLUME in text
    assert one_volume(w)["name"] == "db\x1b[31m\nnext"


@case
def a_volume_that_vanished_is_told_of(w):
    for name in ("kept", "gone", "lost"):
        w.sim.add_boot_volume(name, ocid="ocid1.bootvolume.oc1.phx." + name)
    gone, lost = "ocid1.bootvolume.oc1.phx.gone", "ocid1.bootvolume.oc1.phx.lost"
    backup(w, gone, day(8), "a")
    backup(w, gone, day(9), "b")
    backup(w, lost, day(7), "c")
    for volume in (gone, lost):
        w.sim.purge(volume)
    nightly(w, {"last": 1}, selector=select())
    only, = told_of(w)["schedules"]
    assert sorted(only["vanished"], key=lambda v: v["id"]) == [{"id": gone, "backups": 2, "newest": day(9)}, {"id": lost, "backups": 1, "newest": day(7)}]
    assert [v["id"] for v in only["volumes"]] == ["ocid1.bootvolume.oc1.phx.kept"]
    assert "  %s  gone, or not selected any more; 2 backups are left alone, the newest of %s\n" % (gone, day(9)) in show(w).out
    assert "  %s  gone, or not selected any more; 1 backup is left alone, the newest of %s\n" % (lost, day(7)) in show(w).out


@case
def orphans_are_listed_and_left_alone(w):
    small(w)
    backup(w, VOLUME, day(5), "x", name="weekly")
    backup(w, VOLUME, day(5), "y", name="yearly\x1b[31m", tags={MARK: "2026-06-01T00:00:00Z"})
    w.sim.add_backup(VOLUME, "by hand", freeformTags={"imagekeeper": "once"})
    orphans = told_of(w)["orphans"]
    assert sorted(orphans, key=lambda o: o["backupId"]) == [
        {"schedule": "weekly", "backupId": "ocid1.bootvolumebackup.oc1.phx.x"},
        {"schedule": "yearly\x1b[31m", "backupId": "ocid1.bootvolumebackup.oc1.phx.y"}], orphans
    text = show(w).out
    assert "\n\nocid1.bootvolumebackup.oc1.phx." in text and "\x1b" not in text
    assert "ocid1.bootvolumebackup.oc1.phx.x of schedule weekly, which no spec declares: left alone\n" in text
    # One schedule alone does not know what the others declare.
    assert told_of(w, "nightly")["orphans"] == [] and "left alone" not in show(w, "nightly").out


@case
def one_schedule_is_shown_by_its_name(w):
    small(w)
    schedule(w, "hourly", bootVolumeId=VOLUME)
    both = told_of(w)
    assert [s["name"] for s in both["schedules"]] == ["hourly", "nightly"]
    text = show(w).out
    assert text.startswith("hourly  ") and "\n\nnightly  " in text
    one = told_of(w, "nightly")
    assert one["schedules"] == [both["schedules"][1]]
    assert "hourly" not in show(w, "nightly").out
    # As several schedules have backups of one volume, each is shown its own.
    assert both["schedules"][0]["volumes"][0]["retention"] == [] and len(both["schedules"][1]["volumes"][0]["retention"]) == 3


@case
def a_schedule_that_is_not_there_is_an_error(w):
    small(w)
    w.spec("golden", displayName="x")
    result = show(w, "nightlly", status=1)
    assert (result.out, result.err) == ("", 'imagekeeper: error: no schedule "nightlly"; did you mean "nightly"?\n')
    # Of any kind but this.
    result = show(w, "golden", status=1)
    assert (result.out, result.err) == ("", 'imagekeeper: error: no schedule "golden" in the specs\n')
    assert w.sim.requests() == []


@case
def specs_without_schedules_show_nothing(w):
    w.image()
    w.spec("golden", displayName="x")
    assert show(w).out == "" and told_of(w) == {"schedules": [], "orphans": [], "errors": []}
    assert w.sim.requests() == []


@case
def nothing_else_is_looked_at(w):
    small(w)
    w.image()
    w.spec("golden", displayName="x")
    show(w)
    assert {r["operation"] for r in w.sim.requests()} <= {"GetBootVolume", "ListBootVolumeBackups"}, w.sim.requests()


@case
def a_pause_is_told_of(w):
    w.sim.add_boot_volume("db", ocid=VOLUME)
    backup(w, VOLUME, day(8), "a")
    schedule(w, "nightly", since=at(day(8)), bootVolumeId=VOLUME, onCalendar="*-*-* 02:00:00",
             reconcile='{suspend: {until: "2026-06-12T12:00:00Z", reason: "migration, ticket 4711"}}')
    only, = told_of(w, "--iterations", "1")["schedules"]
    assert only["suspendedUntil"] == "2026-06-12T12:00:00Z" and only["next"] == [day(13)]
    assert only["volumes"][0]["due"] is None and only["volumes"][0]["missed"] == []
    text = show(w).out
    assert "\n  suspended until 2026-06-12T12:00:00Z: migration, ticket 4711\n" in text and " due " not in text
    over, = told_of(w, "--base-time", "2026-06-12T12:00:00Z")["schedules"]
    assert over["suspendedUntil"] is None
    assert "suspended" not in show(w, "--base-time", "2026-06-12T12:00:00Z").out


@case
def what_cannot_be_looked_at_is_an_error_and_the_rest_is_shown(w):
    small(w)
    w.sim.add_compartment(OTHER_COMPARTMENT)
    w.sim.add_boot_volume("web", ocid="ocid1.bootvolume.oc1.phx.web", compartment=OTHER_COMPARTMENT)
    schedule(w, "web", selector={"compartmentId": OTHER_COMPARTMENT})
    w.sim.revoke("ListBootVolumeBackups", OTHER_COMPARTMENT)
    report = told_of(w, status=1)
    error, = report["errors"]
    assert (error["name"], error["status"], error["file"]) == ("web", 404, "web.yaml"), error
    good, bad = report["schedules"]
    assert len(good["volumes"][0]["retention"]) == 3 and bad["volumes"] == [] and len(bad["next"]) == 5, report
    result = show(w, status=1)
    assert VOLUME in result.out and "\n\nweb  prod  " in result.out and "no volume is selected" not in result.out
    assert "web.yaml:1" in result.err and "NotAuthorizedOrNotFound" in result.err, result.err
    # What cannot be read whole says nothing, not even of what it showed.
    w.sim.grant()
    w.sim.fault("ListBootVolumeBackups", "status", status=500, code="InternalServerError", message="no", times=-1)
    report = told_of(w, status=1)
    assert [s["volumes"] for s in report["schedules"]] == [[], []] and report["orphans"] == [] and len(report["errors"]) == 2


@case
def a_volume_that_is_not_there_is_an_error(w):
    schedule(w, bootVolumeId=VOLUME)
    report = told_of(w, status=1)
    assert [e["name"] for e in report["errors"]] == ["hourly"] and report["schedules"][0]["volumes"] == []


@case
def a_cloud_that_does_not_answer_leaves_the_slots(w):
    small(w)
    w.configure(accounts="accounts:\n  - {name: prod, type: oci, configFile: %s, endpoint: \"https://127.0.0.1:1\", caFile: %s}\n" %
                (w.oci_config, w.sim.ca_file))
    result = show(w, status=1)
    assert "prod" in result.err and result.out.startswith("nightly  prod  ") and "  next    Thu 2026-06-11 02:00:00 UTC  " in result.out


@case
def offline_asks_no_cloud(w):
    small(w)
    backup(w, VOLUME, day(5), "x", name="weekly")
    text = show(w, "--offline", "--iterations", "1").out
    assert text == "nightly  prod  *-*-* 02:00:00  UTC  %s/nightly.yaml:1\n  next    Thu 2026-06-11 02:00:00 UTC  %s\n" % (w.specs, day(11)), text
    assert told_of(w, "--offline", "nightly", "--iterations", "1") == {
        "schedules": [{"name": "nightly", "account": "prod", "timeZone": "UTC", "file": "nightly.yaml", "line": 1, "suspendedUntil": None,
                       "next": [day(11)], "volumes": [], "vanished": []}], "orphans": [], "errors": []}
    assert w.sim.requests() == []
    # Not even credentials are needed.
    w.configure(accounts="accounts:\n  - {name: prod, type: oci, configFile: none}\n")
    show(w, "--offline")


@case
def wrong_options_are_errors(w):
    small(w)
    wrong = [(("--iterations", n), "--iterations") for n in ("x", "-1", "1001", "", "1x")]
    wrong += [(("--base-time", t), "--base-time") for t in ("tomorrow", "2026-06-31T00:00:00Z")]
    wrong += [(("nightly", "more"), '"more"'), (("--show-ignored",), "show-ignored")]
    for words, told_why in wrong:
        result = show(w, *words, status=1)
        assert told_why in result.err and result.out == "", result.err
    assert w.sim.requests() == []
    assert "--offline" in show(w, "--help").out


run(workers=4, start=START)
