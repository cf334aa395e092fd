"""What the tests of the programs share: a world of a cloud, a configuration and specs; running the programs; TAP.

    @case
    def an_image_in_sync_needs_nothing(w): ...

    run()

Every case gets a world of its own, removed afterwards unless KEEP=1. `PROGRAM.py PATTERN` runs the matching cases alone.
`run(workers=8)` runs so many cases at a time, each of them in one thread from its simulator's start to its end.
`run(start=SECONDS)` gives each world a wall clock of its own, which shows that time at first; w.go() and w.sim.advance() move it, for
the simulator and the programs alike.
`run(world=WORLD)` gives the cases another world than that of the simulator.
"""
import atexit
import contextlib
import datetime
import fnmatch
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import sim as simulator

COMPARTMENT = simulator.COMPARTMENT
_cases = []
END = "END OF TEST"


def case(function):
    _cases.append(function)
    return function


def image_id(n):
    return "ocid1.image.oc1.phx.test%06d" % n


def cloud_image_id(n):
    return "7e570000-0000-4000-8000-%012x" % n


PROJECT = simulator.PROJECT
OTHER_PROJECT = "fedcba9876543210fedcba9876543210"
LONG_AGO = "2020-01-01T00:00:00Z"


def operation(what, attribute, value=""):
    """One of those that a PATCH of an image consists of."""
    return {"op": what, "path": "/" + attribute, "value": value}


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    @property
    def json(self):
        return json.loads(self.out)

    def expect(self, status):
        assert self.status == status, "exit status %s, expected %s\n%s%s" % (self.status, status, self.out, self.err)
        return self

    def only_error(self):
        error, = self.expect(1).json["errors"]
        return error


class Daemon:
    """imagekeeperd in the foreground, its stderr collected line by line, its notifications on a socket."""

    def __init__(self, command, environment):
        import socket
        self.folder = tempfile.mkdtemp(prefix="ik-notify-")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.folder + "/s")
        self.messages = []
        self.lines = []
        self.changed = threading.Condition()
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True,
                                        env=dict(environment, NOTIFY_SOCKET=self.folder + "/s"))
        self.readers = [threading.Thread(target=read, daemon=True) for read in (self._read_lines, self._read_messages)]
        for reader in self.readers:
            reader.start()

    def _read_lines(self):
        for line in self.process.stderr:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()

    def _read_messages(self):
        while True:
            message = self.socket.recv(65536).decode()
            if message == END:
                return
            with self.changed:
                self.messages.append(message)
                self.changed.notify_all()

    def _wait(self, find, what, timeout=60):
        with self.changed:
            if not self.changed.wait_for(find, timeout):
                raise AssertionError("waited in vain for %s; log:\n%s\nnotifications:\n%s" %
                                     (what, "\n".join(self.lines), "\n".join(self.messages)))
            return find()

    def wait_line(self, pattern, after=0):
        """The number of the first line from `after` on that fits."""
        return self._wait(lambda: next((i + 1 for i, line in enumerate(self.lines[after:], after)
                                        if re.search(pattern, line)), 0), "the line /%s/" % pattern)

    def wait_message(self, pattern, after=0):
        return self._wait(lambda: next((i + 1 for i, m in enumerate(self.messages[after:], after)
                                        if re.search(pattern, m)), 0), "the notification /%s/" % pattern)

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=60):
        """Its exit status, once everything that it said has been read."""
        status = self.process.wait(timeout)
        if self.socket.fileno() < 0:
            return status
        self.socket.sendto(END.encode(), self.folder + "/s")
        for reader in self.readers:
            reader.join()
        self.socket.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return status

    def stop(self):
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait()


class Programs:
    """The programs under test, with a folder, a configuration and specs; a cloud is what its heirs add."""
    interval = "1s"

    def __init__(self, folder):
        self.folder = folder
        self.specs = os.path.join(folder, "specs")
        self.config_file = os.path.join(folder, "imagekeeper.yaml")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("OCI_CLI", "OS_"))}
        self.environment.update(HOME=folder, NO_COLOR="1")
        self.daemons = []
        os.mkdir(self.specs)

    @classmethod
    @contextlib.contextmanager
    def made(cls, folder, start=None):
        """A world of its cloud, which ends with it."""
        raise NotImplementedError

    def check(self):
        """What must hold after every case."""

    def write_config(self, accounts, top=""):
        self.write(self.config_file, "specs: specs\ninterval: %s\n%saccounts:\n%s" % (self.interval, top, accounts))

    def write(self, path, text, modified=None):
        """`modified`: the file's time, else it is now."""
        path = os.path.join(self.specs, path)  # an absolute one stays as it is
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        if modified is not None:
            os.utime(path + ".new", (modified, modified))
        os.rename(path + ".new", path)

    def document(self, kind, name, account, target, selector, reconcile, file, want):
        """One document on an image, or on those of a selector, written as YAML flow so that any value can stand in it."""
        lines = ["apiVersion: imagekeeper/v1", "kind: " + kind, "metadata: {name: %s}" % name, "spec:", "  account: " + account]
        lines.append("  selector: " + json.dumps(selector, ensure_ascii=False) if selector is not None else "  imageId: " + target)
        lines += ["  %s: %s" % (key, json.dumps(value, ensure_ascii=False)) for key, value in want.items()]  # JSON's surrogates are no YAML
        if reconcile:
            lines.append("reconcile: " + reconcile)
        self.write(file or name + ".yaml", "\n".join(lines) + "\n")

    def run(self, *words, stdout=None, **environment):
        command = os.environ.get("WRAPPER", "").split() + [os.environ["IMAGEKEEPER"], words[0], "--config", self.config_file]
        done = subprocess.run(command + list(words[1:]), stdout=stdout or subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=dict(self.environment, **environment), timeout=300)
        assert done.returncode >= 0, "ended by signal %d\n%s" % (-done.returncode, done.stderr)
        assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
        return Result(done.returncode, done.stdout, done.stderr)

    def plan(self, *words):
        return self.run("plan", "-o", "json", *words)

    def apply(self, *words):
        return self.run("apply", "-o", "json", *words)

    def daemon(self, *words, before=()):
        """`before`: a command that runs it in its own place."""
        command = os.environ.get("WRAPPER", "").split() + list(before) + [os.environ["IMAGEKEEPERD"], "--config", self.config_file]
        self.daemons.append(Daemon(command + list(words), self.environment))
        return self.daemons[-1]


class Simulated(Programs):
    """In front of the simulator; what an account of its cloud is, and what a document of its images, is what the heirs add."""

    def __init__(self, sim, folder):
        Programs.__init__(self, folder)
        self.sim = sim
        if sim.clock_file:
            # The address sanitizer wants to be the first library, and can do without.
            options = [os.environ.get("ASAN_OPTIONS", ""), "verify_asan_link_order=0"]
            self.environment.update(LD_PRELOAD=_clock_shim(), CLOCK_SHIM_FILE=sim.clock_file, ASAN_OPTIONS=":".join(filter(None, options)))
        self.token_misuse = 0  # requests of another body under a token that was used: only an edited spec may lead to one
        self.prepare()
        self.configure()

    @classmethod
    @contextlib.contextmanager
    def made(cls, folder, start=None):
        with simulator.Simulator(directory=tempfile.mkdtemp(dir=folder), stderr=subprocess.DEVNULL, clock_file=_new_clock(folder, start)) as sim:
            yield cls(sim, folder)

    def prepare(self):
        """Writes the files that accounts name."""

    def check(self):
        statistics = self.sim.statistics()
        assert statistics["tokenMisuse"] == self.token_misuse, "a retry token was shared by two requests"
        assert statistics["updatesWithoutIfMatch"] == 0, "an update was sent without if-match"
        assert statistics["deletesWithoutIfMatch"] == 0, "a deletion was sent without if-match"

    def configure(self, top="", account="", accounts=None, **how):
        """`account` is added to the usual account, which `how` varies, `top` to the file; `accounts` replaces the list."""
        if accounts:
            self.write(self.config_file, "specs: specs\ninterval: %s\n%s%s" % (self.interval, top, accounts))
        else:
            self.write_config(self.account(**how) + account, top)

    def live(self, n=1):
        """The image of that number or id."""
        return self.shown(n)[0]

    def updates(self, n=1):
        return self.shown(n)[1]

    def other_simulator(self, **options):
        return simulator.Simulator(directory=tempfile.mkdtemp(dir=self.folder), stderr=subprocess.DEVNULL, **options)

    def go(self, seconds):
        """Moves the world's own clock to a time."""
        self.sim.set_clock(seconds - time.time())


class World(Simulated):
    """Oracle Cloud, with one account, `prod`."""

    def prepare(self):
        os.mkdir(os.path.join(self.folder, "oci"))
        self.oci_config = simulator.write_oci_config(os.path.join(self.folder, "oci"))

    def account(self):
        return "  - name: prod\n    type: oci\n    configFile: %s\n    endpoint: %s\n    caFile: %s\n" % (
            self.oci_config, self.sim.endpoint, self.sim.ca_file)

    def spec(self, name="golden", target=None, file=None, reconcile="", account="prod", selector=None, **want):
        """One OciImage document."""
        if selector is not None:
            selector = dict(compartmentId=COMPARTMENT, **selector)
        self.document("OciImage", name, account, target or image_id(1), selector, reconcile, file, want)

    def image(self, n=1, **members):
        image = {"id": image_id(n), "compartmentId": COMPARTMENT, "displayName": "image %d" % n,
                 "operatingSystem": "Oracle Linux", "operatingSystemVersion": "8", "freeformTags": {"team": "base"},
                 "definedTags": {"Oracle-Tags": {"CreatedBy": "someone", "CreatedOn": "2026-01-01T00:00:00.000Z"}}}
        image.update(members)
        self.sim.add_images([image])
        return image["id"]

    def shown(self, n):
        told = self.sim.image(n if isinstance(n, str) else image_id(n))
        return told["image"], told["updates"]


class ImsWorld(Simulated):
    """Huawei Cloud, with one account, `hw`."""

    def prepare(self):
        self.secret(ak=simulator.ACCESS_KEY, sk=simulator.SECRET_KEY, password=simulator.HUAWEI_PASSWORD)

    def secret(self, **texts):
        """Writes secret files, whose configuration says ./NAME."""
        for name, text in texts.items():
            simulator.write_private(os.path.join(self.folder, name), text + "\n")

    def account(self, name="hw", auth="accessKey", sim=None, **settings):
        """`settings` are added, or replace the usual ones; None leaves one out."""
        sim = sim or self.sim
        usual = {"name": name, "type": "ims", "auth": auth, "endpoint": sim.endpoint, "caFile": sim.ca_file}
        if auth == "password":
            usual.update(region=simulator.PROJECT_NAME, user=simulator.HUAWEI_USER, domain=simulator.ACCOUNT, passwordFile="./password",
                         iamEndpoint=sim.endpoint)
        else:
            usual.update(projectId=simulator.PROJECT, accessKeyFile="./ak", secretKeyFile="./sk")
        usual.update(settings)
        return "  - %s\n" % json.dumps({key: value for key, value in usual.items() if value is not None})

    def spec(self, document="golden", /, target=None, file=None, reconcile="", account="hw", selector=None, **want):
        """One ImsImage document."""
        self.document("ImsImage", document, account, target or cloud_image_id(1), selector, reconcile, file, want)

    def image(self, n=1, name=None, **members):
        """One that nobody has changed for long, unless it is said when."""
        members = dict({"created_at": LONG_AGO, "updated_at": LONG_AGO}, **members)
        return self.sim.add_cloud_image(name or "image %d" % n, cloud_image_id(n), **members)

    def shown(self, n):
        told = self.sim.cloud_image(n if isinstance(n, str) else cloud_image_id(n))
        return told["cloudImage"], told["updates"]

    def other_account(self, name="other", **settings):
        """An account of another user, whose project is OTHER_PROJECT."""
        self.sim.add_user("second", projects=((OTHER_PROJECT, "eu-west-101"),))
        self.sim.add_access_key("SECONDKEY", "second-secret", user="second")
        self.secret(ak2="SECONDKEY", sk2="second-secret")
        return self.account(name, projectId=OTHER_PROJECT, accessKeyFile="./ak2", secretKeyFile="./sk2", **settings)

    def patches(self):
        return self.sim.requests("UpdateCloudImage")

    def looks(self, n=1):
        """The reads of one image alone."""
        return [r for r in self.sim.requests("ListCloudImages") if r["query"] == "id=" + cloud_image_id(n)]


def seconds_of(time_text):
    """Since 1970, of an RFC 3339 time."""
    return datetime.datetime.fromisoformat(time_text.replace("Z", "+00:00")).timestamp()


def gap(first, second):
    """Seconds between two logged requests."""
    return seconds_of(second["time"]) - seconds_of(first["time"])


def eventually(condition, what="it", timeout=60):
    """For what only the simulator can tell; the time is a bound on hanging, not on speed."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "waited in vain for " + what
        time.sleep(0.01)


_shim = None
_shim_lock = threading.Lock()


def _clock_shim():
    """The library that shifts a program's clock, made once."""
    global _shim
    with _shim_lock:
        if _shim is None:
            folder = tempfile.mkdtemp(prefix="ik-shim-")
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            made = os.path.join(folder, "clock-shim.so")
            subprocess.run(os.environ.get("CC", "cc").split() +
                           ["-shared", "-fPIC", "-O1", "-o", made, os.path.join(simulator.HERE, "clock-shim.c")], check=True)
            _shim = made
        return _shim


def _new_clock(folder, start):
    """A clock file that shows `start` now; None for None."""
    if start is None:
        return None
    path = os.path.join(folder, "clock")
    simulator.write_clock(path, start - time.time())
    return path


def _run_case(function, world, start):
    folder = tempfile.mkdtemp(prefix="ik-test-")
    try:
        with world.made(folder, start) as w:
            try:
                function(w)
                for daemon in w.daemons:
                    if daemon.process.poll() is None:
                        assert daemon.stop() == 0, "the daemon ended with an error:\n" + "\n".join(daemon.lines)
                w.check()
            finally:
                for daemon in w.daemons:
                    if daemon.process.poll() is None:
                        daemon.process.kill()
                        daemon.wait()
    finally:
        if os.environ.get("KEEP"):
            print("# kept: " + folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)


class Skipped(Exception):
    """A case that cannot run here, and why."""


def _try_case(function, *how):
    """What went wrong, or None; a Skipped for what cannot run here."""
    try:
        _run_case(function, *how)
    except Skipped as reason:
        return reason
    except Exception:
        return traceback.format_exc()


def _run_all(chosen, workers, *how):
    """Yields (function, what went wrong) as they end."""
    waiting, ended = queue.SimpleQueue(), queue.SimpleQueue()
    for function in chosen:
        waiting.put(function)

    def work():
        try:
            while True:
                function = waiting.get_nowait()
                ended.put((function, _try_case(function, *how)))
        except queue.Empty:
            pass

    for _ in range(workers):
        threading.Thread(target=work, daemon=True).start()
    for _ in chosen:
        yield ended.get()


def skip(reason):
    """All that this program tests cannot run here: before run()."""
    print("1..0 # SKIP " + reason)
    sys.exit(0)


def run(workers=1, start=None, world=World):
    patterns = sys.argv[1:] or ["*"]
    chosen = [c for c in _cases if any(fnmatch.fnmatch(c.__name__, p) for p in patterns)]
    print("1..%d" % len(chosen), flush=True)
    results = _run_all(chosen, workers, world, start) if workers > 1 else ((c, _try_case(c, world, start)) for c in chosen)
    failed = 0
    for n, (function, wrong) in enumerate(results, 1):
        if wrong is None:
            print("ok %d - %s" % (n, function.__name__), flush=True)
            continue
        if isinstance(wrong, Skipped):
            print("ok %d - %s # SKIP %s" % (n, function.__name__, wrong), flush=True)
            continue
        failed += 1
        print("not ok %d - %s" % (n, function.__name__))
        for line in wrong.splitlines():
            print("# " + line, flush=True)
    sys.exit(1 if failed or not chosen else 0)
