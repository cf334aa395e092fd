#!/usr/bin/env python3
"""Measures schedules against the simulator: a round over 300,000 backups in which nothing is to do, beside the bare
libraries in the same run; memory among backups that no schedule claims; how fast slots are computed.

Floor and program take turns; medians are told. The exit status is 0 whatever the figures are.
"""
import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time

from stopwatch import Bench, Table, column, for_information, plan_beside_floor, simulator, turns

DAY = 86400
VOLUMES = 10  # that a schedule takes
SINCE_NEWEST = 6 * 3600  # so that no slot falls due meanwhile
DOCUMENTS_A_FILE = 100
UNCLAIMED_VOLUMES = 1000  # however many backups they have
SECONDS_AN_EXPRESSION = 0.2

DOCUMENT = """\
---
apiVersion: imagekeeper/v1
kind: OciBootVolumeBackupSchedule
metadata: {name: %(name)s}
spec:
  account: prod
  selector: {compartmentId: %(compartment)s, freeformTags: {group: %(group)s}}
  onCalendar: "*-*-* %(hour)02d:00:00"
  timeZone: Asia/Tokyo
  randomizedDelay: 15m
  type: INCREMENTAL
  displayName: "{volume}-{slot}"
  freeformTags: {made-by: imagekeeper}
  keep: {last: 3, daily: %(backups)d, weekly: 4, monthly: 12}
  prune: true
"""


def rfc3339(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class World:
    """Daily slots, the newest of which is some hours ago; every backup of every slot is there."""

    def __init__(self, sim, backups):
        self.sim, self.backups = sim, backups
        self.newest = (int(time.time()) - SINCE_NEWEST) // 3600 * 3600
        self.first = self.newest - (backups - 1) * DAY

    def add_group(self, n):
        """The volumes that a schedule takes; its backups bear the volumes' tag, too, as the cloud copies those."""
        tag = {"group": "g%04d" % n}
        self._generate("g%04dv" % n, VOLUMES, self.backups, tag,
                       dict(tag, imagekeeper="nightly-%04d@{time}" % n, **{"made-by": "imagekeeper"}))

    def add_unclaimed(self, count):
        """Of volumes that no schedule takes; half were made by hand, half by a schedule that is declared no more."""
        half = UNCLAIMED_VOLUMES // 2
        for prefix, tags in (("hand", {"team": "base"}), ("gone", {"imagekeeper": "gone@{time}", "team": "base"})):
            self._generate(prefix, half, count // UNCLAIMED_VOLUMES, {"group": "none"}, tags)

    def _generate(self, prefix, volumes, backups, volume_tags, backup_tags):
        self.sim.generate_backups(volumes, backups, prefix="aaaaaaaa" + prefix, volumeName="db-%s{volume}" % prefix,
                                  backupName="db-%s{volume}-{time}" % prefix, baseTime=rfc3339(self.first),
                                  stepSeconds=DAY, backup={"freeformTags": backup_tags},
                                  volume={"freeformTags": volume_tags, "timeCreated": rfc3339(self.first - DAY)})

    def write_documents(self, folder, count):
        """In several files, as old as the first slot; returns the files."""
        os.mkdir(folder)
        files = []
        for first in range(1, count + 1, DOCUMENTS_A_FILE):
            files.append(os.path.join(folder, "schedules-%04d.yaml" % first))
            with open(files[-1], "w") as f:
                for n in range(first, min(first + DOCUMENTS_A_FILE, count + 1)):
                    f.write(DOCUMENT % {"name": "nightly-%04d" % n, "group": "g%04d" % n, "backups": self.backups,
                                        "compartment": simulator.COMPARTMENT,
                                        "hour": time.gmtime(self.newest + 9 * 3600).tm_hour})
            os.utime(files[-1], (self.first - 3600, self.first - 3600))
        return files


# --- the benchmarks ---

CONFIGURATION = "limits: {maxChanges: 1000000}\n"


def in_sync(schedules):
    objects = schedules * VOLUMES
    return {"declared": schedules, "objects": objects, "inSync": objects, "create": 0, "update": 0, "delete": 0}


def bench_round(folder, table, schedules, backups, runs):
    with simulator.Simulator() as sim:
        world, bench = World(sim, backups), Bench(folder, sim, CONFIGURATION)
        for n in range(1, schedules + 1):
            world.add_group(n)
        specs = bench.path("specs")
        files = world.write_documents(specs, schedules)
        bench.find_pages("bootVolumes")
        bench.find_pages("bootVolumeBackups")
        print("%d schedules of %d volumes each, %d backups a volume; %s" % (
            schedules, VOLUMES, backups, bench.circumstances(files, runs)))
        plan_beside_floor(bench, table, "plan, all slots made, nothing to go", specs, files, runs, in_sync(schedules),
                          {})
        if bench.knows("calendar"):
            for_information(table, "calendar --offline",
                            *turns(runs, lambda: bench.imagekeeper("calendar", specs, "--offline", "-o", "json")))


def unclaimed_peaks(folder, schedules, backups, unclaimed, runs):
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    with simulator.Simulator() as sim:
        world, bench = World(sim, backups), Bench(folder, sim, CONFIGURATION)
        for n in range(1, schedules + 1):
            world.add_group(n)
        world.add_unclaimed(unclaimed)
        world.write_documents(bench.path("specs"), schedules)
        plans, = turns(runs, lambda: bench.plan(bench.path("specs"), **in_sync(schedules)))
        return plans


def bench_unclaimed(folder, table, backups, numbers, runs):
    few, many = (unclaimed_peaks(folder, 10, backups, number, runs) for number in numbers)
    growth = [a - b for a, b in zip(column(many, "rss"), column(few, "rss"))]
    table.head("plan, 10 schedules among what none claims", beside="among %d" % numbers[0])
    for name, key, unit in (("wall", "wall", "s"), ("peak RSS", "rss", "MiB"), ("requests", "requests", "")):
        table.row("%s, among %d backups" % (name, numbers[1]), column(many, key), unit, floor=column(few, key))
    table.row("peak RSS grew by", growth, "MiB")
    table.row("  for each unclaimed backup", [value * 1024 / (numbers[1] - numbers[0]) for value in growth], "B")


def bench_slots(table, runs):
    def slots():
        told = subprocess.run([os.environ["BENCH_SLOTS"], str(SECONDS_AN_EXPRESSION)], stdout=subprocess.PIPE,
                              check=True, text=True).stdout
        return [json.loads(line) for line in told.splitlines()]

    figures, = turns(runs, slots)
    table.head("slots a second of one processor", beside="")
    for key, name in (("next", "next slot"), ("previous", "slot before")):
        slowest = min(figures[0], key=lambda expression: expression[key])
        table.row("%s, slowest of %d expressions" % (name, len(figures[0])),
                  [min(column(expressions, key)) for expressions in figures], "/s")
        print("    (%s %s)" % (slowest["text"], slowest["zone"]))
        table.row("%s, all of them in turn" % name,
                  [len(expressions) / sum(1 / value for value in column(expressions, key)) for expressions in figures],
                  "/s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=1000, help="how many (1000)")
    parser.add_argument("--backups", type=int, default=30, help="a volume (30)")
    parser.add_argument("--unclaimed", type=int, nargs=2, default=(3000, 300000), help="backups (3000 300000)")
    parser.add_argument("--runs", type=int, default=3, help="of each, after one to warm up (3)")
    parser.add_argument("--keep", metavar="FOLDER", help="put specs, pages and configuration there and leave them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ik-bench-") as temporary:
        folder = options.keep or temporary
        os.makedirs(folder, exist_ok=True)
        table = Table()
        bench_round(folder, table, options.schedules, options.backups, options.runs)
        bench_unclaimed(os.path.join(folder, "unclaimed"), table, options.backups, options.unclaimed, options.runs)
        bench_slots(table, options.runs)


main()
