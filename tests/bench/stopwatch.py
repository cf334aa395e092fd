"""What the benchmarks share: a folder with a configuration, stopwatches for the program and for its floor, the table.

The floor is curl (one process, one connection, the pages known and signed beforehand), a bare cJSON parse of those
pages, and a bare libyaml event loop over the spec files.
"""
import json
import os
import statistics
import subprocess
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "harness"))
import sim as simulator  # noqa: E402

PAGE = 1000


def processor_seconds(pid):
    """User and system time of another process, in ticks of the kernel (10 ms as a rule)."""
    with open("/proc/%d/stat" % pid) as f:
        words = f.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


class Stopwatch:
    """Runs programs in an environment of their own and measures them. `server`: pid of what they are measured against."""

    def __init__(self, folder, server):
        self.folder, self.server = folder, server
        self.floor_program, self.program = os.environ["BENCH_FLOOR"], os.environ["IMAGEKEEPER"]
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("OCI_CLI", "OS_"))}
        self.environment.update(HOME=folder, NO_COLOR="1", no_proxy="*")
        self.config_file = os.path.join(folder, "imagekeeper.yaml")

    def path(self, name):
        return os.path.join(self.folder, name)

    def measure(self, command, statuses=(0,)):
        """{"wall", "cpu", "rss", "simulator"} of one run; what it printed is in the file `out`."""
        before = processor_seconds(self.server)
        with open(self.path("out"), "w") as out:
            done = subprocess.run([self.floor_program, "measure", self.path("measured")] + command, stdout=out,
                                  stderr=subprocess.PIPE, text=True, env=self.environment)
        if done.returncode not in statuses:
            raise RuntimeError("%s ended with %d\n%s" % (" ".join(command[:2]), done.returncode, done.stderr))
        with open(self.path("measured")) as f:
            measured = json.load(f)
        measured["simulator"] = processor_seconds(self.server) - before
        return measured

    def imagekeeper(self, command, specs, *more, statuses=(0,)):
        return self.measure([self.program, command, "--config", self.config_file, "--specs", specs] + list(more),
                            statuses)


class Bench(Stopwatch):
    def __init__(self, folder, sim, more=""):
        Stopwatch.__init__(self, folder, sim.process.pid)
        self.sim = sim
        self.oci_config = simulator.write_oci_config(folder)
        self.pages, self.bodies = [], []
        with open(self.config_file, "w") as f:
            f.write("specs: none\n%saccounts:\n  - name: prod\n    type: oci\n"
                    "    configFile: %s\n    endpoint: %s\n    caFile: %s\n"
                    % (more, self.oci_config, sim.endpoint, sim.ca_file))

    def floor(self, *words):
        return subprocess.run([self.floor_program] + list(words), stdout=subprocess.PIPE, check=True, text=True,
                              env=self.environment).stdout

    def knows(self, command):
        return subprocess.run([self.program, command, "--help"], env=self.environment, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0

    def plan(self, specs, **expected):
        """`plan -o json`, whose summary must be as expected."""
        expected.setdefault("errors", 0)
        different = sum(expected.get(action, 0) for action in ("create", "update", "delete"))
        measured = self.imagekeeper("plan", specs, "-o", "json", statuses=(2 if different else 0,))
        with open(self.path("out")) as f:
            summary = json.load(f)["summary"]
        if any(summary[name] != value for name, value in expected.items()):
            raise RuntimeError("not the plan that was expected: %s" % summary)
        measured["requests"] = summary["requests"]
        return measured

    # The floor.

    def write_curl_config(self, pages, output):
        with open(self.path("curl.conf"), "w") as f:
            f.write(self.floor("sign", self.oci_config + ".key.pem", simulator.KEY_ID, self.sim.endpoint,
                               self.sim.ca_file, output, *pages))

    def find_pages(self, collection):
        """Adds a list's pages: tokens are opaque and must be followed once. The bodies are kept for cJSON."""
        first = "/20160918/%s?compartmentId=%s&limit=%d" % (collection, simulator.COMPARTMENT, PAGE)
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

    def circumstances(self, files, runs):
        documents, pages = (sum(map(os.path.getsize, paths)) / 1048576 for paths in (files, self.bodies))
        return "documents: %.1f MiB in %d files; pages: %d of %.1f MiB; %d runs of each; %d processors" % (
            documents, len(files), len(self.pages), pages, runs, len(os.sched_getaffinity(0)))


def turns(runs, *things):
    """Lets them take turns, once to warm up and then `runs` times; returns the figures of each."""
    figures = [[] for _ in things]
    for n in range(runs + 1):
        for values, thing in zip(figures, things):
            value = thing()
            if n > 0:
                values.append(value)
    return figures


# --- the table ---

def show(values, unit):
    scale, form = {"s": (1, "%.3f"), "MiB": (1 / 1024, "%.1f"), "": (1, "%d"), "/s": (1, "%d"), "B": (1, "%.1f")}[unit]
    low, middle, high = (form % (v * scale) for v in (min(values), statistics.median(values), max(values)))
    return "%s %s" % (middle, unit) if unit == "" else "%s %s (%s-%s)" % (middle, unit, low, high)


class Table:
    FORM = "%-42s %-26s %-26s %6s  %-9s %s"

    def head(self, title, beside="floor", aim=""):
        print("\n" + (self.FORM % (title, "median (min-max)", beside, "ratio" if beside else "", aim, "")).rstrip())

    def row(self, name, values, unit, floor=None, ratio_aim=None, aim=None, strictly=False):
        value = statistics.median(values)
        ratio = value / statistics.median(floor) if floor and statistics.median(floor) else None
        shown_aim = verdict = ""
        if ratio_aim is not None:
            shown_aim, verdict = "<= %g" % ratio_aim, "met" if ratio <= ratio_aim else "missed"
        elif aim is not None:
            scaled = value / 1024 if unit == "MiB" else value
            good = scaled < aim if strictly else scaled <= aim
            shown_aim = "%s %g %s" % ("<" if strictly else "<=", aim, unit)
            verdict = "met" if good else "missed"
        shown_floor, shown_ratio = show(floor, unit) if floor else "", "%.2f" % ratio if ratio is not None else ""
        print((self.FORM % (name, show(values, unit), shown_floor, shown_ratio, shown_aim.rstrip(), verdict)).rstrip(),
              flush=True)


def column(runs, key):
    return [run[key] for run in runs]


def total(key, *parts):
    """Run by run, the sum of the floor's parts."""
    return [sum(part[key] for part in run) for run in zip(*parts)]


def plan_beside_floor(bench, table, title, specs, files, runs, expected, aims):
    """The floor and the plan take turns. `aims`, each of which may be missing: "wall", "peak" and "requests"."""
    curls, jsons, yamls, plans = turns(runs, bench.fetch, bench.json, lambda: bench.yaml(files),
                                       lambda: bench.plan(specs, **expected))
    parts = curls, jsons, yamls
    table.head(title, aim="aim" if aims else "")
    table.row("wall", column(plans, "wall"), "s", floor=total("wall", *parts), ratio_aim=aims.get("wall"))
    table.row("wall, beside curl alone", column(plans, "wall"), "s", floor=column(curls, "wall"))
    table.row("user+sys CPU", column(plans, "cpu"), "s", floor=total("cpu", *parts))
    table.row("peak RSS", column(plans, "rss"), "MiB", aim=aims.get("peak"), strictly=True)
    table.row("requests (%d pages)" % len(bench.pages), column(plans, "requests"), "", aim=aims.get("requests"))
    table.row("the simulator's CPU meanwhile", column(plans, "simulator"), "s", floor=column(curls, "simulator"))
    for name, values in (("curl", curls), ("cJSON", jsons), ("libyaml", yamls)):
        table.row("of the floor: %s, wall" % name, column(values, "wall"), "s")
        table.row("of the floor: %s, CPU" % name, column(values, "cpu"), "s")


def for_information(table, title, figures):
    table.head(title, beside="")
    table.row("wall", column(figures, "wall"), "s")
    table.row("user+sys CPU", column(figures, "cpu"), "s")
    table.row("peak RSS", column(figures, "rss"), "MiB")
    if "requests" in figures[0]:
        table.row("requests", column(figures, "requests"), "")
