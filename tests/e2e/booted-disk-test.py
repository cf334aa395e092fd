"""What the daemon can do without, in a systemd that was really booted: room in its runtime folder, and the journal."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from case import *
from machine import Machine, prepare

FOLDER = "/run/imagekeeper"
DROP_IN = """[Service]
LoadCredential=oci-key:/etc/imagekeeper/oci-key.pem
WatchdogSec=10s
RestartSec=100ms
"""
FILL = "dd if=/dev/zero of=%s/ballast bs=4096 2>/dev/null; [ $(stat -f -c %%a %s) = 0 ]" % (FOLDER, FOLDER)
FILL_INODES = "n=0; while touch %s/ballast.$n; do n=$((n + 1)); done 2>/dev/null; [ $(stat -f -c %%d %s) = 0 ]" % (FOLDER, FOLDER)
# While files in it are open no file system can be made read-only; a view of it can, which then stands before it, for the daemon too.
READ_ONLY = "mkdir /run/view && mount --bind {0} /run/view && mount -o remount,bind,ro /run/view && mount --bind /run/view {0}".format(FOLDER)
# Writes to the journal without ever waiting, until its queue is full for whoever begins to write.
STUFF = """
import socket
sent, sockets = 1, []
while sent:
    sent = 0
    sockets.append(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK))
    try:
        while True:
            sockets[-1].sendto(b"MESSAGE=stuffing\\n", "/run/systemd/journal/socket")
            sent += 1
    except BlockingIOError:
        pass
"""


def started(w):
    """In a folder that is a small file system of its own, with one image that has been made as its spec says."""
    w.machine.run("mkdir", "-p", FOLDER).expect()
    w.machine.run("mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=16,mode=755", "tmpfs", FOLDER).expect()
    m = w.started()
    eventually(lambda: told(w)["objects"], "the first round")
    m.pid = m.show("imagekeeperd", "MainPID")
    return m


def told(w):
    """status.json, which is whole whenever one looks."""
    return json.loads(w.machine.run("cat", FOLDER + "/status.json").expect().out)


def said(w, words):
    return [e["MESSAGE"] for e in w.machine.journal("-u", "imagekeeperd", "SYSLOG_IDENTIFIER=imagekeeper") if words in e["MESSAGE"]]


def is_still_there(w):
    told = w.machine.show("imagekeeperd", "ActiveState", "NRestarts", "MainPID")
    assert told == {"ActiveState": "active", "NRestarts": "0", "MainPID": w.machine.pid}, told


def look_now(w):
    w.machine.run("kill", "-USR1", w.machine.pid).expect()


def rounds(w, n):
    """Drift, as often as that, is repaired, and seen to be."""
    for i in range(n):
        w.sim.change(image_id(1), displayName="drift %d" % i)
        look_now(w)
        w.is_repaired()
        looks = len(w.sim.requests("GetImage"))
        look_now(w)
        eventually(lambda looks=looks: len(w.sim.requests("GetImage")) > looks, "another look")


def without_room(w, take, give):
    """All goes on, and what cannot be written is said once; then there is room again."""
    m = started(w)
    m.run("imagekeeper", "status").expect(0)
    m.run("sh", "-c", take).expect()
    before = told(w)
    rounds(w, 3)
    eventually(lambda: said(w, "cannot be written"), "the warning")
    warning, = said(w, "cannot be written")
    assert FOLDER + "/status.json: cannot be written: " in warning and "make room in %s, or let it be written to" % FOLDER in warning, warning
    assert told(w) == before, "neither the old one nor a new one"
    eventually(lambda: m.run("imagekeeper", "status").status == 1, "a status that is too old")
    assert "this is older than 3 intervals" in m.run("imagekeeper", "status").out
    yield m
    rounds(w, 3)
    assert said(w, "cannot be written") == [warning], "it is said again and again"
    m.run("sh", "-c", give).expect()
    eventually(lambda: told(w)["time"] > before["time"], "a new status")
    eventually(lambda: m.run("imagekeeper", "status").status == 0, "a status in sync")
    eventually(lambda: said(w, "the status is written again") == [FOLDER + ": the status is written again"], "the end of it")
    rounds(w, 1)
    m.run("systemctl", "reload", "imagekeeperd").expect()
    is_still_there(w)
    assert not [name for name in m.run("ls", FOLDER).expect().out.split() if name.endswith(".new")]


def reloads_are_answered(w, m):
    good = open(w.config_file).read()
    for n in (1, 2, 3):
        w.write(w.config_file, good + "intervall: %ds\n" % n)
        assert m.run("systemctl", "reload", "imagekeeperd").status != 0
        w.write(w.config_file, good)
        m.run("systemctl", "reload", "imagekeeperd").expect()  # else the status tells of the refusal
    eventually(lambda: len(w.events("reloaded")) == 3 and len(w.events("reload-refused")) == 3, "what became of them")


@case
def in_a_full_folder_all_goes_on_and_reloads_are_answered(w):
    for m in without_room(w, FILL, "rm %s/ballast" % FOLDER):
        reloads_are_answered(w, m)


@case
def in_a_folder_that_takes_no_more_files_all_goes_on_and_reloads_are_answered(w):
    for m in without_room(w, FILL_INODES, "rm %s/ballast.*" % FOLDER):
        reloads_are_answered(w, m)


@case
def in_a_folder_that_is_read_only_all_goes_on_and_a_reload_says_why_it_fails(w):
    for m in without_room(w, READ_ONLY, "umount -l " + FOLDER):
        assert m.run("systemctl", "reload", "imagekeeperd").status != 0
        eventually(lambda: "is read-only, so that the daemon could not say how the reload ended" in
                   m.run("journalctl", "--no-pager", "-u", "imagekeeperd").out, "the reason")
        assert not w.events("reloaded")


@case
def a_journal_that_is_restarted_loses_nothing_of_what_is_done(w):
    m = started(w)
    for n in range(3):
        rounds(w, 2)
        m.run("systemctl", "restart", "systemd-journald").expect()
        rounds(w, 2)
    wanted = w.updates()
    assert wanted >= 13
    eventually(lambda: len(w.events("updated")) == wanted, "an entry for each of %d updates" % wanted)
    is_still_there(w)


@case
def a_journal_that_stands_still_holds_up_nothing(w):
    m = started(w)
    m.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "systemd-journald").expect()
    m.run("python3", "-c", STUFF).expect()
    rounds(w, 3)
    m.run("systemctl", "kill", "--kill-whom=main", "--signal=CONT", "systemd-journald").expect()
    before = len(w.events("updated"))
    rounds(w, 1)
    eventually(lambda: len(w.events("updated")) > before, "an entry")
    eventually(lambda: said(w, "could not be written to the journal"), "that some are missing")
    is_still_there(w)


@case
def without_a_journal_all_goes_on(w):
    m = started(w)
    m.run("systemctl", "stop", "systemd-journald.socket", "systemd-journald-dev-log.socket", "systemd-journald-audit.socket", "systemd-journald").expect()
    rounds(w, 3)
    m.run("systemctl", "start", "systemd-journald.socket", "systemd-journald-dev-log.socket", "systemd-journald").expect()
    before = len(w.events("updated"))
    rounds(w, 1)
    eventually(lambda: len(w.events("updated")) > before, "an entry")
    is_still_there(w)


prepare({"imagekeeperd.service": DROP_IN})
run(world=Machine)
