"""The message catalog: a text for each kind of event, and no field in it that an entry might lack (journalctl would print its
name)."""
import glob
import os
import re
import subprocess
import sys
import tempfile

TOP = os.environ.get("srcdir", ".")
sys.path.insert(0, os.path.join(TOP, "tests", "harness"))
from catalog import CATALOG, entries

# Of every entry that the daemon sends.
GENERAL = {"MESSAGE", "_SYSTEMD_UNIT", "_HOSTNAME"}
# What may be NULL, or not be there.
UNSURE = {"IMAGEKEEPER_REVISION", "IMAGEKEEPER_OPC_REQUEST_ID", "IMAGEKEEPER_RETRY_TOKEN", "IMAGEKEEPER_SLOT", "IMAGEKEEPER_ATTRIBUTE",
          "IMAGEKEEPER_FROM", "IMAGEKEEPER_TO", "IMAGEKEEPER_CHANGE", "IMAGEKEEPER_REASON"}


def read(name):
    with open(os.path.join(TOP, name), encoding="utf-8") as f:
        return f.read()


def events():
    """EVENT_… -> (name, id)"""
    return {e: (name, message_id) for e, name, message_id in
            re.findall(r'\[(EVENT_\w+)\] = \{"([a-z-]+)", "([0-9a-f]{32})"', read("daemon/record/event.c"))}


def field_names():
    """ENTRY_… -> the field's name in the journal."""
    return dict(re.findall(r'\[(ENTRY_\w+)\] = \{"(\w+)"', read("daemon/record/event.c")))


class Source:
    """The functions of a source that logs, with what they say and whom they call."""

    def __init__(self, name):
        text, self.names = read(name), field_names()
        assert self.names
        self.tables = {table: re.findall(r"EVENT_\w+", body) for table, body in re.findall(r"(\w+)\[\w+\] = \{(.*?)\};", text, re.S)}
        self.bodies = dict(re.findall(r"^\w[\w *]*?\b(\w+)\([^;{]*?\)\n\{\n(.*?)^\}", text, re.M | re.S))

    def called(self, name):
        return {f for f in self.bodies if f != name and re.search(r"\b%s\(" % f, self.bodies[name])}

    def fields(self, name):
        """What a function adds, itself or through others."""
        found = {self.names[f] for f in re.findall(r"\bENTRY_[A-Z_]+", self.bodies[name])}
        return found.union(*(self.fields(f) for f in self.called(name)))

    def of_events(self):
        """(event, fields) of each call of event_log."""
        for name, body in self.bodies.items():
            if "event_log(" not in body:
                continue
            told = set(re.findall(r"\bEVENT_\w+", body))
            told |= {e for f in self.called(name) for e in re.findall(r"\bEVENT_\w+", self.bodies[f])}
            told |= {e for table, inside in self.tables.items() if table + "[" in body for e in inside}
            # Who is given the fields by his caller says what that one has put into them.
            given = [f for f in self.bodies if name in self.called(f)] if "f->list" in body else [name]
            for event in told:
                yield event, set.intersection(*(self.fields(f) for f in given))


def logged():
    """EVENT_… -> the fields that each of its entries has."""
    always = {}
    for name in glob.glob("daemon/**/*.c", root_dir=TOP, recursive=True):
        for event, fields in Source(name).of_events() if name != "daemon/record/event.c" else ():
            always[event] = always[event] & fields if event in always else fields
    return always


def check_against_the_code(problems):
    known, told, always = events(), entries(read(CATALOG)), logged()
    ids = {message_id: event for event, (_, message_id) in known.items()}
    for event in sorted(set(known) ^ set(always)):
        problems.append("%s is not both declared and logged" % event)
    for event, (name, message_id) in known.items():
        if message_id not in told:
            problems.append("%s (%s) has no entry" % (name, message_id))
    for message_id, entry in told.items():
        if message_id not in ids:
            problems.append("no event has the id " + message_id)
            continue
        event = ids[message_id]
        may = GENERAL | (always.get(event, set()) - UNSURE)
        # A failure need not be of one object, and only an answer has a status.
        if event in ("EVENT_FAILED", "EVENT_ACCESS_UNCERTAIN", "EVENT_NOT_CONVERGING", "EVENT_ACCOUNT_FAILED"):
            may -= {"IMAGEKEEPER_TARGET"} | ({"IMAGEKEEPER_HTTP_STATUS"} if event != "EVENT_ACCESS_UNCERTAIN" else set())
        for field in sorted(entry.fields - may):
            problems.append("%s: not every entry has %s" % (known[event][0], field))
        if not entry.subject or not entry.text:
            problems.append("%s: says nothing" % known[event][0])


def check_with_journalctl(problems):
    """It is compiled and listed; this needs no journal."""
    with tempfile.TemporaryDirectory() as root:
        for folder in ("usr/lib/systemd/catalog", "var/lib/systemd/catalog"):
            os.makedirs(os.path.join(root, folder))
        with open(os.path.join(root, "usr/lib/systemd/catalog/imagekeeper.catalog"), "w", encoding="utf-8") as f:
            f.write(read(CATALOG))
        run = lambda *words: subprocess.run(["journalctl", "--root=" + root] + list(words), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        made = run("--update-catalog")
        if made.returncode or made.stdout:
            problems.append("journalctl --update-catalog: %d %s" % (made.returncode, made.stdout))
        shown = run("--dump-catalog").stdout
        for message_id, entry in entries(read(CATALOG)).items():
            found = entries(shown).get(message_id)
            if not found or (found.subject, found.text) != (entry.subject, entry.text):
                problems.append("journalctl --dump-catalog does not show %s as it is written" % message_id)


def main():
    failed = 0
    print("1..2")
    for n, check in enumerate((check_against_the_code, check_with_journalctl), 1):
        problems = []
        try:
            check(problems)
        except FileNotFoundError as e:
            if e.filename != "journalctl":
                raise
            print("ok %d - %s # SKIP there is no journalctl" % (n, check.__name__))
            continue
        print("%sok %d - %s" % ("not " if problems else "", n, check.__name__))
        for problem in problems:
            print("# " + problem)
        failed += bool(problems)
    sys.exit(1 if failed else 0)


main()
