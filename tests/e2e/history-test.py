"""imagekeeper history on journals that the test made: filters, times, who wrote what, junk, broken files, following."""
import collections
import contextlib
import os
import pty
import signal
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import journal_files
from case import *
from journal_files import MESSAGE_IDS, OTHER_BOOT, exported, write_journal

NOON = 1796126400  # 2026-12-01T12:00:00Z
HOUR, DAY = 3600, 86400
DAEMON = (("_SYSTEMD_UNIT", "imagekeeperd.service"), ("_EXE", "/usr/sbin/imagekeeperd"), ("_UID", 61184), ("_PID", 123), ("_HOSTNAME", "keeper"))
BY_HAND = (("_SYSTEMD_UNIT", "session-2.scope"), ("_EXE", "/usr/bin/imagekeeper"), ("_UID", 0), ("_AUDIT_LOGINUID", 1000), ("_PID", 7))
REVISION = "0123456789abcdef0123456789abcdef01234567"


def change(path, old, new):
    return ("IMAGEKEEPER_CHANGE", json.dumps({"path": path, "from": old, "to": new}, separators=(",", ":")))


def entry(time=NOON, event="updated", *more, by=DAEMON, name="golden", boot=journal_files.BOOT, monotonic=None, **fields):
    """`fields` are ours, without the prefix; None leaves one out."""
    told = dict({"kind": "OciImage", "name": name, "account": "prod", "target": image_id(1), "action": "update",
                 "spec": "golden.yaml:3", "revision": REVISION, "opc_request_id": "REQ/1"}, **fields)
    pairs = [("MESSAGE_ID", MESSAGE_IDS.get(event, event)), ("IMAGEKEEPER_EVENT", event), ("MESSAGE", "the message of " + event)]
    pairs += [("IMAGEKEEPER_" + key.upper(), value) for key, value in told.items() if value is not None]
    return exported(time, pairs + list(more) + list(by), boot, monotonic)


class JournalWorld(Programs):
    """Has no cloud, and a folder for journal files."""

    @classmethod
    @contextlib.contextmanager
    def made(cls, folder, start=None):
        yield cls(folder)

    def __init__(self, folder):
        Programs.__init__(self, folder)
        self.journal = os.path.join(folder, "journal")
        self.environment["TZ"] = "UTC"
        os.mkdir(self.journal)

    def add(self, *entries, file="system"):
        write_journal("%s/%s.journal" % (self.journal, file), entries)

    def history(self, *words, **environment):
        return self.run("history", "--directory", self.journal, *words, **environment)

    def told(self, *words, err="", **environment):
        """What is told as JSON, in good order."""
        done = self.history("-o", "json", *words, **environment).expect(0)
        assert done.err == err, done.err
        return [json.loads(line) for line in done.out.splitlines()]

    def names(self, *words, **environment):
        return [r["name"] for r in self.told(*words, **environment)]


@case
def an_entry_is_told_with_each_attribute_and_all_about_it(w):
    w.add(entry(NOON + 0.25, "updated", change("freeformTags.tier", None, "gold"), change("displayName", "drifted", "golden"),
                change("freeformTags.a", None, "gold"), retry_token="t0ken", reason="it differs"))
    record, = w.told()
    assert record == {
        "time": "2026-12-01T12:00:00.250000Z", "event": "updated", "messageId": MESSAGE_IDS["updated"], "kind": "OciImage", "name": "golden",
        "account": "prod", "target": image_id(1), "action": "update", "created": None, "slot": None, "reason": "it differs", "status": None,
        "attributes": [{"path": "displayName", "from": "drifted", "to": "golden"}, {"path": "freeformTags.a", "from": None, "to": "gold"},
                       {"path": "freeformTags.tier", "from": None, "to": "gold"}], "attributesLeftOut": 0,
        "opcRequestId": "REQ/1", "retryToken": "t0ken", "file": "golden.yaml", "line": 3, "revision": REVISION,
        "message": "the message of updated", "unit": "imagekeeperd.service", "exe": "/usr/sbin/imagekeeperd", "uid": 61184, "loginUid": None,
        "pid": 123, "host": "keeper", "verified": True}, record
    text = w.history(TZ="Europe/Berlin").expect(0).out
    assert text == """2026-12-01T13:00:00+01:00  updated  OciImage golden (prod)  %s
    displayName: "drifted" -> "golden"
    freeformTags.a: absent -> "gold"
    freeformTags.tier: absent -> "gold"
    it differs
    revision 0123456789ab…, opc-request-id REQ/1, golden.yaml:3, by imagekeeperd.service
""" % image_id(1), text


@case
def a_change_by_hand_says_whose_hand(w):
    w.add(entry(by=BY_HAND), entry(NOON + 1, "failed", status=409, http_status=409, revision=None, by=BY_HAND))
    record, failed = w.told()
    assert (record["exe"], record["uid"], record["loginUid"], record["verified"]) == ("/usr/bin/imagekeeper", 0, 1000, True), record
    assert (failed["status"], failed["revision"]) == (409, None), failed
    text = w.history().expect(0).out
    assert "golden.yaml:3, by /usr/bin/imagekeeper in session-2.scope, user 0, logged in as 1000, pid 7\n" in text, text
    assert "    the message of failed\n    opc-request-id REQ/1" in text, text


@case
def changes_are_told_and_the_rest_when_asked_for(w):
    events = list(MESSAGE_IDS)
    w.add(*(entry(NOON + n, event, name=event) for n, event in enumerate(events)), entry(NOON + 99, "f" * 32, name="of another program"))
    changes = ["updated", "created", "deleted", "available", "faulty", "missed", "held", "failed", "access-uncertain", "not-converging",
               "account-failed"]
    assert w.names() == changes, w.names()
    assert [r["event"] for r in w.told("--all")] == events == w.names("--all")
    assert w.names("--event", "recovered,updated") == ["updated", "recovered"]
    listed = w.history("--event", "list").expect(0).out.splitlines()
    assert [line.split()[0] for line in listed] == events and [line for line in listed if " " not in line] == changes, listed
    assert 'there is no event "updatet"; did you mean "updated"?' in w.history("--event", "updatet").expect(1).err
    assert 'there is no event ""' in w.history("--event", "updated,").expect(1).err
    w.history("--event", "updated", "--all").expect(1)


@case
def filters_choose_and_all_of_them_must_hold(w):
    w.add(entry(NOON, name="a-1"), entry(NOON + 1, name="a-2", kind="ImsImage", account="hw", target="x1"),
          entry(NOON + 2, "created", name="b", action="create", created="made.1"),
          entry(NOON + 3, "account-failed", name=None, kind=None, target=None, action=None))
    for words, expected in (((), ["a-1", "a-2", "b", None]), (("a-*",), ["a-1", "a-2"]), (("a-1",), ["a-1"]), (("a",), []), (("a-?", "--kind", "Oci*"), ["a-1"]),
                            (("--account", "hw"), ["a-2"]), (("--action", "create"), ["b"]), (("--target", "x?"), ["a-2"]),
                            (("--target", "made.*"), ["b"]), (("--kind", "*"), ["a-1", "a-2", "b"]), (("--account", "prod"), ["a-1", "b", None])):
        assert w.names(*words) == expected, (words, w.names(*words))
    for words, told in ((("--kind", "OciImagee"), 'kind "OciImagee"; did you mean "OciImage"?'), (("--kind", "ociimage"), 'did you mean "OciImage"?'),
                        (("--action", "updated"), 'action "updated"; did you mean "update"?'),
                        (("--action", "fly"), 'action "fly", only update, create, delete'), (("--kind", ""), 'kind "", only OciImage, Oci')):
        done = w.history(*words).expect(1)
        assert "imagekeeper: error: there is no " in done.err and told in done.err and not done.out, done.err
    assert w.names("--kind", "OciImagee*") == [] and w.names("--action", "u?date", "--kind", "I*") == ["a-2"]
    nothing = w.history("nobody").expect(0)
    assert nothing.out == "" and nothing.err == "imagekeeper: the journal has no such entry\n", nothing.err


@case
def an_instance_is_told_apart(w):
    by = lambda unit: (("_SYSTEMD_UNIT", unit),)
    w.add(entry(NOON, name="a"), entry(NOON + 1, name="b", by=by("imagekeeperd@b.service")), entry(NOON + 2, name="c", by=by("imagekeeperd@bb.service")))
    assert w.names() == ["a", "b", "c"] and w.names("--instance", "b") == ["b"]


@case
def times_are_understood_as_people_write_them(w):
    now = time.time()
    ahead = 12 - int(now // HOUR % 24)  # in this zone it is noon, and no midnight is near
    today = (now + ahead * HOUR) // DAY * DAY - ahead * HOUR
    here = "HERE%+d" % -ahead
    w.add(entry(NOON, name="noon"), entry(NOON + 1, name="later"), entry(now - 7200, name="ago"), entry(today - 86400, name="yesterday"),
          file="mixed")
    day = lambda *words, **environment: [n for n in w.names(*words, **environment) if n in ("noon", "later")]
    for since, zone, expected in (("2026-12-01T12:00:00Z", "UTC", ["noon", "later"]), ("2026-12-01T12:00:00.000001Z", "UTC", ["later"]),
                                  ("2026-12-01 12:00", "UTC", ["noon", "later"]), ("2026-12-01 12:00:01", "UTC", ["later"]),
                                  ("2026-12-01 13:00:01", "Europe/Berlin", ["later"]), ("2026-12-01T14:00:01+02:00", "UTC", ["later"]),
                                  ("2026-12-02", "UTC", []), ("2026-12-02", "Pacific/Kiritimati", ["noon", "later"])):
        assert day("--since", since, TZ=zone) == expected, (since, zone)
    assert day("--until", "2026-12-01 12:00") == ["noon"] and day("--until", "2026-12-01 11:59:59") == []
    assert day("-S", "2026-12-01 12:00", "-U", "2026-12-01 12:00") == ["noon"]
    assert "ago" in w.names("--since", "-3h") and "ago" in w.names("--since", "3h ago") and "ago" not in w.names("--since", "1h ago", "--until", "now")
    assert "ago" in w.names("--since", "2 hours 30min ago", "--until", "1 hour ago") and "ago" not in w.names("--since", "1 day ago", "--until", "180 min ago")
    assert "yesterday" not in w.names("--since", "today", "--until", "now", TZ=here)
    assert "yesterday" in w.names("--since", "yesterday", TZ=here) and "yesterday" in w.names("--until", "00:00", TZ=here)
    # 02:30 occurs twice: 00:30Z and 01:30Z.
    twice = 1792888200
    w.add(entry(twice, name="summer"), entry(twice + HOUR, name="winter"), file="twice")
    for words, expected in ((("--since", "2026-10-25 02:30", "--until", "2026-10-25 02:30"), ["summer", "winter"]),
                            (("--since", "2026-10-25 02:31", "--until", "2026-10-25 02:30"), ["winter"])):
        assert w.names(*words, TZ="Europe/Berlin") == expected, words
    for wrong in ("soon", "", "2026-02-30", "12", "2h", "ago", "- 2h", "2026-12-01 24:00"):
        err = w.history("--since", wrong).expect(1).err
        assert err.startswith("imagekeeper: error: --since must be a time such as ") and err.endswith('not "%s"\n' % wrong), err
    assert "--since is later than --until" in w.history("--since", "today", "--until", "yesterday").expect(1).err


@case
def times_that_fall_back_and_other_boots_hide_nothing(w):
    w.add(entry(NOON, name="before", monotonic=1000000), entry(NOON - 7200, name="set back", monotonic=2000000),
          entry(NOON - 7199, name="after", monotonic=3000000), entry(NOON - 100, name="rebooted", boot=OTHER_BOOT, monotonic=1000000))
    w.add(entry(NOON + 5, name="elsewhere", boot=OTHER_BOOT, monotonic=106000000), file="user-1000")
    assert sorted(w.names()) == ["after", "before", "elsewhere", "rebooted", "set back"]
    assert sorted(w.names("--since", "2026-12-01 11:00")) == ["before", "elsewhere", "rebooted"]
    assert sorted(w.names("--until", "2026-12-01 11:00")) == ["after", "set back"]


@case
def the_last_ones_and_the_other_way_round(w):
    w.add(*(entry(NOON + n, name="n%d" % n) for n in range(20)), *(entry(NOON + 20 + n, by=()) for n in range(5)))
    left = "imagekeeper: 5 entries were left out, because another program wrote them, or one that had ended before the journal could see " \
           "which; --any-writer shows them\n"
    assert w.names("-n", "3", err=left) == ["n17", "n18", "n19"] and w.names("-n0", err=left) == []
    assert w.names("-n", "1000000", err=left) == ["n%d" % n for n in range(20)]
    assert w.names("-r", "--lines", "2", err=left) == ["n19", "n18"] and w.names("-r", err=left) == ["n%d" % n for n in range(19, -1, -1)]
    for wrong in ("-1", "x", "", "1000001", "99999999999999999999"):
        assert "--lines must be 0 to 1000000" in w.history("-n", wrong).expect(1).err
    for words in (("-f", "-r"), ("-f", "--until", "now")):
        assert "--follow goes with neither" in w.history(*words).expect(1).err


@case
def what_others_wrote_is_left_out_and_marked_when_shown(w):
    forgers = ((), (("_EXE", "/usr/bin/logger"),), (("_EXE", "/home/u/imagekeeperd"),), (("_EXE", "/usr/bin/imagekeeper.evil"),),
               (("_EXE", "/usr/bin/x/imagekeeper"),), (("_SYSTEMD_UNIT", "evil.service"), ("_EXE", "/usr/bin/python3")),
               (("_SYSTEMD_UNIT", "user@1000.service"), ("_SYSTEMD_USER_UNIT", "imagekeeperd.service")),
               (("_SYSTEMD_UNIT", "imagekeeperd.service.evil"),), (("_SYSTEMD_UNIT", "imagekeeperd@.service"),),
               (("UNIT", "imagekeeperd.service"), ("EXE", "/usr/bin/imagekeeper"), ("_COMM", "imagekeeperd")),
               DAEMON + (("_SYSTEMD_UNIT", "evil.service"),))
    w.add(*(entry(NOON + n, name="forged", by=by) for n, by in enumerate(forgers)), entry(NOON + 50, name="real"),
          entry(NOON + 51, name="by hand", by=BY_HAND),
          entry(NOON + 52, name="of ours", by=(("_EXE", os.path.realpath(os.environ["IMAGEKEEPER"])), ("_UID", 0))))
    done = w.history().expect(0)
    assert done.out.count("  updated  ") == 3 and "forged" not in done.out, done.out
    assert done.err.startswith("imagekeeper: %d entries were left out" % len(forgers)), done.err
    told = w.told("--any-writer")
    assert [r["verified"] for r in told] == [False] * len(forgers) + [True] * 3, told
    text = w.history("--any-writer").expect(0).out
    assert text.count(": NOT VERIFIED\n") == len(forgers) and "by an unknown program: NOT VERIFIED" in text, text
    # What is not asked for is not counted either.
    assert w.names("real") == ["real"]


@case
def what_a_user_made_our_program_write_is_shown_as_not_verified(w):
    program = ("_EXE", "/usr/bin/imagekeeper")
    of_user = lambda uid: (("_SYSTEMD_UNIT", "user@1000.service"), program, ("_UID", uid), ("_PID", 8))
    w.add(entry(by=of_user(1000)), entry(NOON + 1, by=of_user("")), entry(NOON + 2, by=of_user("00")), entry(NOON + 3, by=(program,)),
          entry(NOON + 4, by=of_user(0)), entry(NOON + 5, by=of_user(1000) + (("_UID", 0),)))
    left = "imagekeeper: 1 entry was left out, because another program wrote it, or one that had ended before the journal could see which; " \
           "--any-writer shows it\n"
    assert [r["verified"] for r in w.told(err=left)] == [False] * 4 + [True]
    text = w.history().expect(0).out
    assert text.count(", not verified\n") == 4 and "by /usr/bin/imagekeeper in user@1000.service, user 1000, pid 8, not verified\n" in text, text
    assert text.endswith("by /usr/bin/imagekeeper in user@1000.service, user 0, pid 8\n"), text


@case
def a_unit_of_ours_is_told_by_its_name(w):
    units = ["imagekeeperd.service", "imagekeeperd@a.service", "imagekeeper-sync.service", "imagekeeper-sync@a.service"]
    by = lambda unit: (("_SYSTEMD_UNIT", unit), ("_EXE", "/usr/local/bin/imagekeeper"), ("_UID", 994), ("_PID", 149))
    w.add(*(entry(NOON + n, "sync-failed", by=by(unit)) for n, unit in enumerate(units)),
          *(entry(NOON + 9, "sync-failed", by=by(unit)) for unit in ("imagekeeper-sync@.service", "imagekeeper-syncx.service")))
    assert [(r["unit"], r["verified"]) for r in w.told("--all")][:4] == [(unit, True) for unit in units]
    text = w.history("--all").expect(0).out
    assert all("by %s\n" % unit in text for unit in units) and text.count("user 994, pid 149, not verified\n") == 2, text
    assert [r["unit"] for r in w.told("--all", "--instance", "a")] == ["imagekeeperd@a.service"]


def no_raw(text):
    """Nothing in it drives a terminal or makes a line look like another one."""
    unfit = [c for c in text if c != "\n" and (ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0 or c in "\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ufeff")]
    assert not unfit, unfit


@case
def junk_is_shown_harmlessly(w):
    nasty = "a\x1b[31m\r\n\x07\u009b31m\u202e\x7f\u2028z".encode() + b"\xff\xfe\x00tail"
    w.add(entry(NOON, "updated", change("tag\x1b[2J", "\x1b]0;x\x07\u009b", "\u202eb\x7f"), *(("IMAGEKEEPER_CHANGE", c) for c in (
                "", "junk", "[]", "{}", '{"path":1}', '{"path":"a","path":"b"}', "\xff", "[" * 100000, b'{"path":"a\x00"}')),
                name=nasty, kind=nasty, target=nasty, reason=nasty, spec="a:b:" + "9" * 30, http_status="4x4"),
          entry(NOON + 1, "failed", ("MESSAGE", nasty), name=nasty, revision=nasty, opc_request_id=nasty, spec="no place",
                by=(("_SYSTEMD_UNIT", "imagekeeperd.service"), ("_HOSTNAME", nasty), ("_UID", "-1"), ("_PID", nasty))),
          exported(NOON + 2, [("MESSAGE_ID", MESSAGE_IDS["held"]), ("_SYSTEMD_UNIT", "imagekeeperd.service")]))
    done = w.history("-o", "json").expect(0)
    no_raw(done.out)
    first, second, bare = [json.loads(line) for line in done.out.splitlines()]
    shown = nasty.replace(b"\x00", "\ufffd".encode()).decode(errors="replace")
    assert first["name"] == shown and first["reason"] == shown, first
    assert first["attributes"] == [{"path": "tag\x1b[2J", "from": "\x1b]0;x\x07\u009b", "to": "\u202eb\x7f"}], first["attributes"]
    assert first["attributesLeftOut"] == 9, first
    assert (first["file"], first["line"], first["status"]) == ("a:b:" + "9" * 30, None, None), first
    assert (second["file"], second["line"], second["revision"]) == ("no place", None, shown), second
    assert (second["host"], second["uid"], second["pid"]) == (shown, None, None), second
    assert bare["event"] == "held" and bare["attributes"] == [] and bare["name"] is None and bare["message"] is None, bare
    text = w.history().expect(0).out
    no_raw(text)
    assert len(text.splitlines()) == 3 + 2 + 3 + 2, text  # no line more than ours


@case
def huge_fields_are_cut_and_what_is_cut_is_no_change(w):
    w.add(entry(NOON, "updated", change("big", "x" * 3000000, "y"), change("fits", "x" * 500000, "y"), reason="r" * 3000000),
          entry(NOON + 1, "updated", *(change("n%04d" % n, None, n) for n in range(900)), name="many"),
          entry(NOON + 2, "updated", *(change("n%d" % n, "x" * 900000, None) for n in range(30)), name="large"))
    first, many, large = w.told()
    assert [a["path"] for a in first["attributes"]] == ["fits"] and len(first["reason"]) == 65536, first["attributes"]
    assert (first["attributesLeftOut"], many["attributesLeftOut"]) == (1, 0) and large["attributesLeftOut"] == 30 - len(large["attributes"])
    assert many["attributes"] == [{"path": "n%04d" % n, "from": None, "to": n} for n in range(900)]
    assert 1 <= len(large["attributes"]) <= 9 and large["name"] == "large"
    text = w.history("-n", "3").expect(0).out
    assert max(map(len, text.splitlines())) < 3000 and '"' + "x" * 299 + "… -> \"y\"" in text, max(map(len, text.splitlines()))
    assert text.count("    (1 more attribute)\n") == 1 and "    (%d more attributes)\n" % large["attributesLeftOut"] in text, text


@case
def what_its_writer_left_out_is_told_too(w):
    w.add(entry(NOON, "updated", change("a", 1, 2), ("IMAGEKEEPER_CHANGE", "junk"), attributes_left_out=41), entry(NOON + 1, attributes_left_out="some"))
    first, second = w.told()
    assert len(first["attributes"]) == 1 and (first["attributesLeftOut"], second["attributesLeftOut"]) == (42, 0), (first, second)
    text = w.history().expect(0).out
    assert "    a: 1 -> 2\n    (42 more attributes)\n" in text and text.count("more attribute") == 1, text


@case
def files_that_are_broken_are_named_and_the_others_read(w):
    w.add(entry(name="good"))
    path = lambda name: "%s/%s.journal" % (w.journal, name)
    shutil.copy(path("system"), path("short"))
    os.truncate(path("short"), 100)
    w.write(path("text"), "this is no journal\n" * 50)
    w.write(path("empty"), "")
    done = w.history("-o", "json").expect(1)
    assert [json.loads(line)["name"] for line in done.out.splitlines()] == ["good"], done.out
    told = done.err.splitlines()
    assert len(told) == 2 and all("journal cannot be read: " in t and "left out" in t for t in told) and path("short") in done.err, done.err
    os.unlink(path("system"))
    assert "cannot be read" in w.history().expect(1).err


def journal_to_damage(w):
    """The larger of two files, its bytes, and between which two of them its entries are."""
    w.add(*(entry(NOON + n, "updated", change("n", n, "x" * 600), name="n%d" % n) for n in range(200)))
    w.add(entry(NOON - 1, name="whole"), file="whole")
    path = w.journal + "/system.journal"
    with open(path, "rb") as f:
        data = f.read()
    return path, data, data.index(b"MESSAGE_ID="), data.rindex(b"IMAGEKEEPER_CHANGE=")


@case
def a_file_that_is_damaged_in_the_middle_is_named(w):
    path, data, first, last = journal_to_damage(w)
    damaged = "imagekeeper: error: %s is damaged, and not all of it could be read (journalctl --verify tells more)\n" % path
    seen = collections.Counter()
    for n in range(80):
        at = (first + (last - first) * n // 80) // 8 * 8
        with open(path, "wb") as f:
            f.write(data[:at] + (b"\xff" * 64 if n % 2 else bytes(64)) + data[at + 64:])
        for words in (), ("-r",):
            done = w.history("-o", "json", "--any-writer", *words)
            told = [json.loads(line) for line in done.out.splitlines()]
            assert any(r["name"] == "whole" for r in told), (n, done.err)
            assert done.status == (1 if done.err else 0) and done.err in ("", damaged), (n, done.status, done.err)
            if len(told) < 201:
                seen[words, done.status] += 1
    # That the file ends too early is found out; that the library passes over a single entry cannot be.
    assert seen[(), 1] >= 5 and seen[("-r",), 1] >= 5, seen
    with open(path, "wb") as f:
        f.write(data[:last])
    assert path + " cannot be read: " in w.history().expect(1).err


@case
def a_directory_without_a_journal_is_an_error(w):
    expect = lambda text, *words: None if text in w.run("history", *words).expect(1).err else w.run("history", *words).err
    assert not expect("/nowhere: No such file or directory", "--directory", "/nowhere")
    assert not expect("there is no journal in it", "--directory", w.journal)
    w.add(entry())
    assert not expect("this is no directory", "--directory", w.journal + "/system.journal")


@case
def files_may_be_in_folders_of_machines(w):
    w.add(entry())
    for folder in ("a" * 32, "d" * 32 + ".space"):
        os.mkdir(os.path.join(w.journal, folder))
    os.rename(w.journal + "/system.journal", w.journal + "/" + "a" * 32 + "/system.journal")
    assert w.names() == ["golden"]


@case
def without_the_right_to_read_it_says_what_to_do(w):
    if os.geteuid() != 0:
        raise Skipped("only root can become somebody else")
    w.add(entry(name="secret"))
    w.add(entry(name="open"), file="user-65534")
    os.chmod(w.folder, 0o755)
    os.chmod(w.journal + "/system.journal", 0o640)
    os.chmod(w.journal + "/user-65534.journal", 0o644)
    program = os.path.join(w.folder, "imagekeeper")
    shutil.copy(os.environ["IMAGEKEEPER"], program)

    def as_nobody():
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program, "history", "-D", w.journal],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=w.environment)
        return Result(done.returncode, done.stdout, done.stderr).expect(1)

    done = as_nobody()
    assert "open" in done.out and "secret" not in done.out, done.out
    assert done.err == "imagekeeper: error: %s/system.journal cannot be read: Permission denied; run this with sudo, or as a member of the group " \
                       "systemd-journal\n" % w.journal, done.err
    os.chmod(w.journal + "/user-65534.journal", 0o600)
    done = as_nobody()
    assert done.out == "" and "group systemd-journal" in done.err, done.err
    os.chmod(w.journal, 0o700)
    assert "group systemd-journal" in as_nobody().err


class Following:
    """imagekeeper history -f, read line by line."""

    def __init__(self, w, *words):
        command = os.environ.get("WRAPPER", "").split() + [os.environ["IMAGEKEEPER"], "history", "-D", w.journal, "-f", "-o", "json"] + list(words)
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=w.environment)
        self.watchdog = threading.Timer(120, self.process.kill)
        self.watchdog.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.watchdog.cancel()

    def expect(self, *names):
        for name in names:
            line = self.process.stdout.readline()
            assert line and json.loads(line)["name"] == name, (name, line, line or self.process.stderr.read())

    def end(self, number):
        self.process.send_signal(number)
        rest = self.process.stdout.read()
        assert self.process.wait() == 0 and not rest, (self.process.returncode, rest, self.process.stderr.read())


@case
def following_shows_what_comes_through_rotations_until_a_signal(w):
    w.add(*(entry(NOON + n, name="n%d" % n) for n in range(12)))
    for words, first, number in (((), ["n%d" % n for n in range(2, 12)], signal.SIGTERM), (("-n1",), ["n11"], signal.SIGINT),
                                 (("--since", "2026-12-01"), ["n%d" % n for n in range(12)], signal.SIGTERM)):
        with Following(w, *words) as f:
            f.expect(*first)
            w.add(entry(NOON + 20, name="new"), entry(NOON + 21, name="forged", by=()), entry(NOON + 22, name="last"), file="system@2")
            f.expect("new", "last")
            # Rotated: another name, and a new file in its place.
            os.rename(w.journal + "/system@2.journal", w.journal + "/system@1-archived.journal")
            w.add(entry(NOON + 30, name="rotated"), file="system@3")
            f.expect("rotated")
            f.end(number)
        for name in ("system@1-archived", "system@3"):
            os.unlink("%s/%s.journal" % (w.journal, name))


@case
def a_signal_ends_following_also_while_nothing_is_wanted(w):
    path, data, first, last = journal_to_damage(w)
    for n in range(80):
        at = (first + (last - first) * n // 80) // 8 * 8
        with open(path, "wb") as f:
            f.write(data[:at] + b"\xff" * 64 + data[at + 64:])
        if " is damaged" in w.history("nobody").err:
            break
    else:
        assert False, "no damage shows at the end of a walk"

    def send_signal():
        """It comes as soon as it can."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        os.kill(os.getpid(), signal.SIGINT)

    done = subprocess.run([os.environ["IMAGEKEEPER"], "history", "-D", w.journal, "-f", "nobody"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, env=w.environment, timeout=120, preexec_fn=send_signal)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done


@case
def following_sees_a_file_grow(w):
    """Its writer is held open, as journald is."""
    path = w.journal + "/system.journal"
    writer = subprocess.Popen([journal_files.REMOTE, "-o", path, "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def write(*entries):
        writer.stdin.write(b"".join(entries))
        writer.stdin.flush()

    try:
        write(entry(NOON, name="first"), entry(NOON + 1, name="not yet known to be whole"))
        eventually(lambda: os.path.exists(path) and w.history().status == 0 and "first" in w.history().out, "the first entry")
        with Following(w, "--since", "2026-12-01", "first*", "--all") as f:
            f.expect("first")
            for n in range(2, 5):
                write(entry(NOON + n, name="first again"), entry(NOON + n, "started", name=None))
                f.expect("first again")
            f.end(signal.SIGINT)
    finally:
        writer.stdin.close()
        writer.wait()


@case
def following_ends_when_nobody_reads(w):
    w.add(entry())
    with Following(w) as f:
        f.expect("golden")
        f.process.stdout.close()
        assert f.process.wait() == 0, f.process.stderr.read()


@case
def many_entries_are_told_and_a_reader_may_leave(w):
    n = 20000
    w.add(*(entry(NOON + i / 1000, name="n%d" % i) for i in range(n)))
    assert w.names() == ["n%d" % i for i in range(n)]
    command = '"$IMAGEKEEPER" history -D "%s"; echo "status $?" >&2' % w.journal
    done = subprocess.run(["sh", "-c", "{ %s; } | head -n 1" % command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=dict(w.environment, IMAGEKEEPER=os.environ["IMAGEKEEPER"]))
    assert done.stdout.count("\n") == 1 and done.stderr == "status 0\n", done.stderr
    with open("/dev/full", "w") as full:
        assert "could not be written" in w.run("history", "-D", w.journal, stdout=full).expect(1).err


@case
def one_entry_that_cannot_be_written_is_an_error_too(w):
    w.add(entry())
    for words in ((), ("-n1",), ("-r",), ("-f",), ("-o", "json")):
        with open("/dev/full", "w") as full:
            err = w.run("history", "-D", w.journal, *words, stdout=full).expect(1).err
        assert err == "imagekeeper: error: the results could not be written to standard output: No space left on device\n", (words, err)


@case
def colour_is_for_terminals_that_want_it(w):
    w.add(entry(event="failed"), entry(NOON + 1, "held"), entry(NOON + 2))

    def on_terminal(*command, status=0, **environment):
        master, slave = pty.openpty()
        variables = {k: v for k, v in w.environment.items() if k != "NO_COLOR"}
        with os.fdopen(master, "rb", buffering=0) as end:
            done = subprocess.Popen(command or [os.environ["IMAGEKEEPER"], "history", "-D", w.journal], stdout=slave, stderr=slave,
                                    env=dict(variables, **environment))
            os.close(slave)
            text = b""
            with contextlib.suppress(OSError):  # how a terminal says that nobody writes any more
                while part := end.read(65536):
                    text += part
            assert done.wait() == status
            return text.decode()

    text = on_terminal()
    assert "\x1b[31mfailed\x1b[0m" in text and "\x1b[33mheld\x1b[0m" in text and text.count("\x1b") == 4, text
    assert "\x1b" not in on_terminal(NO_COLOR="1") and "\x1b" not in w.history().out
    daemon = (os.environ["IMAGEKEEPERD"], "--config", "/nowhere")
    for value, is_coloured in (("", True), ("1", False), ("0", False)):
        assert on_terminal(NO_COLOR=value).count("\x1b") == 4 * is_coloured, value
        assert on_terminal(*daemon, status=1, NO_COLOR=value).count("\x1b") == 2 * is_coloured, value


if not journal_files.REMOTE:
    skip("there is no systemd-journal-remote to make journals with")
run(world=JournalWorld)
