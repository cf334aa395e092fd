#!/usr/bin/env python3
"""Measures imagekeeper with 10,000 images against the simulator, beside the bare libraries in the same run.

The floor of a plan is curl (one process, one connection, the pages known and signed beforehand), a bare cJSON parse of
those pages, and a bare libyaml event loop over the spec files. Floor and program take turns; medians are told. The exit
status is 0 whatever the figures are.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "harness"))
import sim as simulator  # noqa: E402

PAGE = 1000
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


# --- running and measuring ---

def processor_seconds(pid):
    """User and system time of another process, in ticks of the kernel (10 ms as a rule)."""
    with open("/proc/%d/stat" % pid) as f:
        words = f.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


class Bench:
    def __init__(self, folder, sim, count):
        self.folder, self.sim, self.count = folder, sim, count
        self.floor_program, self.program = os.environ["BENCH_FLOOR"], os.environ["IMAGEKEEPER"]
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("OCI_CLI")}
        self.environment.update(HOME=folder, NO_COLOR="1", no_proxy="*")
        self.oci_config = simulator.write_oci_config(folder)
        self.config_file = os.path.join(folder, "imagekeeper.yaml")
        self.pages, self.bodies = [], []
        with open(self.config_file, "w") as f:
            f.write("specs: none\naccounts:\n  - name: prod\n    type: oci\n"
                    "    configFile: %s\n    endpoint: %s\n    caFile: %s\n"
                    % (self.oci_config, sim.endpoint, sim.ca_file))

    def path(self, name):
        return os.path.join(self.folder, name)

    def floor(self, *words):
        return subprocess.run([self.floor_program] + list(words), stdout=subprocess.PIPE, check=True, text=True,
                              env=self.environment).stdout

    def measure(self, command, statuses=(0,)):
        """{"wall", "cpu", "rss", "simulator"} of one run; what it printed is in the file `out`."""
        before = processor_seconds(self.sim.process.pid)
        with open(self.path("out"), "w") as out:
            done = subprocess.run([self.floor_program, "measure", self.path("measured")] + command, stdout=out,
                                  stderr=subprocess.PIPE, text=True, env=self.environment)
        if done.returncode not in statuses:
            raise RuntimeError("%s ended with %d\n%s" % (" ".join(command[:2]), done.returncode, done.stderr))
        with open(self.path("measured")) as f:
            measured = json.load(f)
        measured["simulator"] = processor_seconds(self.sim.process.pid) - before
        return measured

    def imagekeeper(self, command, specs, statuses=(0,)):
        return self.measure([self.program, command, "--config", self.config_file, "--specs", specs], statuses)

    def plan(self, specs, changes):
        """`plan -o json`, whose summary must be as expected."""
        measured = self.measure([self.program, "plan", "-o", "json", "--config", self.config_file, "--specs", specs],
                                (2 if changes else 0,))
        with open(self.path("out")) as f:
            summary = json.load(f)["summary"]
        if (summary["objects"], summary["update"], summary["errors"]) != (self.count, changes, 0):
            raise RuntimeError("not the plan that was expected: %s" % summary)
        measured["requests"] = summary["requests"]
        return measured

    # The floor.

    def write_curl_config(self, pages, output):
        with open(self.path("curl.conf"), "w") as f:
            f.write(self.floor("sign", self.oci_config + ".key.pem", simulator.KEY_ID, self.sim.endpoint,
                               self.sim.ca_file, output, *pages))

    def find_pages(self):
        """The targets of all pages: tokens are opaque and must be followed once. The bodies are kept for cJSON."""
        first = "/20160918/images?compartmentId=%s&limit=%d" % (simulator.COMPARTMENT, PAGE)
        target = first
        while target:
            headers, body = self.path("headers"), self.path("page-%d.json" % len(self.pages))
            self.write_curl_config([target], body)
            subprocess.run(["curl", "-q", "-K", self.path("curl.conf"), "-D", headers], check=True,
                           env=self.environment)
            self.pages.append(target)
            self.bodies.append(body)
            with open(headers) as f:
                tokens = [line.split(":", 1)[1].strip() for line in f if line.lower().startswith("opc-next-page:")]
            target = tokens and first + "&page=" + urllib.parse.quote(tokens[0], safe="")

    def fetch(self):
        self.write_curl_config(self.pages, "/dev/null")  # afresh, because a signature ages; not timed
        return self.measure(["curl", "-q", "-K", self.path("curl.conf")])

    def json(self):
        return json.loads(self.floor("json", *self.bodies))

    def yaml(self, files):
        return json.loads(self.floor("yaml", *files))


# --- the table ---

def show(values, unit):
    scale, form = {"s": (1, "%.3f"), "MiB": (1 / 1024, "%.1f"), "": (1, "%d")}[unit]
    low, middle, high = (form % (v * scale) for v in (min(values), statistics.median(values), max(values)))
    return "%s %s" % (middle, unit) if unit == "" else "%s %s (%s-%s)" % (middle, unit, low, high)


class Table:
    FORM = "%-42s %-26s %-26s %6s  %-9s %s"

    def head(self, title):
        print("\n" + self.FORM % (title, "median (min-max)", "floor", "ratio", "aim", ""))

    def row(self, name, values, unit, floor=None, ratio_aim=None, aim=None, strictly=False):
        value = statistics.median(values)
        ratio = value / statistics.median(floor) if floor else None
        shown_aim = verdict = ""
        if ratio_aim is not None:
            shown_aim, verdict = "<= %g" % ratio_aim, "met" if ratio <= ratio_aim else "missed"
        elif aim is not None:
            scaled = value / 1024 if unit == "MiB" else value
            good = scaled < aim if strictly else scaled <= aim
            shown_aim = "%s %g %s" % ("<" if strictly else "<=", aim, unit)
            verdict = "met" if good else "missed"
        shown_floor, shown_ratio = (show(floor, unit), "%.2f" % ratio) if floor else ("", "")
        print((self.FORM % (name, show(values, unit), shown_floor, shown_ratio, shown_aim.rstrip(), verdict)).rstrip(),
              flush=True)


def column(runs, key):
    return [run[key] for run in runs]


def total(key, *parts):
    """Run by run, the sum of the floor's parts."""
    return [sum(part[key] for part in run) for run in zip(*parts)]


def bench_plan(bench, table, specs, files, runs):
    plans, curls, jsons, yamls = [], [], [], []
    for n in range(runs + 1):  # the first warms up
        turn = bench.fetch(), bench.json(), bench.yaml(files), bench.plan(specs, 0)
        if n > 0:
            for values, value in zip((curls, jsons, yamls, plans), turn):
                values.append(value)
    parts = curls, jsons, yamls
    table.head("plan, one document an image, none drifted")
    table.row("wall", column(plans, "wall"), "s", floor=total("wall", *parts), ratio_aim=1.5)
    table.row("user+sys CPU", column(plans, "cpu"), "s", floor=total("cpu", *parts))
    table.row("peak RSS", column(plans, "rss"), "MiB", aim=48, strictly=True)
    table.row("requests (%d pages)" % len(bench.pages), column(plans, "requests"), "", aim=len(bench.pages) + 2)
    table.row("the simulator's CPU meanwhile", column(plans, "simulator"), "s", floor=column(curls, "simulator"))
    for name, values in (("curl", curls), ("cJSON", jsons), ("libyaml", yamls)):
        table.row("of the floor: %s, wall" % name, column(values, "wall"), "s")
        table.row("of the floor: %s, CPU" % name, column(values, "cpu"), "s")


def bench_validate(bench, table, specs, files, runs):
    loads, yamls = [], []
    for n in range(runs + 1):
        turn = bench.yaml(files), bench.imagekeeper("validate", specs)
        if n > 0:
            yamls.append(turn[0])
            loads.append(turn[1])
    table.head("validate, one document an image")
    table.row("wall", column(loads, "wall"), "s", floor=column(yamls, "wall"), ratio_aim=2)
    table.row("user+sys CPU", column(loads, "cpu"), "s", floor=column(yamls, "cpu"), ratio_aim=2)
    table.row("peak RSS", column(loads, "rss"), "MiB")


def bench_for_information(bench, table, title, specs, changes, runs):
    plans = [bench.plan(specs, changes) for _ in range(runs + 1)][1:]
    table.head(title)
    table.row("wall", column(plans, "wall"), "s")
    table.row("user+sys CPU", column(plans, "cpu"), "s")
    table.row("peak RSS", column(plans, "rss"), "MiB")
    table.row("requests", column(plans, "requests"), "")


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
            add_images(sim, options.images)
            bench, table = Bench(folder, sim, options.images), Table()
            specs, drifted, selector = bench.path("specs"), bench.path("drifted"), bench.path("selector.yaml")
            files = write_documents(specs, options.images, "base")
            write_documents(drifted, options.images, "other")
            with open(selector, "w") as f:
                f.write(SELECTOR % simulator.COMPARTMENT)
            bench.find_pages()
            documents, pages = (sum(map(os.path.getsize, paths)) / 1048576 for paths in (files, bench.bodies))
            print("%d images; documents: %.1f MiB in %d files; pages: %d of %.1f MiB; %d runs of each; %d processors" % (
                options.images, documents, len(files), len(bench.pages), pages, options.runs,
                len(os.sched_getaffinity(0))))
            bench_plan(bench, table, specs, files, options.runs)
            bench_validate(bench, table, specs, files, options.runs)
            bench_for_information(bench, table, "plan, one selector for all, none drifted", selector, 0, options.runs)
            bench_for_information(bench, table, "plan, one document an image, all drifted", drifted, options.images,
                                  options.runs)


main()
