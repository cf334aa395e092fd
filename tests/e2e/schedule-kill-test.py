#!/usr/bin/env python3
"""Schedules under SIGKILL: whenever it comes, each slot of each volume gets one backup, never two.

IMAGEKEEPER_KILLS: how many kills in all; IMAGEKEEPER_SEED: to see the same again.
"""
import collections
import os
import random
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from schedule import *

PERIOD = 2
STORMS = 5
KILLS = max(1, int(os.environ.get("IMAGEKEEPER_KILLS", "900")) // STORMS)
SEED = int(os.environ.get("IMAGEKEEPER_SEED", time.time()))

NO_ANSWER = ["close-before", "hang", "reset", "truncate", "process-then-close", "process-then-hang", "process-then-reset"]


def due(w):
    """The newest slot by now."""
    return int(w.sim.now()) // PERIOD * PERIOD


def no_trouble(w, chance):
    pass


def lost_answers(w, chance):
    operation = chance.choice(["CreateBootVolumeBackup"] * 3 + ["ListBootVolumeBackups", "ListBootVolumes", "UpdateBootVolumeBackup",
                                                               "DeleteBootVolumeBackup", "*"])
    if chance.random() < 0.2:
        w.sim.fault(operation, chance.choice(["status", "process-then-status"]), status=chance.choice([429, 500, 503]), skip=chance.randrange(3))
    elif chance.random() < 0.8:
        w.sim.fault(operation, chance.choice(NO_ANSWER), skip=chance.randrange(3))


class Storm:
    """Daemons on a schedule of every other second. In the first part of each period they are killed and started all the time; then the sea is
    calm until the slot is made everywhere. A calm that ends after its period, on a machine that is too slow, may have cost slots: those are
    made no more when a newer one is due, and are not asked for. Two of one slot are never right."""

    def __init__(self, w, number, volumes=3, trouble=no_trouble, at_once=1, **want):
        self.w, self.trouble, self.at_once = w, trouble, at_once
        self.chance = random.Random(SEED + number)
        self.volumes = [w.sim.add_boot_volume("v%d" % n) for n in range(volumes)]
        self.first = self.slot = due(w) + PERIOD
        schedule(w, "storm", since=self.first - 1, onCalendar="*:*:0/%d" % PERIOD, selector=select(), displayName="{volume}-{slot}", **want)
        self.running, self.killed, self.overtaken = [], 0, set()

    def start(self):
        new_host(self.w)
        self.running.append(self.w.daemon())

    def kill(self):
        daemon = self.running.pop(self.chance.randrange(len(self.running)))
        daemon.signal(signal.SIGKILL)
        daemon.wait()
        self.w.daemons.remove(daemon)
        self.killed += 1

    def rage(self):
        while self.killed < KILLS and self.w.sim.now() < self.slot + 0.6 * PERIOD:
            self.trouble(self.w, self.chance)
            while len(self.running) < self.at_once:
                self.start()
            time.sleep(self.chance.random() * 0.2)
            self.kill()

    def is_made(self):
        newest = {}
        for backup in self.w.sim.backups():
            newest[backup["volume"]] = max(newest.get(backup["volume"], 0), at(slot_of(backup)[1]))
        return all(newest.get(v, 0) >= self.slot for v in self.volumes)

    def calm(self):
        while self.running:
            self.kill()
        self.w.sim.clear_faults()
        for _ in range(self.at_once):
            self.start()
        eventually(self.is_made, "the slot %s, seed %d" % (told(self.slot), SEED))
        newest = due(self.w)
        self.overtaken.update(range(self.slot, newest, PERIOD))
        self.slot = max(newest, self.slot + PERIOD)

    def run(self):
        while self.killed < KILLS:
            self.rage()
            self.calm()
        last = self.slot - PERIOD
        while self.running:
            self.kill()
        wanted = {told(s) for s in range(self.first, last + 1, PERIOD) if s not in self.overtaken}
        allowed = {told(s) for s in range(self.first, due(self.w) + 1, PERIOD)}
        for volume in self.volumes:
            made = collections.Counter(s for s in slots(self.w, volume, "storm", dead=True) if at(s) >= self.first)
            assert set(made.values()) == {1}, "made more than once: %s, seed %d" % ({s: n for s, n in made.items() if n > 1}, SEED)
            assert wanted <= set(made) <= allowed, "missing %s, too many %s, seed %d" % (wanted - set(made), set(made) - allowed, SEED)
        print("# %d kills, %d slots of %d volumes, %d overtaken, seed %d" %
              (self.killed, len(wanted), len(self.volumes), len(self.overtaken), SEED), flush=True)


@case
def killed_at_any_instant(w):
    Storm(w, 1).run()


@case
def killed_while_answers_get_lost(w):
    Storm(w, 2, trouble=lost_answers).run()


@case
def killed_while_lists_lag(w):
    w.sim.config(listLagSeconds=0.7)
    Storm(w, 3, trouble=lost_answers).run()


@case
def killed_two_at_a_time(w):
    w.sim.config(listLagSeconds=0.3)
    Storm(w, 4, trouble=lost_answers, at_once=2).run()


@case
def killed_while_old_ones_go(w):
    storm = Storm(w, 5, volumes=2, trouble=lost_answers, at_once=2, keep={"last": 3}, prune=True, grace="1s")
    # No slots of the calendar, so that they do not show that it was in force.
    stays = history(w, storm.volumes[0], ["2026-06-10T06:00:01Z"], "storm", **{MARK: "never"})
    stays.update(history(w, storm.volumes[1], ["2026-06-10T06:00:02Z"], "another", **{MARK: "2026-06-10T06:00:00Z"}))
    goes, = history(w, storm.volumes[1], ["2026-06-10T06:00:01Z"], "storm").values()
    storm.run()
    for backup in stays.values():
        assert w.sim.backup(backup)["state"] == "AVAILABLE"
    assert w.sim.backup(goes)["deleted"] and w.sim.statistics()["deleted"] > 2
    for volume in storm.volumes:
        made = [s for s in slots(w, volume, "storm", dead=True) if at(s) >= storm.first]
        assert made[-3:] == [s for s in slots(w, volume, "storm") if s in made[-3:]], "one that is kept was deleted"


def settled(w, volumes, h):
    """What the hour's course leads to: its slot is made; of the older ones two are kept, one is marked and one was deleted."""
    for volume in volumes:
        assert slots(w, volume) == [hour(k) for k in range(h - 3, h + 1)], (h, slots(w, volume))
        assert marked(w, volume) == [hour(h - 3)], (h, marks(w, volume))
        every = slots(w, volume, dead=True)
        assert len(every) == len(set(every)), every


def killed_at_each_request(w, lag):
    w.sim.config(listLagSeconds=lag, creatingSeconds=2 * MINUTE, terminatedVisibleSeconds=DAY)
    volumes = [w.sim.add_boot_volume("v%d" % n) for n in range(2)]
    for volume in volumes:
        history(w, volume, [hour(9)], "hourly", **{MARK: "2026-06-10T12:00:00Z"})
        history(w, volume, [hour(10), hour(11), hour(12)], "hourly")
    schedule(w, selector=select(), keep={"last": 2}, prune=True, grace="30m")
    # All in one round: a creation, a mark and a deletion of each.
    to_hour(w, 13)
    w.apply().expect(0)
    asked = len(w.sim.requests())
    settled(w, volumes, 13)
    h = 13
    for fault in ("hang", "process-then-hang"):
        for n in range(asked):
            h += 1
            to_hour(w, h)
            new_host(w)
            w.sim.fault("*", fault, skip=n)
            daemon = w.daemon()
            eventually(lambda: w.sim.faults()[0]["fired"], "request %d" % n)
            daemon.signal(signal.SIGKILL)
            daemon.wait()
            w.daemons.remove(daemon)
            w.sim.clear_faults()
            for _ in range(2):
                new_host(w)
                w.apply()
                w.sim.advance(lag + 5)
            w.apply().expect(0)
            settled(w, volumes, h)
    done = w.sim.statistics()
    assert (done["created"], done["deleted"]) == ((h - 12) * 2, (h - 12) * 2), done
    print("# %d requests, each killed before and after" % asked, flush=True)


@case
def killed_before_and_after_every_request(w):
    killed_at_each_request(w, 0)


@case
def killed_before_and_after_every_request_while_lists_lag(w):
    killed_at_each_request(w, 10)


run(workers=4, start=START)
