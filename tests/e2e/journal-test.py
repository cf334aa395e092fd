"""What the journal gets, field by field. The socket of the journal is this test's own, in a mount namespace of its own."""
import contextlib
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import catalog
from schedule import *

JOURNAL = "/run/systemd/journal"


def enter_namespace():
    """Runs this program again where a socket at the journal's place is nobody else's."""
    if os.environ.get("IK_IN_NAMESPACE"):
        os.makedirs(JOURNAL, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", JOURNAL], check=True)
        return
    inner = "mkdir -p %s && exec \"$@\"" % JOURNAL
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        print("1..0 # SKIP no mount namespace can be made here (that needs root)")
        sys.exit(0)
    os.environ["IK_IN_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", "--mount", "sh", "-c", inner, "sh", sys.executable] + sys.argv)


def parse(datagram):
    """The journal's native protocol: NAME=value lines, or NAME, a 64-bit length and the bytes."""
    entry = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        if b"=" in line:
            name, _, value = line.partition(b"=")
        else:
            name, size = line, struct.unpack("<Q", rest[:8])[0]
            value, rest = rest[8:8 + size], rest[9 + size:]
        entry.setdefault(name.decode(), []).append(value.decode())
        datagram = rest
    return entry


class Journal:
    def __init__(self):
        path = JOURNAL + "/socket"
        if os.path.exists(path):
            os.unlink(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.entries = []
        self.changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            try:
                entry = parse(self.socket.recv(1 << 20))
            except OSError:
                return
            with self.changed:
                self.entries.append(entry)
                self.changed.notify_all()

    def check_catalog(self):
        """No entry lacks a field that the catalog's text on it has; journald adds those that begin with _."""
        with open(os.path.join(os.environ.get("srcdir", "."), catalog.CATALOG), encoding="utf-8") as f:
            texts = catalog.entries(f.read())
        for entry in self.entries:
            if "MESSAGE_ID" in entry:
                lacking = {f for f in texts[entry["MESSAGE_ID"][0]].fields if f not in entry and not f.startswith("_")}
                assert not lacking, (lacking, entry)

    def wait(self, event):
        find = lambda: next((e for e in self.entries if e.get("IMAGEKEEPER_EVENT") == [event]), None)
        with self.changed:
            assert self.changed.wait_for(find, 60), "no event %s in %s" % (event, self.entries)
            self.check_catalog()
            return find()


def check_update(entry, w):
    assert re.fullmatch("[0-9a-f]{32}", entry["MESSAGE_ID"][0]) and entry["PRIORITY"] == ["5"]
    put, = w.sim.requests("UpdateImage")
    assert {k: v for k, v in entry.items() if k.startswith("IMAGEKEEPER_")} == {
        "IMAGEKEEPER_EVENT": ["updated"], "IMAGEKEEPER_KIND": ["OciImage"], "IMAGEKEEPER_NAME": ["golden"],
        "IMAGEKEEPER_ACCOUNT": ["prod"], "IMAGEKEEPER_TARGET": [image_id(1)], "IMAGEKEEPER_ACTION": ["update"],
        "IMAGEKEEPER_ATTRIBUTE": ["displayName", "freeformTags.tier"], "IMAGEKEEPER_FROM": ['"image 1"', "null"],
        "IMAGEKEEPER_TO": ['"golden"', '"gold"'],
        "IMAGEKEEPER_CHANGE": ['{"path":"displayName","from":"image 1","to":"golden"}',
                               '{"path":"freeformTags.tier","from":null,"to":"gold"}'], "IMAGEKEEPER_SPEC": ["golden.yaml:1"],
        "IMAGEKEEPER_REVISION": ["a" * 40], "IMAGEKEEPER_OPC_REQUEST_ID": [put["opcRequestId"]],
        "IMAGEKEEPER_RETRY_TOKEN": [put["retryToken"]]}


def prepare(w):
    w.image(1)
    w.spec(displayName="golden", freeformTags={"tier": "gold"})
    w.write(".revision", "a" * 40 + "\n")


@case
def apply_tells_the_journal_what_it_changed(w):
    journal = Journal()
    prepare(w)
    w.apply().expect(0)
    check_update(journal.wait("updated"), w)


@case
def apply_tells_the_journal_what_failed_and_what_is_held(w):
    journal = Journal()
    prepare(w)
    w.image(3)
    w.spec("gone", target=image_id(2), displayName="x")
    w.spec("second", target=image_id(3), displayName="y")
    w.configure(top="limits: {maxChanges: 1}\n")
    w.plan().expect(1)
    w.apply().expect(1)
    failed, held = journal.wait("access-uncertain"), journal.wait("held")
    assert failed["IMAGEKEEPER_NAME"] == ["gone"] and failed["IMAGEKEEPER_HTTP_STATUS"] == ["404"] and failed["IMAGEKEEPER_OPC_REQUEST_ID"], failed
    assert held["IMAGEKEEPER_NAME"] == ["golden"] and held["IMAGEKEEPER_REASON"][0] in held["MESSAGE"][0], held
    assert held["IMAGEKEEPER_REVISION"] == ["a" * 40] and len(held["IMAGEKEEPER_CHANGE"]) == 2, held
    told = [e["IMAGEKEEPER_EVENT"][0] for e in journal.entries]
    assert sorted(told) == ["access-uncertain", "held", "held"], told  # each once, and nothing of the plan


@case
def an_entry_counts_the_attributes_that_are_too_many_for_it(w):
    journal = Journal()
    w.image(1)
    w.spec(freeformTags={"t%03d" % n: "v" for n in range(203)}, reconcile="{mode: observe}")
    w.apply().expect(2)
    entry = journal.wait("drift")
    assert len(entry["IMAGEKEEPER_CHANGE"]) == 100 and entry["IMAGEKEEPER_ATTRIBUTES_LEFT_OUT"] == ["103"], entry


@contextlib.contextmanager
def daemon_under_the_journal(w):
    """Under systemd stderr is the journal's, and this variable says so. Then nothing is said on stderr as well."""
    read_end, write_end = os.pipe()
    stat = os.fstat(write_end)
    process = subprocess.Popen([os.environ["IMAGEKEEPERD"], "--config", w.config_file], stderr=write_end,
                               env=dict(w.environment, JOURNAL_STREAM="%d:%d" % (stat.st_dev, stat.st_ino)))
    os.close(write_end)
    try:
        yield
    finally:
        process.terminate()
        process.wait()
    assert os.read(read_end, 100) == b"", "something was said on stderr as well"
    os.close(read_end)


@case
def the_daemon_tells_the_journal_what_it_changed_and_what_failed(w):
    journal = Journal()
    prepare(w)
    w.spec("gone", target=image_id(2), displayName="x")
    with daemon_under_the_journal(w):
        check_update(journal.wait("updated"), w)
        failed = journal.wait("access-uncertain")
        assert failed["IMAGEKEEPER_HTTP_STATUS"] == ["404"] and failed["IMAGEKEEPER_TARGET"] == [image_id(2)]
        assert failed["IMAGEKEEPER_REASON"][0] and failed["IMAGEKEEPER_REASON"][0] in failed["MESSAGE"][0], failed
        assert failed["PRIORITY"] == ["3"] and failed["IMAGEKEEPER_OPC_REQUEST_ID"]
        assert failed["MESSAGE_ID"] != journal.wait("updated")["MESSAGE_ID"]
        os.unlink(w.specs + "/gone.yaml")
        over = journal.wait("recovered")
        assert over["MESSAGE"] == ["OciImage gone (prod): no longer declared, and not looked at any more"] and over["PRIORITY"] == ["5"], over
        for name, value in (("KIND", "OciImage"), ("NAME", "gone"), ("ACCOUNT", "prod"), ("TARGET", image_id(2)), ("REVISION", "a" * 40)):
            assert over["IMAGEKEEPER_" + name] == [value], over
        journal.wait("started")
        assert journal.wait("specs-loaded")["IMAGEKEEPER_REVISION"] == ["a" * 40]
        w.write(".revision", "b" * 40 + "\n")
        w.write("broken.yaml", "kind: [")
        assert journal.wait("specs-rejected")["IMAGEKEEPER_REVISION"] == ["b" * 40]


@case
def a_fetch_by_hand_that_may_not_be_is_no_failure_of_the_unit(w):
    journal = Journal()
    os.mkdir(w.folder + "/theirs", 0o755)
    os.chown(w.folder + "/theirs", 65534, 65534)
    accounts = "accounts:\n  - {name: prod, type: oci}\n"
    w.write(w.config_file, accounts + "sync: {repository: /nowhere, directory: theirs}\n")
    assert "systemctl start imagekeeper-sync" in w.run("sync").expect(1).err
    w.write(w.config_file, accounts + "sync: {repository: /nowhere, directory: ours}\n")
    w.run("sync").expect(1)
    assert "/nowhere" in journal.wait("sync-failed")["MESSAGE"][0]
    assert len(journal.entries) == 1, journal.entries


@case
def a_fetch_that_fails_for_the_same_reason_is_said_once_an_hour(w):
    journal = Journal()
    failed = lambda: [e["MESSAGE"][0] for e in journal.entries if e["IMAGEKEEPER_EVENT"] == ["sync-failed"]]
    def fails(repository):
        w.write(w.config_file, "accounts:\n  - {name: prod, type: oci}\nsync: {repository: %s, directory: ours}\n" % repository)
        assert repository in w.run("sync").expect(1).err
    for _ in range(3):
        fails("/nowhere")
    fails("/elsewhere")
    path = w.folder + "/ours/failure"
    with open(path) as f:
        said, _, what = f.read().partition("\n")
    w.write(path, "%d\n%s" % (int(said) - 3600 * 10**6, what))
    fails("/elsewhere")
    fails("/nowhere")  # an entry that comes when all those before it are there
    eventually(lambda: len(failed()) >= 4, "the entries")
    assert ["/nowhere" in m for m in failed()] == [True, False, False, True], failed()


@case
def the_daemon_tells_the_journal_what_schedules_do(w):
    journal = Journal()
    volume, gone = w.sim.add_boot_volume(), w.sim.add_boot_volume()
    now = int(w.sim.now()) // HOUR * HOUR
    slot = [told(now - n * HOUR) for n in range(6)]
    ids = history(w, volume, [slot[3]], "hourly", **{MARK: slot[2]})
    ids.update(history(w, volume, [slot[2], slot[4]], "hourly"))
    history(w, gone, [slot[5]], "hourly")
    w.sim.purge(gone)
    schedule(w, selector=select(), keep={"last": 1}, prune=True)

    def check(event, **wanted):
        entry = journal.wait(event)
        wanted = dict({"kind": KIND, "name": "hourly", "account": "prod", "spec": "hourly.yaml:1"}, **wanted)
        for name, value in wanted.items():
            assert entry["IMAGEKEEPER_" + name.upper()] == [value], (name, value, entry)
        return entry["MESSAGE"][0]

    with daemon_under_the_journal(w):
        journal.wait("available")
        backup, post = w.sim.backups(volume)[-1]["id"], creations(w)[0]
        check("created", target=volume, action="create", slot=slot[0], created=backup, retry_token=post["retryToken"],
              opc_request_id=post["opcRequestId"])
        mark = w.sim.requests("UpdateBootVolumeBackup")[0]["body"]["freeformTags"][MARK]
        check("updated", target=ids[slot[4]], action="update", slot=slot[4], attribute="freeformTags." + MARK, to=json.dumps(mark),
              **{"from": "null"})
        check("deleted", target=ids[slot[3]], action="delete", slot=slot[3], opc_request_id=deletions(w)[0]["opcRequestId"])
        missed = check("missed", target=volume)
        assert slot[1] in missed and journal.wait("missed")["IMAGEKEEPER_REASON"][0] in missed
        assert slot[5] in check("vanished", target=gone)
        assert backup in check("available", target=volume)


enter_namespace()
run()
