#!/usr/bin/env python3
"""Measures imagekeeper with 10,000 images against the simulator, beside the bare libraries in the same run.

Floor and program take turns; medians are told. The exit status is 0 whatever the figures are.
"""
import argparse
import os
import tempfile

from stopwatch import PAGE, Bench, Table, column, for_information, plan_beside_floor, simulator, turns

DOCUMENTS_A_FILE = 1000
SYSTEMS = [("Oracle Linux", "9"), ("Oracle Linux", "8"), ("Canonical Ubuntu", "24.04"), ("Windows", "Server 2022")]


# --- what is there, and what is declared ---

def image_id(n):
    return "ocid1.image.oc1.phx.aaaaaaaa%052d" % n


def attributes(n):
    system, version = SYSTEMS[n % len(SYSTEMS)]
    return {"displayName": "%s golden %05d" % (system, n), "operatingSystem": system, "operatingSystemVersion": version,
            "freeformTags": {"team": "base", "tier": "golden"},
            "definedTags": {"Ops": {"CostCenter": str(n % 97)}}}


def add_images(sim, count):
    for first in range(0, count, PAGE):
        images = []
        for n in range(first, min(first + PAGE, count)):
            image = dict(attributes(n), id=image_id(n), compartmentId=simulator.COMPARTMENT)
            image["definedTags"]["Oracle-Tags"] = {"CreatedBy": "pipeline", "CreatedOn": "2026-01-01T00:00:00.000Z"}
            images.append(image)
        sim.add_images(images)


DOCUMENT = """\
---
apiVersion: imagekeeper/v1
kind: OciImage
metadata:
  name: %(name)s
spec:
  account: prod
  %(target)s
  displayName: %(displayName)s
  operatingSystem: %(operatingSystem)s
  operatingSystemVersion: %(operatingSystemVersion)s
  freeformTags: {team: %(team)s, tier: golden, legacy: null}
  definedTags: {Ops: {CostCenter: "%(cost)s"}}
"""

SELECTOR = """\
apiVersion: imagekeeper/v1
kind: OciImage
metadata: {name: all}
spec:
  account: prod
  selector: {compartmentId: %s, freeformTags: {team: base}}
  freeformTags: {tier: golden}
"""


def write_documents(folder, count, team):
    """One document an image, in several files; returns the files."""
    os.mkdir(folder)
    files = []
    for first in range(0, count, DOCUMENTS_A_FILE):
        files.append(os.path.join(folder, "images-%05d.yaml" % first))
        with open(files[-1], "w") as f:
            for n in range(first, min(first + DOCUMENTS_A_FILE, count)):
                want = attributes(n)
                f.write(DOCUMENT % dict(want, name="image-%05d" % n, target="imageId: " + image_id(n), team=team,
                                        cost=want["definedTags"]["Ops"]["CostCenter"]))
    return files


# --- the benchmarks ---

def bench_validate(bench, table, specs, files, runs):
    yamls, loads = turns(runs, lambda: bench.yaml(files), lambda: bench.imagekeeper("validate", specs))
    table.head("validate, one document an image", aim="aim")
    table.row("wall", column(loads, "wall"), "s", floor=column(yamls, "wall"), ratio_aim=2)
    table.row("user+sys CPU", column(loads, "cpu"), "s", floor=column(yamls, "cpu"), ratio_aim=2)
    table.row("peak RSS", column(loads, "rss"), "MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=10000, help="how many (10000)")
    parser.add_argument("--runs", type=int, default=5, help="of each, after one to warm up (5)")
    parser.add_argument("--keep", metavar="FOLDER", help="put specs, pages and configuration there and leave them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ik-bench-") as temporary:
        folder = options.keep or temporary
        os.makedirs(folder, exist_ok=True)
        with simulator.Simulator() as sim:
            bench, table, count, runs = Bench(folder, sim), Table(), options.images, options.runs
            add_images(sim, count)
            specs, drifted, selector = bench.path("specs"), bench.path("drifted"), bench.path("selector.yaml")
            files = write_documents(specs, count, "base")
            write_documents(drifted, count, "other")
            with open(selector, "w") as f:
                f.write(SELECTOR % simulator.COMPARTMENT)
            bench.find_pages("images")
            print("%d images; %s" % (count, bench.circumstances(files, runs)))
            plan_beside_floor(bench, table, "plan, one document an image, none drifted", specs, files, runs,
                              {"objects": count, "update": 0},
                              {"wall": 1.5, "peak": 48, "requests": len(bench.pages) + 2})
            bench_validate(bench, table, specs, files, runs)
            for title, path, changes in (("plan, one selector for all, none drifted", selector, 0),
                                         ("plan, one document an image, all drifted", drifted, count)):
                for_information(table, title, *turns(runs, lambda: bench.plan(path, objects=count, update=changes)))


main()
