"""What the tests of schedules share: specs, times, and what there is for each slot.

It is Wednesday 2026-06-10, 12:30 UTC, when a case begins; w.go() and w.sim.advance() move all clocks.
"""
import calendar
import datetime
import tempfile

from case import *

KIND = "OciBootVolumeBackupSchedule"
MARK = "imagekeeper-prune-after"
MINUTE, HOUR, DAY = 60, 3600, 86400


def at(text):
    """Seconds since 1970 of "2026-06-10T13:00:00Z"."""
    return calendar.timegm(datetime.datetime.strptime(text.split(".")[0].rstrip("Z"), "%Y-%m-%dT%H:%M:%S").timetuple())


def told(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


START = at("2026-06-10T12:30:00Z")


def hour(h):
    """A slot of the schedule `hourly`."""
    return told(at("2026-06-10T00:00:00Z") + h * HOUR)


def day(d):
    """A slot of the schedule `nightly`; the one of day(10) was 10 h 30 min ago."""
    return told(at("2026-06-10T02:00:00Z") + (d - 10) * DAY)


def to_hour(w, h, seconds=5):
    w.go(at(hour(h)) + seconds)


def select(**conditions):
    return dict(compartmentId=COMPARTMENT, **conditions)


def schedule(w, name="hourly", since=None, reconcile="", file=None, **want):
    """Declares a schedule, every full hour unless told otherwise. `since`: when its file was written, else now by the world's clock."""
    if "onCalendar" not in want and "cron" not in want:
        want["onCalendar"] = "*-*-* *:00:00"
    lines = ["apiVersion: imagekeeper/v1", "kind: " + KIND, "metadata: {name: %s}" % name, "spec:", "  account: prod"]
    lines += ["  %s: %s" % (key, json.dumps(value)) for key, value in want.items()]
    if reconcile:
        lines.append("reconcile: " + reconcile)
    w.write(file or name + ".yaml", "\n".join(lines) + "\n", modified=w.sim.now() if since is None else since)


def nightly(w, keep, since=None, **want):
    """A schedule of the hour 02:00 that prunes; what it drops goes after an hour."""
    want = dict({"onCalendar": "*-*-* 02:00:00", "prune": True, "grace": "1h"}, **want)
    schedule(w, "nightly", since=since, keep=keep, **want)


def history(w, volume, slots, name="nightly", **tags):
    """Good backups of a schedule that were made at their slots; their OCIDs by slot."""
    return {slot: w.sim.add_backup(volume, "%s %s" % (name, slot), timeCreated=slot, timeRequestReceived=slot,
                                   freeformTags=dict({"imagekeeper": "%s@%s" % (name, slot)}, **tags)) for slot in slots}


def creations(w):
    return w.sim.requests("CreateBootVolumeBackup")


def deletions(w):
    return w.sim.requests("DeleteBootVolumeBackup")


def writes(w):
    return [r for r in w.sim.requests() if r["method"] != "GET"]


def slot_of(backup):
    """(schedule, slot) of a backup; None: it is no schedule's."""
    name, separator, slot = backup["freeform"].get("imagekeeper", "").rpartition("@")
    return (name, slot) if separator else None


def slots(w, volume, name="hourly", dead=False):
    """The slots of which there are backups, one entry for each backup. With `dead`, those that were deleted and faulty ones as well."""
    found = [slot_of(b) for b in w.sim.backups(volume, dead=dead) if dead or b["state"] != "FAULTY"]
    return sorted(s[1] for s in found if s and s[0] == name)


def marks(w, volume):
    """What the live backups of a volume say of their end, by slot."""
    return {slot_of(b)[1]: b["freeform"].get(MARK) for b in w.sim.backups(volume, dead=False) if slot_of(b)}


def marked(w, volume):
    return sorted(slot for slot, mark in marks(w, volume).items() if mark)


def brief(report):
    return sorted((c["action"], c["outcome"], c["target"]) for c in report["changes"])


def notes(report, event):
    return [n for n in report["notes"] if n["event"] == event]


def troubles(report):
    return [n for n in report["notes"] if n["event"] != "available"]


def settle(w):
    """Every backup in the making is done."""
    w.sim.advance(MINUTE)


def save_plan(w):
    path = os.path.join(w.folder, "plan.json")
    with open(path, "w") as f:
        f.write(w.plan().expect(2).out)
    return path


def rounds(w, n=2):
    """Waits for full rounds of a daemon from now on."""
    count = lambda: len(w.sim.requests("ListBootVolumeBackups"))
    begun = count()
    eventually(lambda: count() > begun + n, "%d rounds" % n)


def new_host(w):
    """Whatever the programs may have kept is gone."""
    for name in ("STATE_DIRECTORY", "RUNTIME_DIRECTORY", "CACHE_DIRECTORY"):
        w.environment[name] = tempfile.mkdtemp(prefix=name, dir=w.folder)
