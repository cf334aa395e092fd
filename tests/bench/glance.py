#!/usr/bin/env python3
"""Measures imagekeeper with 200 images on a real Glance, beside what else there is for it, in the same run:

curl            a login, and then the very requests that imagekeeper sent to Glance; one process that sends as many at a time
                as imagekeeper does (and a shell with sed that hands the token on)
openstacksdk    a script that lists and updates what differs, one after another
openstack       `openstack image show` or `set`, a process for each image: of some images, multiplied

They take turns on one fresh database; before each turn the images are made to drift again. Requests are counted by the servers.
The exit status is 0 whatever the figures are.
"""
import argparse
import json
import os
import sqlite3
import statistics
import sys
import tempfile

from stopwatch import Stopwatch, turns

import openstack  # the harness, whose folder stopwatch.py has added

CONCURRENCY = 8
HERE = os.path.dirname(os.path.abspath(__file__))
WANT = {"hw_disk_bus": "scsi", "os_distro": "debian", "owner_team": "base"}
ATTRIBUTES = dict(WANT, min_ram=512)

DOCUMENT = """\
---
apiVersion: imagekeeper/v1
kind: GlanceImage
metadata: {name: %s}
spec:
  account: lab
  imageId: %s
  min_ram: 512
  properties: {hw_disk_bus: scsi, os_distro: debian, owner_team: base}
"""


class GlanceBench(Stopwatch):
    def __init__(self, folder, cloud, count):
        Stopwatch.__init__(self, folder, cloud.glance.server.process.pid)
        self.cloud, self.sent = cloud, []
        self.clouds = cloud.write_clouds_yaml(self.path("clouds.yaml"))
        self.environment["OS_CLIENT_CONFIG_FILE"] = self.clouds
        self.images = [cloud.create_image("golden %03d" % n, **ATTRIBUTES) for n in range(count)]
        self.specs = self.path("specs.yaml")
        openstack.write(self.specs, "".join(DOCUMENT % ("i%03d" % n, image) for n, image in enumerate(self.images)))
        openstack.write(self.path("want.json"), json.dumps({image: ATTRIBUTES for image in self.images}))
        openstack.write(self.config_file, "specs: none\nlimits: {maxChanges: %d}\naccounts:\n  - name: lab\n    type: openstack\n    cloud: lab\n"
                        "    cloudsFile: %s\n    maxConcurrency: %d\n" % (count + 1, self.clouds, CONCURRENCY))

    def drift(self, images):
        """Past the API, which would take longer than what is measured; images that nobody has touched for a minute."""
        with sqlite3.connect(self.cloud.glance.database, timeout=60) as database:
            for image in images:
                database.execute("UPDATE image_properties SET value = 'virtio' WHERE image_id = ? AND name = 'hw_disk_bus'", (image,))
                database.execute("UPDATE images SET min_ram = 0, updated_at = datetime('now', '-1 minute') || '.000000' WHERE id = ?", (image,))

    def count(self):
        """Requests so far, without those with which Glance asks Keystone whether a token is good."""
        return len(self.cloud.requests()) + sum(r["path"] != "/v3/auth/tokens" or r["method"] == "POST" for r in self.cloud.auth_requests())

    def counted(self, images, run):
        """One turn: drift, run, and that everything is as it should be afterwards."""
        self.drift(images)
        before = self.count()
        figures = run()
        figures["requests"] = self.count() - before
        live = self.cloud.list()
        wrong = [image for image in images if any(live[image].get(name) != value for name, value in ATTRIBUTES.items())]
        if wrong:
            raise RuntimeError("%d images are not as they should be" % len(wrong))
        return figures

    def ours(self, images):
        def run():
            before = len(self.cloud.requests())
            figures = self.imagekeeper("apply", self.specs, "-o", "json")
            self.sent = self.cloud.requests()[before:]
            return figures
        return self.counted(images, run)

    def curl(self, images):
        script = self.write_curl(self.sent)
        return self.counted(images, lambda: self.measure(["/bin/sh", script]))

    def write_curl(self, requests):
        parts = []
        for r in requests:
            target = r["path"] + ("?" + r["query"] if r["query"] else "")
            parts.append('url = "%s%s"\nheader = "x-auth-token: @TOKEN@"\noutput = /dev/null\n' % (self.cloud.image_url, target))
            if r["method"] == "PATCH":
                parts[-1] += 'request = PATCH\nheader = "content-type: %s"\ndata = %s\n' % (openstack.PATCH_TYPE, json.dumps(json.dumps(r["sent"])))
        openstack.write(self.path("curl.template"), "silent\nshow-error\nfail\nparallel\nparallel-max = %d\n" % CONCURRENCY + "next\n".join(parts))
        user = {"name": openstack.USER, "domain": {"name": "Default"}, "password": openstack.USER_PASSWORD}
        login = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}},
                          "scope": {"project": {"name": openstack.PROJECT, "domain": {"name": "Default"}}}}}
        openstack.write(self.path("login.json"), json.dumps(login))
        script = self.path("curl.sh")
        openstack.write(script, """\
token=$(curl -q -sS -f -o /dev/null -D - -H 'content-type: application/json' -d @%s %s/auth/tokens | tr -d '\\r' | sed -n 's/^X-Subject-Token: //Ip')
sed "s|@TOKEN@|$token|" %s >%s
exec curl -q -K %s
""" % (self.path("login.json"), self.cloud.auth_url, self.path("curl.template"), self.path("curl.conf"), self.path("curl.conf")))
        return script

    def sdk(self, images):
        return self.counted(images, lambda: self.measure(["/usr/bin/python3", os.path.join(HERE, "glance-sdk.py"), self.path("want.json")]))

    def client(self, images, sample):
        """`openstack` for each of `sample` images, as if it were for all: what is to be set, or else looked at."""
        few = (images or self.images)[:sample]
        setting = ["set", "--min-ram", "512"] + [word for name, value in WANT.items() for word in ("--property", "%s=%s" % (name, value))]
        command = ["/usr/bin/openstack", "--os-cloud", "lab", "image"] + (setting if images else ["show", "-f", "json"])

        def run():
            each = [self.measure(command + [image]) for image in few]
            return {"wall": sum(e["wall"] for e in each), "cpu": sum(e["cpu"] for e in each), "rss": max(e["rss"] for e in each)}
        figures = self.counted(few if images else [], run)
        factor = len(images or self.images) / len(few)
        return dict(figures, **{name: figures[name] * factor for name in ("wall", "cpu", "requests")})


FORM = "%-34s %-26s %-26s %9s %9s"
AIMS = [("curl", "wall", 1.2), ("openstacksdk", "cpu", 0.1), ("openstack", "cpu", 0.1)]


def show(name, figures):
    column = lambda key, scale=1: [f[key] * scale for f in figures]
    spread = lambda values: "%.3f (%.3f-%.3f)" % (statistics.median(values), min(values), max(values))
    print(FORM % (name, spread(column("wall")), spread(column("cpu")), "%.1f" % statistics.median(column("rss", 1 / 1024)),
                  "%d" % statistics.median(column("requests"))), flush=True)


def compare(figures):
    median = lambda who, key: statistics.median(f[key] for f in figures[who])
    for other in list(figures)[1:]:
        ratios = {key: median("imagekeeper", key) / median(other, key) for key in ("wall", "cpu", "rss", "requests")}
        aims = ["%s <= %g %s" % (key, aim, "met" if ratios[key] <= aim else "missed") for who, key, aim in AIMS if who == other]
        print("  imagekeeper / %-18s wall %-8.3f CPU %-8.4f peak %-8.3f requests %-8.3f %s" %
              (other, ratios["wall"], ratios["cpu"], ratios["rss"], ratios["requests"], "; ".join(aims)), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=200, help="how many (200)")
    parser.add_argument("--runs", type=int, default=5, help="of each, after one to warm up (5)")
    parser.add_argument("--sample", type=int, default=5, help="images that `openstack` is measured with (5)")
    options = parser.parse_args()
    if openstack.requires():
        print("no benchmark with Glance: " + openstack.requires())
        return
    with tempfile.TemporaryDirectory(prefix="ik-bench-") as folder, openstack.OpenStack() as cloud:
        bench = GlanceBench(folder, cloud, options.images)
        print("%d images on Glance, a document for each; %d runs of each, %d at a time; `openstack` for %d images, multiplied; %d processors" %
              (options.images, options.runs, CONCURRENCY, options.sample, len(os.sched_getaffinity(0))))
        for title, drifted in (("none drifted", 0), ("10 drifted", 10), ("all drifted", options.images)):
            images = bench.images[:drifted]
            runs = turns(options.runs, lambda: bench.ours(images), lambda: bench.curl(images), lambda: bench.sdk(images),
                         lambda: bench.client(images, options.sample))
            figures = dict(zip(("imagekeeper", "curl", "openstacksdk", "openstack"), runs))
            print("\n" + FORM % (title, "wall s (min-max)", "CPU s (min-max)", "peak MiB", "requests"))
            for who in figures:
                show(who, figures[who])
            compare(figures)


sys.stdout.reconfigure(line_buffering=True)
main()
