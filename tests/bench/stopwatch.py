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


class Bench:
    def __init__(self, folder, sim, more=""):
        self.folder, self.sim = folder, sim
        self.floor_program, self.program = os.environ["BENCH_FLOOR"], os.environ["IMAGEKEEPER"]
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("OCI_CLI")}
        self.environment.update(HOME=folder, NO_COLOR="1", no_proxy="*")
        self.oci_config = simulator.write_oci_config(folder)
        self.config_file = os.path.join(folder, "imagekeeper.yaml")
        self.pages, self.bodies = [], []
        with open(self.config_file, "w") as f:
            f.write("specs: none\n%saccounts:\n  - name: prod\n    type: oci\n"
                    "    configFile: %s\n    endpoint: %s\n    caFile: %s\n"
                    % (more, self.oci_config, sim.endpoint, sim.ca_file))

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

    def imagekeeper(self, command, specs, *more, statuses=(0,)):
        return self.measure([self.program, command, "--config", self.config_file, "--specs", specs] + list(more),
                            statuses)

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
        """Adds the targets of a list's pages: tokens are opaque and must be followed once. Bodies are kept for cJSON."""
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

    def head(self, title, beside="floor"):
        print("\n" + (self.FORM % (title, "median (min-max)", beside, "ratio" if beside else "", "aim", "")).rstrip())
