#!/usr/bin/env python3
"""imagekeeper status: what the daemon tells of its last rounds."""
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from case import *


def prepare(w, interval="1h"):
    """What is told grows old by the interval, which therefore is long; rounds are asked for, as long as something is waited for."""
    w.runtime = w.folder + "/run"
    os.mkdir(w.runtime)
    w.environment["RUNTIME_DIRECTORY"] = w.runtime
    w.interval = interval
    w.configure()
    w.asked = 0


def settled(w, condition, what):
    def look():
        if time.monotonic() > w.asked + 0.3:
            w.asked = time.monotonic()
            for d in w.daemons:
                if d.process.poll() is None and any(m.startswith("READY=1") for m in d.messages):
                    d.signal(signal.SIGUSR1)
        return condition()
    eventually(look, what)


def started(w, *words):
    d = w.daemon(*words)
    d.wait_message("objects in sync|Nothing is enforced")
    settled(w, lambda: told(w) and told(w)["round"]["started"], "the first round")
    return d


def told(w):
    try:
        with open(w.runtime + "/status.json") as f:
            return json.load(f)
    except FileNotFoundError:
        return None


def metrics(w):
    with open(w.runtime + "/metrics.prom") as f:
        return f.read().splitlines()


def objects(w):
    return {o["name"]: o for o in told(w)["objects"]}


def state(w, name="golden"):
    return objects(w).get(name, {}).get("state")


@case
def what_is_in_sync_is_told_and_ends_with_0(w):
    prepare(w)
    w.image(1)
    w.spec(displayName="image 1")
    started(w)
    result = w.run("status").expect(0)
    assert "1 of 1 objects in sync" in result.out and "InSync  OciImage golden  prod  " + image_id(1) in result.out, result.out
    assert "golden.yaml:1" in result.out and "account prod  ok  last complete look at 2" in result.out, result.out
    report = w.run("status", "-o", "json").expect(0).json
    assert report == told(w) and (report["revision"], report["mode"], report["problem"]) == (None, "enforce", None)
    thing, = report["objects"]
    assert (thing["kind"], thing["account"], thing["target"], thing["state"], thing["reason"], thing["file"], thing["line"], thing["nextTry"]) == (
        "OciImage", "prod", image_id(1), "InSync", None, "golden.yaml", 1, None)
    account, = report["accounts"]
    assert (account["name"], account["state"], account["error"]) == ("prod", "ok", None) and account["lastCompleteLook"]
    assert abs(account["clockDifferenceSeconds"]) <= 1
    assert w.run("status", "--failed").expect(0).out.count("OciImage") == 0


@case
def each_state_has_its_name_and_reason(w):
    prepare(w)
    for n in range(1, 8):
        w.image(n, lifecycleState="PROVISIONING" if n == 3 else "AVAILABLE")
    w.spec("drifted", target=image_id(1), displayName="x", reconcile="{mode: observe}")
    w.spec("suspended", target=image_id(2), displayName="x", reconcile='{suspend: {until: "2099-01-01T00:00:00Z", reason: "ticket 4711"}}')
    w.spec("pending", target=image_id(3), displayName="x")
    w.spec("failed", target=image_id(4), displayName="x")
    w.spec("stubborn", target=image_id(5), displayName="x")
    w.spec("gone", target=image_id(99), displayName="x")
    w.spec("well", target=image_id(7), displayName="image 7")
    w.sim.fault("UpdateImage", "status", target=image_id(4), status=400, code="InvalidParameter", message="no such name", times=-1)
    w.sim.fault("UpdateImage", "echo-other", target=image_id(5), set={"displayName": "the server-s"}, persist=True, times=-1)
    started(w)
    seen = objects(w)
    assert {name: o["state"] for name, o in seen.items()} == {
        "drifted": "Drifted", "suspended": "Suspended", "pending": "Pending", "failed": "Failed", "stubborn": "NotConverging",
        "gone": "AccessUncertain", "well": "InSync"}, seen
    assert seen["suspended"]["reason"] == "until 2099-01-01T00:00:00Z: ticket 4711" and "PROVISIONING" in seen["pending"]["reason"]
    assert "no such name" in seen["failed"]["reason"] and "the server-s" in seen["stubborn"]["reason"]
    # What failed rests, and is the same for as long.
    settled(w, lambda: objects(w)["failed"]["nextTry"], "a next try")
    again = objects(w)
    assert (again["failed"]["state"], again["failed"]["since"]) == ("Failed", seen["failed"]["since"]), again["failed"]
    assert again["stubborn"]["state"] == "NotConverging" and again["stubborn"]["nextTry"], again["stubborn"]
    result = w.run("status", "--failed").expect(1)
    assert "InSync" not in result.out and "Suspended" not in result.out and result.out.count("OciImage ") == 5, result.out
    assert told(w)["accounts"][0]["lastCompleteLook"], "one object that is not there takes nothing from the look"


@case
def differences_alone_end_with_2_and_held_changes_too(w):
    prepare(w)
    w.configure(top="limits: {maxChanges: 1}\n")
    for n in (1, 2):
        w.image(n)
        w.spec("i%d" % n, target=image_id(n), displayName="x")
    started(w)
    assert state(w, "i1") == state(w, "i2") == "Held" and "maxChanges" in objects(w)["i1"]["reason"]
    w.run("status").expect(2)
    w.configure(top="mode: observe\n")
    w.daemons[0].signal(signal.SIGHUP)
    settled(w, lambda: state(w, "i1") == "Drifted", "only observed")
    assert told(w)["mode"] == "observe"
    w.run("status").expect(2)


@case
def since_is_when_the_state_began(w):
    prepare(w)
    w.image(1)
    w.spec(displayName="image 1", reconcile="{mode: observe}")
    started(w)
    first = objects(w)["golden"]["since"]
    time.sleep(1.1)
    begun = told(w)["time"]
    settled(w, lambda: told(w)["time"] > begun, "another round")
    assert objects(w)["golden"]["since"] == first
    w.sim.change(image_id(1), displayName="drifted")
    settled(w, lambda: state(w) == "Drifted", "the drift")
    assert objects(w)["golden"]["since"] > first


@case
def documents_that_go_are_not_told_of_any_more(w):
    prepare(w)
    w.image(1)
    w.image(2)
    w.spec("one", target=image_id(1), displayName="image 1")
    w.spec("two", target=image_id(2), displayName="image 2")
    started(w)
    os.unlink(w.specs + "/two.yaml")
    settled(w, lambda: set(objects(w)) == {"one"}, "one of them alone")


@case
def an_account_that_goes_is_not_told_of_any_more_though_nothing_watches_the_specs(w):
    prepare(w)
    w.image(1)
    w.configure(account=w.account().replace("name: prod", "name: also"))
    w.spec("one", target=image_id(1), displayName="image 1")
    w.spec("two", target=image_id(1), account="also", freeformTags={"team": "base"})
    # A namespace of users has its own count of what inotify may be used for.
    d = w.daemon(before=["unshare", "--user", "--map-root-user", "sh", "-c", 'echo 0 >/proc/sys/user/max_inotify_instances; exec "$@"', "sh"])
    d.wait_line("changes are found at each round alone")
    settled(w, lambda: told(w) and [a["name"] for a in told(w)["accounts"]] == ["prod", "also"], "both accounts")
    os.unlink(w.specs + "/two.yaml")
    settled(w, lambda: [a["name"] for a in told(w)["accounts"]] == ["prod"] and set(objects(w)) == {"one"}, "one of them alone")


@case
def a_new_revision_is_told_though_it_declares_the_same(w):
    prepare(w)
    w.image(1)
    w.spec(displayName="image 1")
    w.write(".revision", "a" * 40 + "\n")
    d = started(w)
    w.write(".revision", "b" * 40 + "\n")
    w.write("README.md", "words")  # a name that begins with a dot is not watched
    d.wait_line("specs loaded: 1 documents .*, revision " + "b" * 40)
    settled(w, lambda: told(w)["revision"] == "b" * 40, "the new revision")


@case
def broken_specs_are_an_error_until_they_are_mended(w):
    prepare(w)
    w.image(1)
    w.spec(displayName="image 1")
    started(w)
    w.write("golden.yaml", "kind: [")
    settled(w, lambda: told(w)["problem"], "the problem")
    result = w.run("status").expect(1)
    assert "the last good specs are in force" in result.out and "InSync" in result.out, result.out
    w.spec(displayName="image 1")
    settled(w, lambda: told(w)["problem"] is None, "mended specs")
    w.run("status").expect(0)


@case
def an_account_whose_credential_is_refused_is_told(w):
    prepare(w)
    w.image(1)
    w.spec(displayName="image 1")
    started(w)
    w.sim.fault("GetImage", "status", status=401, code="NotAuthenticated", message="no", times=-1)
    settled(w, lambda: state(w) == "Failed", "a failure")
    w.run("status").expect(1)
    account, = told(w)["accounts"]
    before = account["lastCompleteLook"]
    time.sleep(1.1)
    assert told(w)["accounts"][0]["lastCompleteLook"] == before


@case
def a_daemon_that_is_gone_is_an_error(w):
    prepare(w)
    w.image(1)
    w.spec(displayName="image 1")
    assert "imagekeeperd is not running" in w.run("status").expect(1).err
    d = started(w)
    assert d.stop() == 0 and not os.path.exists(w.runtime + "/status.json")
    assert "imagekeeperd is not running" in w.run("status").expect(1).err
    d = started(w)
    d.signal(signal.SIGKILL)
    d.wait()
    w.daemons.clear()
    result = w.run("status").expect(1)
    assert "this is what it told last" in result.err and "InSync" in result.out, result.err
    started(w)
    w.run("status").expect(0)


@case
def what_is_older_than_three_intervals_is_an_error(w):
    prepare(w, interval="1s")
    w.image(1)
    w.spec(displayName="image 1")
    d = started(w)
    d.signal(signal.SIGSTOP)
    try:
        eventually(lambda: "older than 3 intervals" in w.run("status").err, "a status that is too old")
        w.run("status").expect(1)
    finally:
        d.signal(signal.SIGCONT)
    eventually(lambda: w.run("status").status == 0, "a fresh one")


@case
def readers_never_see_half_a_file(w):
    prepare(w)
    for n in range(1, 60):
        w.image(n)
        w.spec("i%d" % n, target=image_id(n), displayName="image %d" % n)
    d = started(w)
    stop, problems = threading.Event(), []

    def read():
        while not stop.is_set():
            try:
                told(w)
            except ValueError as e:
                problems.append(e)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(20):
        before = told(w)["time"], told(w)["round"]
        d.signal(signal.SIGUSR1)
        settled(w, lambda: (told(w)["time"], told(w)["round"]) != before, "another round")
    stop.set()
    reader.join()
    assert problems == []


@case
def two_daemons_do_not_write_one_file(w):
    prepare(w)
    w.image(1)
    w.spec(displayName="image 1")
    started(w)
    second = w.daemon()
    second.wait_line("another imagekeeperd tells its status there")
    second.wait_message("1 of 1 objects in sync")
    assert second.stop() == 0 and os.path.exists(w.runtime + "/status.json")
    w.run("status").expect(0)


@case
def a_folder_that_cannot_be_written_holds_up_nothing(w):
    prepare(w)
    w.image(1)
    w.spec(displayName="new")
    os.mkdir(w.runtime + "/status.json.new")  # in the way of the new file
    d = w.daemon()
    d.wait_line("status.json: cannot be written")
    d.wait_line('"image 1" -> "new"')
    os.rmdir(w.runtime + "/status.json.new")
    settled(w, lambda: told(w), "a status, once it can be written")
    assert sum("cannot be written" in line for line in d.lines) == 1
    w.environment["RUNTIME_DIRECTORY"] = w.folder + "/nowhere"
    other = w.daemon()
    other.wait_message("1 of 1 objects in sync")


@case
def a_clock_that_is_wrong_is_told(w):
    prepare(w)
    w.image(1)
    w.spec(displayName="image 1")
    w.sim.config(clockSkewSeconds=-200)
    started(w)
    assert abs(told(w)["accounts"][0]["clockDifferenceSeconds"] + 200) <= 2
    assert re.search(r"its clock is (199|20[0-2]) s behind this machine's", w.run("status").expect(0).out)


class Viewer:
    """`imagekeeper status --watch`: what it prints so far, to a pipe or to a terminal of that size."""

    def __init__(self, w, *words, size=None):
        self.w, self.out, self.err, self.master = w, "", "", None
        if size:
            self.master, out = pty.openpty()
            fcntl.ioctl(out, termios.TIOCSWINSZ, struct.pack("HHHH", size[0], size[1], 0, 0))
        self.process = subprocess.Popen([os.environ["IMAGEKEEPER"], "status", "--watch", *words], env=w.environment, stdin=subprocess.DEVNULL,
                                        stdout=out if size else subprocess.PIPE, stderr=subprocess.PIPE)
        if size:
            os.close(out)
        self.readers = [threading.Thread(target=self._read, args=a) for a in (("out", self.master or self.process.stdout.fileno()),
                                                                              ("err", self.process.stderr.fileno()))]
        for reader in self.readers:
            reader.start()

    def _read(self, which, fd):
        try:
            while block := os.read(fd, 65536):
                setattr(self, which, getattr(self, which) + block.decode())
        except OSError:  # a terminal without a program
            pass

    def screen(self):
        return self.out.split("\x1b[H\x1b[2J")[-1].replace("\r\n", "\n")

    def wait(self, what, which="out"):
        settled(self.w, lambda: what in getattr(self, which), repr(what))

    def end(self, signal_number=signal.SIGINT):
        self.process.send_signal(signal_number)
        for reader in self.readers:
            reader.join()
        for fd in [self.master] if self.master else []:
            os.close(fd)
        return self.process.wait(60)


@case
def a_watch_tells_each_change_of_state_in_a_line(w):
    prepare(w)
    for n in (1, 2):
        w.image(n)
        w.spec("golden-%d" % n, target=image_id(n), displayName="image %d" % n)
    started(w)
    v, failed = Viewer(w), Viewer(w, "--failed")
    v.wait("InSync  OciImage golden-2")
    w.spec("golden-2", target=image_id(2), displayName="else", reconcile="{mode: observe}")
    for viewer in (v, failed):
        viewer.wait("Drifted  OciImage golden-2")
    assert v.out.count("OciImage") == 3 and failed.out.count("OciImage") == 1, (v.out, failed.out)
    os.unlink(w.specs + "/golden-2.yaml")
    v.wait("no longer told of  OciImage golden-2")
    failed.wait("no longer told of  OciImage golden-2")
    assert (v.end(), failed.end(signal.SIGTERM)) == (0, 0) and v.out.count("golden-1 ") == 1 and not v.err, (v.out, v.err)


@case
def a_watch_says_that_the_daemon_is_gone_and_goes_on_when_it_is_back(w):
    prepare(w)
    w.image(1)
    w.spec(displayName="image 1")
    v = Viewer(w)
    v.wait("imagekeeperd is not running", "err")
    d = started(w)
    v.wait("InSync  OciImage golden")
    d.signal(signal.SIGKILL)
    d.wait()
    v.wait("this is what it told last", "err")
    w.spec(displayName="else", reconcile="{mode: observe}")
    d = started(w)
    v.wait("Drifted  OciImage golden")
    d.signal(signal.SIGTERM)
    d.wait()
    settled(w, lambda: v.err.count("there is no ") == 2, "the file is gone")
    assert v.end() == 1 and v.err.count("\n") == 3, v.err


@case
def a_watch_does_not_take_what_was_not_looked_at_for_gone(w):
    prepare(w)
    w.image(1)
    w.spec("all", selector={"displayName": "image*"}, operatingSystemVersion="8", reconcile="{mode: observe}")
    d = started(w)
    v = Viewer(w)
    v.wait("InSync  OciImage all")
    w.sim.fault("ListImages", "status", status=403, code="NotAuthorized", message="no", times=-1)
    v.wait("Failed  OciImage all")
    w.sim.clear_faults()
    settled(w, lambda: v.out.count("InSync  OciImage all") == 2, "the image again")
    d.signal(signal.SIGTERM)
    d.wait()
    v.wait("there is no ", "err")
    w.sim.change(image_id(1), operatingSystemVersion="7")
    w.sim.fault("ListImages", "delay", ms=1500, times=1)  # longer than it takes to notice that a daemon has begun
    w.daemon()
    v.wait("Drifted  OciImage all")
    v.end()
    assert "no longer" not in v.out and v.out.count("OciImage all") == 4, v.out


@case
def json_does_nothing_to_a_terminal(w):
    name = "a\x9b31mb\u202ec"
    w.image(1, displayName=name)
    w.spec(displayName="new")
    master, terminal = pty.openpty()
    process = subprocess.Popen([os.environ["IMAGEKEEPER"], "plan", "--config", w.config_file, "-o", "json"], env=w.environment, stdout=terminal)
    shown = b""
    while not shown.endswith(b"}\r\n"):
        shown += os.read(master, 65536)
    assert process.wait(60) == 2 and shown.isascii(), shown
    assert json.loads(shown)["changes"][0]["attributes"][0]["from"] == name
    for fd in (master, terminal):
        os.close(fd)


@case
def a_watch_ends_when_nobody_reads_on(w):
    prepare(w)
    w.image(1)
    w.spec(displayName="image 1")
    started(w)
    result = subprocess.run('"$0" status --watch | head -n 1', shell=True, executable="/bin/bash", env=dict(w.environment, BASH_ARGV0=os.environ["IMAGEKEEPER"]),
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, text=True)
    assert result.stdout.startswith("InSync") and result.stdout.count("\n") == 1, result.stdout


@case
def a_watch_fits_the_smallest_terminals(w):
    prepare(w)
    for n in range(1, 6):
        w.image(n)
        w.spec("golden-%d" % n, target=image_id(n), displayName="image %d" % n)
    started(w)
    for size in (1, 1), (1, 40), (2, 20), (3, 1):
        v = Viewer(w, size=size)
        eventually(lambda: v.screen().endswith("\n"), "a screen")
        assert v.end() == 0 and v.screen().count("\n") <= max(1, size[0] - 1), (size, v.screen())


@case
def a_refused_reload_is_told_until_one_is_taken(w):
    prepare(w)
    w.image(1)
    w.spec(displayName="image 1")
    d = started(w)
    with open(w.config_file) as f:
        good = f.read()
    w.write(w.config_file, good + "intervall: 1s\n")
    d.signal(signal.SIGHUP)
    settled(w, lambda: told(w)["refusedConfiguration"], "the refusal")
    n = len(d.messages)
    d.signal(signal.SIGUSR1)
    n = d.wait_message("1 of 1 objects in sync; the configuration on disk was refused: .*intervall", n)
    assert "the configuration on disk was refused, the old one is in force" in w.run("status").expect(1).out
    assert "imagekeeper_config_valid 0" in metrics(w)
    w.write(w.config_file, good)
    d.signal(signal.SIGHUP)
    settled(w, lambda: told(w)["refusedConfiguration"] is None, "the reload")
    d.wait_message("1 of 1 objects in sync$", n)
    assert w.run("status").expect(0).out.count("refused") == 0 and "imagekeeper_config_valid 1" in metrics(w)


@case
def without_specs_it_is_told_that_nothing_is_enforced(w):
    prepare(w)
    w.write("golden.yaml", "kind: [")
    d = w.daemon()
    d.wait_message("Nothing is enforced")
    result = w.run("status").expect(1)
    assert "no round is over yet" in result.out and "nothing is enforced: " in result.out and "last good" not in result.out, result.out
    assert "imagekeeper_specs_in_force 0" in metrics(w) and "imagekeeper_specs_valid 0" in metrics(w)
    w.image(1)
    w.spec(displayName="image 1")
    settled(w, lambda: told(w)["enforced"] and told(w)["objects"], "specs")
    w.run("status").expect(0)
    assert "imagekeeper_specs_in_force 1" in metrics(w)


@case
def systemd_is_told_what_the_status_tells(w):
    prepare(w)
    for n in (1, 2, 3):
        w.image(n)
    w.spec("changed", target=image_id(1), displayName="new")
    w.spec("paused", target=image_id(2), displayName="x", reconcile='{suspend: {until: "2099-01-01T00:00:00Z", reason: "ticket 4711"}}')
    w.spec("gone", target=image_id(99), displayName="x")
    d = w.daemon()
    d.wait_message("STATUS=1 of 3 objects in sync, 1 Suspended, 1 AccessUncertain$")
    assert "1 of 3 objects in sync" in w.run("status").expect(1).out


@case
def a_watch_in_json_is_one_object_a_telling(w):
    prepare(w)
    w.image(1)
    w.spec(displayName="image 1")
    d = started(w)
    v = Viewer(w, "-o", "json")
    v.wait("\n")
    before = v.out.count("\n")
    d.signal(signal.SIGUSR1)
    settled(w, lambda: v.out.count("\n") > before, "another round")
    assert v.end() == 0
    times = [json.loads(line)["time"] for line in v.out.splitlines()]
    assert times == sorted(times) and len(times) > 1


@case
def a_watch_fits_a_terminal_and_shows_first_what_needs_attention(w):
    prepare(w)
    for n in range(1, 31):
        w.image(n)
        w.spec("golden-%02d" % n, target=image_id(n), displayName="image %d" % n, reconcile="{mode: observe}")
    started(w)
    v = Viewer(w, size=(12, 40))
    v.wait("InSync")
    w.sim.change(image_id(30), displayName="drifted")
    settled(w, lambda: "Drifted" in v.screen(), "the drift")
    lines = v.screen().split("\n")
    assert lines[2].startswith("Drifted  OciImage golden-30") and lines[-2] == "(23 more lines)" and lines[-1] == "", lines
    assert len(lines) == 12 and max(len(line) for line in lines) <= 40, lines
    fcntl.ioctl(v.master, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    v.process.send_signal(signal.SIGWINCH)
    settled(w, lambda: v.screen().count("InSync") == 29, "all of them")
    assert v.end() == 2


if __name__ == "__main__":
    run(workers=6)
