#!/usr/bin/env python3
"""The daemon notices what happens to its specs, without waiting for its interval, which is an hour here."""
import os
import shutil
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from case import *

HOUR = "interval: 1h\n"


def started(w, *words):
    """A daemon that has seen to the first set of specs."""
    d = w.daemon(*words)
    d.wait_message("objects in sync|Nothing is enforced")
    return d


def configure(w, specs="specs"):
    w.configure()
    with open(w.config_file) as f:
        text = f.read()
    w.write(w.config_file, text.replace("interval: 1s\n", HOUR).replace("specs: specs\n", "specs: %s\n" % specs))


def named(w, name, n=1, file=None):
    w.spec("golden", target=image_id(n), file=file, displayName=name)


@case
def a_changed_file_is_acted_on(w):
    w.image(1)
    configure(w)
    named(w, "one")
    d = started(w)
    named(w, "two")
    d.wait_line('"one" -> "two"')
    # Written in place, by a program that neither renames nor makes anything.
    path = os.path.join(w.specs, "golden.yaml")
    with open(path) as f:
        text = f.read()
    with open(path, "r+") as f:
        f.write(text.replace("two", "six"))
    d.wait_line('"two" -> "six"')


@case
def files_and_folders_that_come_and_go_are_noticed(w):
    w.image(1)
    w.image(2)
    configure(w)
    named(w, "one")
    d = started(w)
    os.makedirs(w.specs + "/deep")
    os.makedirs(w.specs + "/deep/er")
    w.spec("second", target=image_id(2), file="deep/er/b.yaml", displayName="of the new folder")
    n = d.wait_line("specs loaded: 2 documents")
    d.wait_line("of the new folder")
    w.spec("second", target=image_id(2), file="deep/er/b.yaml", displayName="changed there")
    d.wait_line("changed there", n)
    shutil.rmtree(w.specs + "/deep")
    d.wait_line("specs loaded: 1 documents", n)


@case
def a_flipped_link_is_followed(w):
    w.image(1)
    for n in (1, 2, 3):
        os.makedirs("%s/exports/%d" % (w.folder, n))
        named(w, "of %d" % n, file="%s/exports/%d/a.yaml" % (w.folder, n))
    current = w.folder + "/current"

    def flip(target):
        os.symlink(target, current + ".new")
        os.rename(current + ".new", current)

    flip("exports/1")
    configure(w, "current")
    d = started(w)
    flip("exports/2")
    d.wait_line('"of 1" -> "of 2"')
    # What lies behind the old link does not matter any more, and what lies behind the new one does.
    named(w, "no more", file=w.folder + "/exports/1/a.yaml")
    named(w, "within", file=w.folder + "/exports/2/a.yaml")
    d.wait_line('"of 2" -> "within"')
    flip(w.folder + "/exports/3")
    d.wait_line('"within" -> "of 3"')
    assert not any("no more" in line for line in d.lines), d.lines


@case
def a_folder_that_goes_away_and_comes_back_is_watched_again(w):
    w.image(1)
    configure(w)
    named(w, "one")
    d = started(w)
    os.rename(w.specs, w.folder + "/away")
    n = d.wait_line("specs rejected")
    d.wait_message("last good specs are in force")
    os.rename(w.folder + "/away", w.specs)
    named(w, "two")
    n = d.wait_line('"one" -> "two"', n)
    shutil.rmtree(w.specs)
    n = d.wait_line("specs rejected", n)
    os.mkdir(w.specs)
    named(w, "three")
    d.wait_line('"two" -> "three"', n)


@case
def specs_that_are_not_there_yet_are_waited_for(w):
    w.image(1)
    configure(w, "later/on/specs")
    d = started(w)
    d.wait_message("Nothing is enforced")
    named(w, "at last", file=w.folder + "/later/on/specs/a.yaml")
    d.wait_line('-> "at last"')


@case
def a_single_file_is_watched_as_well(w):
    w.image(1)
    configure(w, "one.yaml")
    named(w, "one", file=w.folder + "/one.yaml")
    d = started(w)
    named(w, "two", file=w.folder + "/one.yaml")
    d.wait_line('"one" -> "two"')


@case
def broken_specs_are_said_at_once_and_mended_ones_count_at_once(w):
    w.image(1)
    configure(w)
    named(w, "one")
    d = started(w)
    w.write("golden.yaml", "kind: [")
    n = d.wait_line("specs rejected")
    d.wait_message("last good specs are in force")
    named(w, "two")
    d.wait_line('"one" -> "two"', n)
    assert sum("specs rejected" in line for line in d.lines) == 1


@case
def what_changes_nothing_asks_the_cloud_nothing(w):
    w.image(1)
    configure(w)
    named(w, "one")
    d = started(w)
    before = w.sim.statistics()["requests"]
    os.utime(w.specs + "/golden.yaml")
    w.write("README.md", "words")
    w.write(w.folder + "/beside.txt", "not among the specs")
    named(w, "one")
    w.spec("other", target=image_id(9), file="other.yaml", account="nobody", displayName="x")
    d.wait_line("specs rejected")
    assert w.sim.statistics()["requests"] == before


@case
def a_queue_that_ran_over_loses_nothing(w):
    with open("/proc/sys/fs/inotify/max_queued_events") as f:
        most = int(f.read())
    w.image(1)
    configure(w)
    named(w, "one")
    d = started(w)
    d.signal(signal.SIGSTOP)
    for n in range(most // 2 + 100):  # names that alternate, so that no two events are taken for one
        os.close(os.open("%s/.%d" % (w.specs, n % 2), os.O_CREAT | os.O_WRONLY))
        os.unlink("%s/.%d" % (w.specs, n % 2))
    named(w, "two")
    d.signal(signal.SIGCONT)
    d.wait_line('"one" -> "two"')


@case
def a_reload_that_names_other_specs_watches_those(w):
    w.image(1)
    configure(w)
    named(w, "one")
    d = started(w)
    named(w, "other one", file=w.folder + "/elsewhere/a.yaml")
    configure(w, "elsewhere")
    d.signal(signal.SIGHUP)
    d.wait_line('"one" -> "other one"')
    named(w, "other two", file=w.folder + "/elsewhere/a.yaml")
    d.wait_line('"other one" -> "other two"')


if __name__ == "__main__":
    run(workers=4)
