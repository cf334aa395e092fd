#!/usr/bin/env python3
"""The daemon for many rounds, in which everything that can happen to it does: nothing is left behind by any of it.

    make soak                  # 10,000 rounds; ROUNDS= says how many, TELL=1 what each sort of incident took

The rounds are those that the daemon tells of. Drift, faults, reloads, edits and a clock that goes on are the same in each run; between them everything
is in sync again, and what the daemon holds is written down. In the end that must be no more than it was in the second quarter.
"""
import contextlib
import itertools
import os
import re
import signal
import statistics
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import schedule
from case import *
from openstack_world import GlanceWorld, glance_image_id

ROUNDS = int(os.environ.get("ROUNDS", "1000"))
MINUTE = 60
IMAGES, FLEET, CLOUD_IMAGES, GLANCE_IMAGES = 8, 6, 6, 3
LANES = 2  # of the daemon: rounds at the endpoint of two clouds, and at that of the third
BY_PASSWORD = 4  # images of Huawei Cloud from this number on are of the account that has a password
UNWRITTEN = "(status.json|metrics.prom): cannot be written"
RUNTIME_BYTES, RUNTIME_INODES = 512 * 1024, 64
# What may be left of all rounds: the allocator's own ups and downs, whatever the number of rounds, and next to nothing for each of them.
HEAP_SLACK, RESIDENT_SLACK = 96 * 1024, 2 * 1024 * 1024
HEAP_A_ROUND = 2  # bytes
ENTRIES_A_ROUND = 2
SOCKETS = 4 * 8 + 4  # each account has its maxConcurrency of connections, which may be kept open


def own_mounts():
    """Starts this program again where it may mount something that nobody else sees; False: it may not."""
    if os.environ.get("IK_IN_NAMESPACE"):
        return True
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        return False
    os.environ["IK_IN_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable] + sys.argv)


class Everywhere(World, ImsWorld, GlanceWorld):
    """Three clouds and four accounts, and a runtime folder that can be filled up."""

    def prepare(self):
        for world in (World, ImsWorld, GlanceWorld):
            world.prepare(self)
        self.runtime = os.path.join(self.folder, "run")
        self.heap_file = os.path.join(self.folder, "heap")
        os.mkdir(self.runtime)
        with open(self.heap_file, "wb") as f:
            f.write(bytes(8))
        self.environment.update(RUNTIME_DIRECTORY=self.runtime, HEAP_SHIM_FILE=self.heap_file,
                                LD_PRELOAD=self.environment["LD_PRELOAD"] + ":" + preloaded("heap-shim.c"))
        if MOUNTS:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d,nr_inodes=%d" % (RUNTIME_BYTES, RUNTIME_INODES), "tmpfs", self.runtime], check=True)

    def check(self):
        GlanceWorld.check(self)
        if MOUNTS:
            subprocess.run(["umount", self.runtime], check=True)

    def account(self, ca_file=None):
        oci = World.account(self)
        return "".join([oci.replace(self.sim.ca_file, ca_file or self.sim.ca_file), ImsWorld.account(self), ImsWorld.account(self, "iam", "password"),
                        GlanceWorld.account(self)])

    def declare(self, edition=1):
        """All specs; each edition wants other tags."""
        for n in range(1, IMAGES + 1):
            World.spec(self, "o%d" % n, target=image_id(n), displayName="golden %d" % n, freeformTags={"edition": str(edition)})
        World.spec(self, "fleet", selector={"displayName": "fleet *"}, freeformTags={"tier": "gold"})
        for n in range(1, CLOUD_IMAGES + 1):
            ImsWorld.spec(self, "h%d" % n, target=cloud_image_id(n), account="iam" if n >= BY_PASSWORD else "hw", name="golden %d" % n)
        for n in range(1, GLANCE_IMAGES + 1):
            GlanceWorld.spec(self, "g%d" % n, target=glance_image_id(n), properties={"edition": str(edition)})

    def fill(self):
        for n in range(1, IMAGES + 1):
            World.image(self, n)
        for n in range(1, FLEET + 1):
            World.image(self, 100 + n, displayName="fleet %d" % n)
        for n in range(1, CLOUD_IMAGES + 1):
            ImsWorld.image(self, n)
        for n in range(1, GLANCE_IMAGES + 1):
            GlanceWorld.image(self, n)

    def is_as_declared(self, edition):
        images, cloud, glance = self.sim.images(), self.sim.cloud_images(), self.sim.glance_images()
        return (all(images[image_id(n)]["image"]["displayName"] == "golden %d" % n and
                    images[image_id(n)]["image"]["freeformTags"].get("edition") == str(edition) for n in range(1, IMAGES + 1)) and
                all(images[image_id(100 + n)]["image"]["freeformTags"].get("tier") == "gold" for n in range(1, FLEET + 1)) and
                all(cloud[cloud_image_id(n)]["cloudImage"]["name"] == "golden %d" % n for n in range(1, CLOUD_IMAGES + 1)) and
                all(glance[glance_image_id(n)]["image"].get("edition") == str(edition) for n in range(1, GLANCE_IMAGES + 1)))

    def status(self):
        with open(self.runtime + "/status.json") as f:
            return json.load(f)


class Soak:
    def __init__(self, w):
        self.w, self.edition = w, 1
        self.drifts, self.cases, self.slots_begun = itertools.count(), itertools.cycle(INCIDENTS), 0
        self.read = self.rounds = self.mended = 0
        self.samples, self.met, self.faulty, self.looks = [], {}, set(), 0
        self.requests = open(w.sim.log_file)  # what has been added since it was last read
        self.good = open(w.config_file).read()
        self.daemon = w.daemon()
        self.daemon.wait_message("^READY=1")

    # --- rounds ---

    def count(self):
        """Each round ends with such a message. Specs that are mended, and are those in force, bring one more."""
        messages = self.daemon.messages
        while self.read < len(messages):
            self.rounds += bool(re.search(r"STATUS=\d+ of \d+ objects in sync", messages[self.read]))
            self.read += 1
        return self.rounds - self.mended

    def go_round(self, times=1, ends=1, asked=True):
        """Until so many rounds more have ended."""
        for _ in range(times):
            begun = self.count()
            if asked:
                self.daemon.signal(signal.SIGUSR1)
            self.daemon._wait(lambda begun=begun: self.count() >= begun + ends, "a round", 120)

    def entries(self, pattern="^imagekeeper: "):
        return sum(bool(re.search(pattern, line)) for line in self.daemon.lines)

    def is_well(self):
        if not self.w.is_as_declared(self.edition):
            return False
        told = self.w.status()
        return told["problem"] is None and told["objects"] and all(o["state"] in ("InSync", "Pending") for o in told["objects"])

    def settle(self):
        end, tries = time.monotonic() + 180, itertools.count()
        while not self.is_well():
            bad = [o for o in self.w.status()["objects"] if o["state"] != "InSync"]
            assert time.monotonic() < end, "it does not come to rest: %s\n%s" % (bad, "\n".join(self.daemon.lines[-30:]))
            self.go_round(asked=next(tries) < 10)

    def growth(self, figure):
        """Bytes a round after the first quarter, at equal numbers of descriptors: each connection that is kept open has memory of its own."""
        samples = self.samples[len(self.samples) // 4:]
        descriptors = [s["descriptors"] for s in samples]

        def beside_descriptors(values):
            if len(set(descriptors)) == 1:
                return values
            slope, base = statistics.linear_regression(descriptors, values)
            return [value - base - slope * d for value, d in zip(values, descriptors)]
        return statistics.linear_regression(*[beside_descriptors([s[f] for s in samples]) for f in ("rounds", figure)]).slope

    # --- what happens ---

    def drift(self):
        """Somebody's change, of one object after the other: the same one comes again only when it was seen well between."""
        n = next(self.drifts)
        objects = [(image_id(k), {"displayName": "drift %d" % n}) for k in range(1, IMAGES + 1)]
        objects += [(image_id(100 + k), {"freeformTags": {"tier": "drift %d" % n}}) for k in range(1, FLEET + 1)]
        objects += [(cloud_image_id(k), {"name": "drift %d" % n, "updated_at": LONG_AGO}) for k in range(1, CLOUD_IMAGES + 1)]
        objects += [(glance_image_id(k), {"edition": "drift %d" % n, "updated_at": LONG_AGO}) for k in range(1, GLANCE_IMAGES + 1)]
        target, change = objects[n % len(objects)]
        self.w.sim.change(target, **change)

    def heal(self):
        """What was wrong is over, and what rests because of it is tried at once."""
        self.w.sim.clear_faults()
        self.reload()

    def reload(self, refused=None):
        done = subprocess.run([os.environ["IMAGEKEEPERD"], "--reload", str(self.daemon.process.pid)], env=self.w.environment, stderr=subprocess.PIPE,
                              text=True, timeout=120)
        assert (done.returncode != 0) == (refused is not None) and (not refused or refused in done.stderr), (done.returncode, done.stderr)

    def looks_at_backups(self):
        """How often they have been listed so far."""
        self.looks += sum('"ListBootVolumeBackups"' in line for line in self.requests)
        return self.looks

    def time_passes(self):
        """A third of the way to the next slot: in it the backups come, are AVAILABLE, are marked and go. Who looks at them so seldom that an hour
        goes by has missed a slot, so that two looks at least begin and end before more time passes."""
        self.w.sim.advance(20 * MINUTE)
        self.faulty.update(b["id"] for b in self.w.sim.backups() if b["state"] == "FAULTY")
        begun = self.looks_at_backups()
        self.go_round(2)
        while self.looks_at_backups() < begun + 4:
            self.go_round()

    def cycle(self):
        for _ in range(12):
            self.drift()
            self.go_round()
        self.time_passes()
        incident = next(self.cases)
        before, started, lines = self.count(), time.monotonic(), self.entries()
        incident(self)
        self.settle()
        met = self.met.setdefault(incident.__name__, [0, 0, 0, 0.0])
        for i, more in enumerate((1, self.count() - before, self.entries() - lines, time.monotonic() - started)):
            met[i] += more
        self.sample()

    # --- what is left of it ---

    def sample(self):
        """In peace: of some rounds the least, when none was under way but the one that ended."""
        pid = self.daemon.process.pid
        with open(self.w.heap_file, "r+b", buffering=0) as f:
            f.write(struct.pack("=Q", 2 ** 64 - 1))
            for _ in range(5):
                self.go_round(ends=LANES)
            f.seek(0)
            heap, = struct.unpack("=Q", f.read(8))
        with open("/proc/%d/smaps_rollup" % pid) as f:
            memory = dict(re.findall(r"^(\w+): +(\d+) kB$", f.read(), re.M))
        descriptors = {n: what for n in os.listdir("/proc/%d/fd" % pid) if (what := self._what(pid, n))}
        sockets = sum(what.startswith("socket:") for what in descriptors.values())
        watched = sum(self._watched(pid, n) for n in descriptors)
        self.samples.append({"rounds": self.count(), "descriptors": len(descriptors), "sockets": sockets, "files": len(descriptors) - sockets,
                             "watched": watched, "heap": heap, "pss": int(memory["Pss"]) * 1024, "resident": int(memory["Rss"]) * 1024,
                             "entries": self.entries(), "requests": self.w.sim.statistics()["requests"]})

    @staticmethod
    def _what(pid, descriptor):
        """None: it has been closed meanwhile."""
        try:
            return os.readlink("/proc/%d/fd/%s" % (pid, descriptor))
        except OSError:
            return None

    @staticmethod
    def _watched(pid, descriptor):
        """How many descriptors, timers and signals an epoll waits for."""
        try:
            with open("/proc/%d/fdinfo/%s" % (pid, descriptor)) as f:
                return f.read().count("tfd:")
        except OSError:
            return 0

    def least(self, which, figure):
        """A file that is just being read or written counts for nothing."""
        n = len(self.samples)
        return min(s[figure] for s in self.samples[n * which // 4:n * (which + 1) // 4])

    def quarter(self, which, figure):
        n = len(self.samples)
        part = self.samples[n * which // 4:n * (which + 1) // 4]
        if figure in ("entries", "requests"):
            before = self.samples[n * which // 4 - 1] if which else {"rounds": 0, figure: 0}
            return (part[-1][figure] - before[figure]) / (part[-1]["rounds"] - before["rounds"])
        return statistics.median(s[figure] for s in part)


# --- incidents: each leaves the world able to be well again ---

INCIDENTS = []


def incident(function):
    INCIDENTS.append(function)
    return function


def once(operation, fault, **how):
    """An answer that goes wrong once, while a repair is due."""
    def happens(soak):
        for _ in range(3):
            soak.drift()
        soak.w.sim.fault(operation, fault, **how)
        soak.go_round(3)
        soak.heal()
    happens.__name__ = "%s, once, at %s" % (" ".join([fault] + [str(v) for k, v in how.items() if k == "status"]), operation)
    incident(happens)


def standing(operation, fault, subject, **how):
    """One that stays is said when it comes, and not in each round; nor is what rests because of it."""
    def happens(soak):
        begun = len(soak.daemon.lines)
        soak.w.sim.fault(operation, fault, times=-1, **how)
        for _ in range(IMAGES + FLEET + CLOUD_IMAGES + GLANCE_IMAGES):
            soak.drift()
        soak.go_round(8)
        fired = lambda: sum(f["fired"] for f in soak.w.sim.faults())
        first = fired()
        eventually(lambda: fired() >= 3 * first, "two more tries of what rests")
        soak.go_round(4)
        said = [line for line in soak.daemon.lines[begun:] if re.search(subject, line) and "updated" not in line and "this machine" not in line]
        assert said, "nothing was said of %s\n%s" % (subject, "\n".join(soak.daemon.lines[-20:]))
        alike = [re.sub(r"\d+ (documents \(.*?\)|changes)|opc-request-id \S+|next try at \S+| \((and so|met).*?\)", "", line) for line in said]
        assert len(set(alike)) == len(alike), "it is said again and again:\n" + "\n".join(said)
        soak.heal()
    happens.__name__ = "%s, standing, at %s" % (" ".join([fault] + [str(v) for k, v in how.items() if k == "status"]), operation)
    incident(happens)


once("UpdateImage", "status", status=500)
once("UpdateImage", "status", status=429, headers={"Retry-After": "1"})
once("UpdateImage", "status", status=412, code="NoEtagMatch")
standing("UpdateImage", "status", "OciImage|account prod", status=403, code="NotAuthorized", message="no")
once("GetImage", "truncate")
once("UpdateImage", "process-then-close")
once("UpdateCloudImage", "process-then-reset")
once("ListCloudImages", "invalid-json")


@incident
def edited_specs(soak):
    soak.edition += 1
    n = len(soak.daemon.lines)
    soak.w.declare(soak.edition)
    soak.daemon.wait_line("specs loaded", n)
    soak.settle()


@incident
def broken_specs_while_things_drift(soak):
    n = len(soak.daemon.lines)
    soak.w.write("broken.yaml", "apiVersion: imagekeeper/v1\nkind: OciImag\n")
    n = soak.daemon.wait_line("specs rejected", n)
    for _ in range(4):
        soak.drift()
        soak.go_round()
    assert soak.entries("specs rejected") == sum("specs rejected" in line for line in soak.daemon.lines[:n])
    os.unlink(os.path.join(soak.w.specs, "broken.yaml"))
    soak.daemon.wait_line("specs loaded", n)
    soak.mended += 1


@incident
def reloads_good_and_refused(soak):
    for _ in range(3):
        soak.drift()
        soak.reload()
    soak.w.write(soak.w.config_file, soak.good + "intervall: 5s\n")
    soak.reload(refused="imagekeeper.yaml")
    soak.w.write(soak.w.config_file, soak.good.replace("specs: specs", "specs: nowhere"))
    soak.reload(refused="nowhere")
    soak.w.write(soak.w.config_file, soak.good)
    soak.drift()
    soak.reload()


standing("UpdateCloudImage", "status", "ImsImage|account (hw|iam)", status=403, code="Forbidden", message="no")
once("GetImage", "close-before")
once("ListBootVolumeBackups", "status", status=503)


@incident
def tokens_that_are_void(soak):
    soak.w.sim.revoke_tokens()
    soak.w.sim.revoke_keystone_tokens()
    soak.drift()
    soak.go_round(2)


@incident
def a_runtime_folder_that_is_full(soak):
    if not MOUNTS:
        return
    ballast, said = soak.w.runtime + "/ballast", soak.entries(UNWRITTEN)
    before = soak.w.status()
    while soak.entries(UNWRITTEN) == said:  # a file that is replaced just now leaves its room
        with open(ballast, "ab", buffering=0) as f, contextlib.suppress(OSError):
            while f.write(bytes(4096)):
                pass
        soak.go_round()
    said = soak.entries(UNWRITTEN)
    for _ in range(10):
        soak.drift()
        soak.go_round()
    assert soak.entries(UNWRITTEN) <= said + 1, "\n".join(soak.daemon.lines[-20:])
    assert soak.w.status()["time"] >= before["time"], "it is half a file"
    soak.reload()
    os.unlink(ballast)


@incident
def an_authority_that_did_not_sign_the_clouds_certificate(soak):
    soak.w.configure(ca_file=simulator.vectors("oci-test-leaf-certificate.pem"))
    soak.reload()
    soak.drift()
    soak.go_round(3)
    assert soak.entries("TlsFailed|certificate")
    soak.w.write(soak.w.config_file, soak.good)
    soak.reload()


once("ShowGlanceImage", "wrong-json")
once("UpdateGlanceImage", "process-then-close")
once("GetImage", "reset")


@incident
def keys_that_are_replaced(soak):
    n = next(soak.drifts)
    access = "SOAKKEY%08d" % n
    soak.w.sim.add_access_key(access, "soak-secret-%d" % n)
    soak.w.sim.remove_access_key(soak.__dict__.get("access", simulator.ACCESS_KEY))
    soak.go_round(2)
    soak.access = access
    soak.w.secret(ak=access, sk="soak-secret-%d" % n)
    soak.reload()
    for password in ("Another-Password-%d" % n, simulator.HUAWEI_PASSWORD):
        soak.w.sim.add_user(simulator.HUAWEI_USER, password)
        soak.go_round()
        soak.w.secret(password=password)
        soak.reload()


@incident
def a_password_of_keystone_that_is_replaced(soak):
    for password in ("Another-Password-%d" % next(soak.drifts), simulator.KEYSTONE_PASSWORD):
        soak.w.sim.add_keystone_user(password=password)
        soak.go_round()
        soak.w.clouds(auth={"password": password})
        soak.reload()


@incident
def an_oci_user_that_is_refused(soak):
    good = open(soak.w.oci_config).read()
    simulator.write_private(soak.w.oci_config, good.replace("exampleuser", "formeruser"))
    soak.reload()
    soak.drift()
    soak.go_round(3)
    simulator.write_private(soak.w.oci_config, good)
    soak.go_round(2)


@incident
def lost_answers_to_a_creation(soak):
    """The slot that comes in the third of these steps is made once all the same."""
    for _ in range(3):
        soak.w.sim.fault("CreateBootVolumeBackup", "process-then-close")
        soak.time_passes()
    soak.heal()


@incident
def a_backup_that_becomes_faulty(soak):
    soak.w.sim.faulty()
    for _ in range(3):
        soak.time_passes()


standing("GetImage", "status", "OciImage|account prod", status=404, code="NotAuthorizedOrNotFound", message="no")
standing("UpdateImage", "echo-other", "OciImage|account prod", target=image_id(1), set={"displayName": "another"}, persist=True)


@incident
def a_cloud_that_hangs_while_it_is_reloaded(soak):
    soak.w.sim.fault("*", "hang", times=-1)
    soak.drift()
    soak.daemon.signal(signal.SIGUSR1)
    eventually(lambda: [f for f in soak.w.sim.faults() if f.get("fired")], "a request that hangs")
    soak.reload()
    soak.heal()


@incident
def an_outage_that_opens_the_breaker(soak):
    soak.w.sim.fault("*", "status", status=400, code="InvalidParameter", message="no", times=-1)
    soak.go_round(2)
    soak.w.sim.clear_faults()
    soak.w.sim.fault("*", "oversized", bytes=100, times=-1)
    soak.go_round(2)
    soak.heal()


@incident
def specs_that_come_and_go(soak):
    for n in range(3):
        count = len(soak.daemon.lines)
        World.spec(soak.w, "guest", target=image_id(100 + n + 1), displayName="fleet %d" % (n + 1))
        soak.daemon.wait_line("specs loaded", count)
        soak.go_round()
        count = len(soak.daemon.lines)
        os.unlink(os.path.join(soak.w.specs, "guest.yaml"))
        soak.daemon.wait_line("specs loaded", count)


once("UpdateImage", "process-then-hang")  # which is given up after ten seconds


# --- the case ---

_preloaded = {}


def preloaded(name):
    """A library that was made of a source of the harness."""
    if name not in _preloaded:
        folder = tempfile.mkdtemp(prefix="ik-shim-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _preloaded[name] = os.path.join(folder, name.replace(".c", ".so"))
        subprocess.run(os.environ.get("CC", "cc").split() + ["-shared", "-fPIC", "-O1", "-o", _preloaded[name], os.path.join(simulator.HERE, name)], check=True)
    return _preloaded[name]


def tell(soak, seconds):
    figures = (("descriptors", "", 1), ("sockets", " among them", 1), ("watched", " by epoll", 1), ("heap", " in use, KiB", 1024), ("pss", ", KiB", 1024),
               ("resident", ", KiB", 1024), ("entries", " of the journal a round", 1), ("requests", " a round", 1))
    print("# %d rounds in %d s, %d slots, %d drifts" % (soak.count(), seconds, soak.slots_begun, next(soak.drifts)))
    print("# %-32s %9s %9s %9s %9s" % ("medians of each quarter", "1st", "2nd", "3rd", "4th"))
    for name, unit, scale in figures:
        print("# %-32s %9.1f %9.1f %9.1f %9.1f" % ((name + unit,) + tuple(soak.quarter(q, name) / scale for q in range(4))))
    print("# heap at equal descriptors, after the first quarter: %.1f bytes more a round" % soak.growth("heap"))
    if os.environ.get("TELL"):
        for name, (times, rounds, entries, took) in sorted(soak.met.items()):
            print("#   %-60s %4d times, %5d rounds, %5d entries, %6.1f s" % (name, times, rounds, entries, took))
    sys.stdout.flush()


@case
def after_many_rounds_it_holds_no_more_than_before(w):
    w.fill()
    w.declare()
    volume = w.sim.add_boot_volume("db")
    w.sim.config(creatingSeconds=30, requestReceivedSeconds=1)
    schedule.schedule(w, bootVolumeId=volume, keep={"last": 3}, prune=True, grace="1h")
    begun = w.sim.now()
    started = time.monotonic()
    soak = Soak(w)
    soak.settle()
    while soak.count() < ROUNDS or len(soak.samples) < 8:
        soak.cycle()

    # Every slot of the whole time has its one backup, whatever happened to it later.
    while w.sim.now() % schedule.HOUR < 20 * MINUTE:
        soak.time_passes()
    soak.time_passes()
    soak.settle()
    wanted = [schedule.told(t) for t in range(int(begun // schedule.HOUR + 1) * schedule.HOUR, int(w.sim.now()), schedule.HOUR)]
    made = [(schedule.slot_of(b)[1], b["state"], b["id"]) for b in w.sim.backups(volume) if b["id"] not in soak.faulty]
    soak.slots_begun = len(wanted)
    tell(soak, time.monotonic() - started)
    assert sorted(slot for slot, _, _ in made) == wanted, "slots without their one backup: %s, %s of %s" % (
        [m for m in made if [s for s, _, _ in made].count(m[0]) != 1], sorted({slot for slot, _, _ in made} ^ set(wanted)), wanted)
    needed = {"imagekeeperd.lock", "imagekeeperd.socket", "reload", "reload.spare", "status.json", "metrics.prom"}
    eventually(lambda: set(os.listdir(w.runtime)) <= needed, "files that nobody needs to go: %s" % os.listdir(w.runtime))  # one may be new
    assert soak.least(3, "files") <= soak.least(1, "files"), "descriptors are left open"
    assert max(s["sockets"] for s in soak.samples) <= SOCKETS, "connections are left open"
    assert all(soak.quarter(q, "entries") <= ENTRIES_A_ROUND for q in range(4)), "the journal is told too much"
    with open(os.environ["IMAGEKEEPERD"], "rb") as f:
        sanitized = b"__asan_init" in f.read()  # which keeps what was freed for a while
    grown = soak.quarter(3, "resident") - soak.quarter(1, "resident")
    assert sanitized or grown <= RESIDENT_SLACK, "%d bytes more are resident in the last quarter than in the second" % grown
    assert soak.growth("heap") * ROUNDS <= HEAP_SLACK + HEAP_A_ROUND * ROUNDS, "the heap grows by %.1f bytes a round" % soak.growth("heap")


MOUNTS = own_mounts()
run(start=schedule.START, world=Everywhere)
