#!/usr/bin/env python3
"""The same specs on the same images of the simulator's OpenStack and of a real one: the same plans, the same requests, the same images."""
import contextlib
import itertools
import os
import sqlite3
import sys
import threading
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import openstack
from case import *
from openstack_world import *

_numbers = itertools.count(1)
_clouds = threading.local()


def real_cloud():
    """One for all cases of a thread, which it dies with."""
    if not hasattr(_clouds, "one"):
        _clouds.one = openstack.OpenStack()
        atexit.register(shutil.rmtree, _clouds.one.directory, ignore_errors=True)
        _clouds.one.start()
    return _clouds.one


def admins_project(cloud):
    if "admins" not in cloud.ids:
        cloud.ids["admins"] = cloud.identity("GET", "/projects?name=" + openstack.ADMIN)["projects"][0]["id"]
    return cloud.ids["admins"]


class Side(Programs):
    """One cloud with its own folder, configuration and specs."""

    def configure(self, top="", account=""):
        self.write_config("  - name: lab\n    type: openstack\n    cloud: lab\n    cloudsFile: ./clouds.yaml\n" + account, top)

    def spec(self, document="golden", /, target=None, selector=None, reconcile="", account="lab", file=None, **want):
        self.document("GlanceImage", document, account, target, selector, reconcile, file, want)


class SimulatedSide(Side):
    def __init__(self, folder, sim, project, admins):
        os.mkdir(folder)
        Programs.__init__(self, folder)
        self.sim, self.project, self.admins = sim, project, admins
        sim.add_keystone_project(openstack.PROJECT, project)
        sim.add_keystone_project(openstack.ADMIN, admins)
        sim.add_keystone_user(openstack.USER, openstack.USER_PASSWORD, projects=(project,))
        simulator.write_clouds_yaml(folder, sim, auth={"username": openstack.USER, "password": openstack.USER_PASSWORD, "project_name": openstack.PROJECT})
        self.configure()

    def image(self, image, name, of_admin=False, **members):
        members = dict({"disk_format": "raw", "container_format": "bare"}, **members)
        self.sim.add_glance_image(name, image, owner=self.admins if of_admin else self.project, **members)

    def change(self, image, remove=(), **members):
        if members:
            self.sim.change(image, **members)
        if remove:
            self.sim.strip(image, *remove)

    def delete(self, image):
        self.sim.delete(image)

    def age(self, image, seconds):
        self.sim.change(image, created_at=seconds_text(seconds), updated_at=seconds_text(seconds))

    def live(self):
        images = {image: told["image"] for image, told in self.sim.glance_images().items()}
        return {image: live for image, live in images.items() if live["status"] not in ("killed", "deleted")}  # which no list shows

    def asked(self):
        return [dict(r, path=r["path"][len("/image"):], sent=r["body"]) for r in self.sim.requests() if r["path"].startswith("/image/")]

    def logins(self):
        return self.sim.requests("CreateKeystoneToken")


class RealSide(Side):
    def __init__(self, folder, cloud):
        os.mkdir(folder)
        Programs.__init__(self, folder)
        self.cloud, self.project = cloud, cloud.ids["project"]
        self.before = len(cloud.requests()), len(cloud.auth_requests())
        cloud.write_clouds_yaml(os.path.join(folder, "clouds.yaml"))
        self.configure()

    def image(self, image, name, of_admin=False, status="active", **members):
        """Without data: its status is what the database has."""
        self.cloud.create_image(name, data=None, user=openstack.ADMIN if of_admin else openstack.USER, id=image, **members)
        self.write_row(image, status=status)

    def write_row(self, image, **columns):
        with contextlib.closing(sqlite3.connect(self.cloud.glance.database, timeout=60)) as database, database:
            database.execute("UPDATE images SET %s WHERE id = ?" % ", ".join(name + " = ?" for name in columns), (*columns.values(), image))

    def change(self, image, remove=(), status=None, **members):
        if members or remove:
            self.cloud.change(image, **members, **{name: None for name in remove})
        if status:
            self.write_row(image, status=status)

    def delete(self, image):
        self.cloud.delete(image)

    def age(self, image, seconds):
        when = time.strftime("%Y-%m-%d %H:%M:%S.000000", time.gmtime(seconds))
        self.write_row(image, created_at=when, updated_at=when)

    def live(self):
        found = {}
        for filters in ({}, {"os_hidden": "true"}):
            found.update(self.cloud.list(user=openstack.ADMIN, visibility="all", **filters))
        return found

    def asked(self):
        return [r for r in self.cloud.requests()[self.before[0]:] if OURS in r["agent"]]

    def logins(self):
        return [r for r in self.cloud.auth_requests("POST", OURS) if r["path"].endswith("/auth/tokens")][self.logins_before:]

    def clear(self):
        for image, live in self.live().items():
            if live["protected"]:
                self.cloud.change(image, user=openstack.ADMIN, protected=False)
            self.cloud.delete(image, user=openstack.ADMIN)


def seconds_text(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


BORN = 1577836800  # 2020-01-01T00:00:00Z, of the first image of a case; each is a minute younger than the one before


class Pair:
    """The same in both clouds. Ids are chosen by who makes an image, so that they are the same, too."""

    def __init__(self, folder, sim, cloud):
        self.real = RealSide(os.path.join(folder, "real"), cloud)
        self.real.logins_before = len([r for r in cloud.auth_requests("POST", OURS) if r["path"].endswith("/auth/tokens")])
        self.simulated = SimulatedSide(os.path.join(folder, "simulated"), sim, cloud.ids["project"], admins_project(cloud))
        self.sides = (self.simulated, self.real)
        self.daemons, self.ids = [], []

    @classmethod
    @contextlib.contextmanager
    def made(cls, folder, start=None):
        with simulator.Simulator(directory=tempfile.mkdtemp(dir=folder), stderr=subprocess.DEVNULL) as sim:
            w = cls(folder, sim, real_cloud())
            try:
                yield w
            finally:
                w.real.clear()

    def check(self):
        """What the whole case left behind."""
        self.same("images", lambda side: self.images(side))
        self.same("requests", lambda side: sorted(map(request_text, side.asked())))
        self.same("logins", lambda side: len(side.logins()))

    def each(self, call, /, *words, **how):
        for side in self.sides:
            getattr(side, call)(*words, **how)

    def image(self, name="image", **members):
        image = "5a3e0000-0000-4000-8000-%08x%04x" % (os.getpid(), next(_numbers))
        self.ids.append(image)
        self.each("image", image, name, **members)
        self.age(image)
        return image

    def age(self, *images):
        """As if nobody had changed them for long."""
        for image in images or self.ids:
            self.each("age", image, BORN + 60 * self.ids.index(image))

    def spec(self, /, *words, **how):
        self.each("spec", *words, **how)

    def change(self, image, **how):
        self.each("change", image, **how)
        self.age(image)

    def same(self, what, find):
        simulated, real = map(find, self.sides)
        assert simulated == real, "%s differ:\nsimulated %s\nreal      %s" % (
            what, json.dumps(simulated, indent=1, sort_keys=True), json.dumps(real, indent=1, sort_keys=True))
        return simulated

    # What tells the clouds apart in any case.
    @staticmethod
    def images(side):
        left_out = ("checksum", "size", "virtual_size", "os_hash_algo", "os_hash_value", "stores", "updated_at", "locations", "direct_url", "owner")
        return {image: dict({name: value for name, value in live.items() if name not in left_out}, tags=sorted(live["tags"]),
                            touched=live["updated_at"] != live["created_at"], own=live["owner"] == side.project)
                for image, live in side.live().items()}

    def report(self, side, *words):
        result = side.run(*words, "-o", "json")
        assert result.out, result.err
        report = json.loads(re.sub(r"https?://127\.0\.0\.1:[0-9]+(/identity)?", "CLOUD", result.out.replace(side.folder, "FOLDER")))
        for error in report["errors"]:
            error.update(opcRequestId=error["opcRequestId"] is not None, message=in_our_words(error["message"]))
        report["status"] = result.status
        for change in report["changes"]:
            change["attributes"].sort(key=lambda a: a["path"])
            change["reason"] = in_our_words(change["reason"])
        report["changes"].sort(key=lambda c: (c["target"], c["name"]))
        report["errors"].sort(key=lambda e: e["name"])
        return report

    def run(self, *words):
        """A command in both; what both of them said."""
        return self.same(" ".join(words), lambda side: self.report(side, *words))

    def plan(self, status=None):
        report = self.run("plan", "--show-ignored")
        assert status in (None, report["status"]), report
        return report

    def apply(self, status=None, *words):
        report = self.run("apply", *words)
        assert status in (None, report["status"]), report
        return report

    def round(self, before=2, during=0, after=0):
        """Plan, apply and plan again; the report of the first and of the second."""
        plan, done = self.plan(before), self.apply(during)
        self.plan(after)
        return plan, done


# In these the simulator's words are others than Glance's.
WORDS = [(re.compile(pattern), label) for pattern, label in (
    (r"Provided object does not match schema 'image': .*?(?=; change what is asked|$)", "NO SUCH VALUE"),
    (r"The limit has been exceeded on the number of allowed image (properties|tags)\.( Attempted: [0-9]+, Maximum: [0-9]+)?", r"TOO MANY \1"),
    (r"You are not authorized to complete modify_image action\.|You do not own this image", "NOT YOURS"))]


def in_our_words(text):
    for pattern, label in WORDS:
        text = text and pattern.sub(label, text)
    return text


def request_text(r):
    """A request in words that are the same in both: parameters and operations have no order, and tags have none."""
    query = sorted((name, value) for name, value in urllib.parse.parse_qsl(r["query"]))
    sent = r.get("sent")
    if isinstance(sent, list):
        sent = sorted(json.dumps(dict(o, value=sorted(o["value"])) if isinstance(o.get("value"), list) else o, sort_keys=True) for o in sent)
    return json.dumps([r["method"], r["path"], query, r["status"], sent if r["method"] == "PATCH" else None])


# --- one image: what it has, what is declared, how it ends (plan, apply, plan) ---

PLAIN = {"hw_disk_bus": "virtio", "legacy": "yes", "other": "stays", "tags": ["kept", "theirs"]}
ROWS = {  # name: image, document, exits
    "nothing_to_do": (dict(PLAIN, min_ram=5), {"name": "image", "min_ram": 5, "tags": ["kept"], "properties": {"legacy": "yes", "gone": None}}, (0, 0, 0)),
    "a_name": ({}, {"name": "another"}, (2, 0, 0)),
    "a_name_of_255_letters": ({}, {"name": "ä" * 127 + "x"}, (2, 0, 0)),
    "private": ({}, {"visibility": "private"}, (2, 0, 0)),
    "community": ({"visibility": "private"}, {"visibility": "community"}, (2, 0, 0)),
    "shared": ({"visibility": "community"}, {"visibility": "shared"}, (2, 0, 0)),
    "public_which_only_an_administrator_may": ({}, {"visibility": "public"}, (2, 1, 2)),
    "protected": ({}, {"protected": True}, (2, 0, 0)),
    "not_protected": ({"protected": True}, {"protected": False}, (2, 0, 0)),
    "hidden": ({}, {"os_hidden": True}, (2, 0, 0)),
    "not_hidden": ({"os_hidden": True}, {"os_hidden": False}, (2, 0, 0)),
    "least_memory": ({}, {"min_ram": 2147483647}, (2, 0, 0)),
    "no_memory": ({"min_ram": 7}, {"min_ram": 0}, (2, 0, 0)),
    "least_disk": ({"min_disk": 1}, {"min_disk": 2}, (2, 0, 0)),
    "first_tags": ({}, {"tags": ["a", "b"]}, (2, 0, 0)),
    "more_tags": ({"tags": ["a", "z"]}, {"tags": ["a", "b"]}, (2, 0, 0)),
    "exact_tags": ({"tags": ["a", "z"]}, {"tags": ["a", "b"], "reconcile": "{tags: exact}"}, (2, 0, 0)),
    "no_tags": ({"tags": ["a", "z"]}, {"tags": [], "reconcile": "{tags: exact}"}, (2, 0, 0)),
    "odd_tags": ({}, {"tags": ["with space", "a/b~c", "ünïcödé", "x" * 255, "A", "a", "1"]}, (2, 0, 0)),
    "a_property_that_is_new": ({}, {"properties": {"ours": "1"}}, (2, 0, 0)),
    "a_property_that_changes": (PLAIN, {"properties": {"hw_disk_bus": "scsi"}}, (2, 0, 0)),
    "a_property_that_goes": (PLAIN, {"properties": {"legacy": None}}, (2, 0, 0)),
    "a_property_that_is_empty": (PLAIN, {"properties": {"legacy": "", "other": ""}}, (2, 0, 0)),
    "properties_of_odd_names": ({"a.b": "1"}, {"properties": {"a.b": "2", "a/b": "3", "a~b": "4", "~1": "5", "__os_type": "Linux", "x" * 255: "6", "A": "7", "-": "8"}}, (2, 0, 0)),
    "properties_of_odd_values": ({}, {"properties": {"a": "\"'\\", "b": "one\ntwo\t", "c": "日本 ö", "d": "x" * 20000, "e": " ", "f": True, "g": 17, "h": 1.5}}, (2, 0, 0)),
    "properties_beside_exact_tags": (PLAIN, {"tags": ["new"], "properties": {"ours": "1"}, "reconcile": "{tags: exact}"}, (2, 0, 0)),
    "kernel_id_that_is_none": ({}, {"properties": {"kernel_id": "nonsense", "ours": "1"}}, (2, 1, 2)),
    "kernel_id": ({}, {"properties": {"kernel_id": "5a3e0000-0000-4000-8000-000000000000"}}, (2, 0, 0)),
    "everything": (PLAIN, {"name": "debian 13", "visibility": "community", "protected": True, "os_hidden": True, "min_ram": 512, "min_disk": 4,
                           "tags": ["golden", "kept"], "properties": {"hw_disk_bus": "scsi", "hw_firmware_type": "uefi", "legacy": None}}, (2, 0, 0)),
    "observed": (PLAIN, {"name": "x", "reconcile": "{mode: observe}"}, (2, 2, 2)),
    "ignored": (PLAIN, {"name": "x", "tags": ["new"], "properties": {"hw_disk_bus": "scsi", "legacy": None, "ours": "1"},
                        "reconcile": "{ignore: [name, \"tags.*\", \"properties.hw_*\"]}"}, (2, 0, 0)),
    "suspended": (PLAIN, {"name": "x", "reconcile": "{suspend: {until: \"2099-01-01T00:00:00Z\", reason: ticket}}"}, (0, 0, 0)),
    "suspended_until_long_ago": (PLAIN, {"name": "x", "reconcile": "{suspend: {until: \"2020-01-01T00:00:00Z\", reason: ticket}}"}, (2, 0, 0)),
    "128_properties": ({"p%d" % n: "x" for n in range(127)}, {"properties": {"ours": "1"}}, (2, 0, 0)),
    "129_properties": ({"p%d" % n: "x" for n in range(128)}, {"properties": {"ours": "1"}}, (2, 1, 2)),
    "one_property_for_another_at_the_limit": ({"p%d" % n: "x" for n in range(128)}, {"properties": {"ours": "1", "p0": None}}, (2, 0, 0)),
    "129_tags": ({}, {"tags": ["t%d" % n for n in range(129)]}, (2, 1, 2)),
}
for _status in ("queued", "saving", "uploading", "importing", "killed"):
    ROWS["an_image_that_is_" + _status] = (dict(PLAIN, status=_status), {"name": "x"}, (2, 2, 2))
ROWS["an_image_that_is_deactivated"] = (dict(PLAIN, status="deactivated"), {"name": "x", "properties": {"legacy": None}}, (2, 0, 0))
ROWS["an_image_that_is_pending_delete"] = (dict(PLAIN, status="pending_delete"), {"name": "x"}, (1, 1, 1))


def add_row(name, members, want, exits):
    def one(w):
        image = w.image(**members)
        w.spec(target=image, **want)
        w.round(*exits)
    one.__name__ = "one_image__" + name
    case(one)


for _name, _row in ROWS.items():
    add_row(_name, *_row)


# --- selectors ---

SHOWN = [
    dict(name="golden a", visibility="private", tags=["g", "x"], hw_disk_bus="virtio", tier="gold", min_ram=64),
    dict(name="golden b", visibility="shared", tags=["g"], protected=True, tier="silver", min_disk=3),
    dict(name="silver", visibility="community", tags=["x", "g"], hw_disk_bus="scsi"),
    dict(name="Golden a", visibility="private", os_hidden=True, tags=["g"], tier="gold"),
    dict(name="golden hidden", os_hidden=True, protected=True, tags=[], min_ram=64),
    dict(name="golden queued", status="queued", tags=["g"], tier="gold"),
    dict(name="golden deactivated", status="deactivated", tags=["g"], tier="gold"),
    dict(name="golden killed", status="killed", tags=["g"]),
    dict(name="golden saving", status="saving", tags=["g"], os_hidden=True),
    dict(name="golden other's", of_admin=True, visibility="public", tags=["g"], tier="gold"),
    dict(name="golden of a community", of_admin=True, visibility="community", tags=["g"]),
    dict(name="golden that nobody sees", of_admin=True, visibility="private", tags=["g"]),
    dict(name="[a-z]*?", tags=["*"], note="*"),
]
SELECTORS = {
    "all": {"name": "*"}, "glob": {"name": "golden*"}, "glob_of_one": {"name": "?olden a"}, "brackets": {"name": "[a-z]*?"}, "nobody": {"name": "nobody"},
    "private": {"visibility": "private"}, "shared": {"visibility": "shared"}, "community": {"visibility": "community"}, "public": {"visibility": "public"},
    "protected": {"protected": True}, "not_protected": {"protected": False}, "hidden": {"os_hidden": True}, "not_hidden": {"os_hidden": False},
    "min_ram": {"min_ram": 64}, "no_min_ram": {"min_ram": 0}, "min_disk": {"min_disk": 3},
    "tag": {"tags": ["g"]}, "tags": {"tags": ["g", "x"]}, "star_tag": {"tags": ["*"]}, "property": {"properties": {"tier": "gold"}},
    "any_property": {"properties": {"tier": "*"}}, "two_properties": {"properties": {"tier": "*", "hw_disk_bus": "virtio"}},
    "base_property": {"properties": {"min_ram": "64", "protected": "false", "disk_format": "raw"}},
    "queued": {"status": "queued"}, "saving": {"status": "saving"}, "active": {"status": "active"}, "deactivated": {"status": "deactivated"}, "killed": {"status": "killed"},
    "everything": {"name": "golden ?", "visibility": "private", "protected": False, "os_hidden": False, "min_ram": 64, "min_disk": 0, "tags": ["x"],
                   "status": "active", "properties": {"tier": "gold", "hw_disk_bus": "*"}},
}


@case
def each_condition_of_a_selector_takes_the_same_images(w):
    for members in SHOWN:
        w.image(**members)
    for name, conditions in SELECTORS.items():
        w.spec(selector=conditions, properties={"ours": "1"})
        found = w.plan()
        assert found["summary"]["objects"] == len(found["changes"]), (name, found)
        assert found["errors"] == [] and (found["changes"] or name in ("nobody", "public", "killed")), (name, found)


@case
def an_owner_that_is_named_shows_what_one_may_see(w):
    for members in SHOWN:
        w.image(**members)
    for side in w.sides:
        side.spec(selector={"owner": side.live()[w.ids[-2]]["owner"], "name": "golden*"}, properties={"ours": "1"})
    assert len(w.plan(2)["changes"]) == 2
    report = w.apply(1)
    assert report["errors"][0]["status"] == 403


def add_pages(size, count, hidden):
    def one(w):
        for n in range(count):
            w.image("image %02d" % n, os_hidden=n < hidden)
        w.each("configure", account="    pageSize: %s\n" % size)
        w.spec(selector={"name": "image*"}, tags=["ours"])
        plan, done = w.round()
        assert len(plan["changes"]) == count and plan["summary"]["requests"] > 2, plan["summary"]
    one.__name__ = "pages_of_%s__%d_images_and_%d_of_them_hidden" % (size, count, hidden)
    case(one)


add_pages(3, 7, 2)
add_pages(3, 6, 3)
add_pages(1, 3, 1)
add_pages(5, 5, 5)
add_pages("auto", 4, 2)


# --- several documents and rounds ---


@case
def many_documents_by_id_are_found_with_lists(w):
    ids = [w.image("i%d" % n) for n in range(6)]
    for n, image in enumerate(ids):
        w.spec("d%d" % n, target=image, min_ram=n)
    plan, done = w.round()
    assert plan["summary"]["inSync"] == 1 and len(done["changes"]) == 5


@case
def documents_that_share_an_image(w):
    image = w.image(tags=["a"])
    w.spec("a", target=image, properties={"a": "1"})
    w.spec("b", target=image, tags=["b"])
    assert len(w.plan(2)["changes"]) == 2


@case
def documents_that_claim_the_same(w):
    image, other = w.image(), w.image("other")
    w.spec("a", target=image, properties={"a": "1"})
    w.spec("b", selector={"name": "image"}, properties={"a": "2"})
    w.spec("c", target=other, min_ram=5)
    report = w.apply(1)
    assert {e["name"] for e in report["errors"]} == {"a", "b"} and len(report["changes"]) == 1


@case
def an_id_that_is_not_there(w):
    image = w.image()
    w.spec("gone", target="5a3e0000-0000-4000-8000-00000000dead", name="x")
    assert w.apply(1)["errors"][0]["status"] == 404
    w.spec("there", target=image, name="x")
    assert w.apply(1)["errors"][0]["status"] == 404
    w.plan(1)


@case
def an_image_that_was_deleted(w):
    image, other = w.image(), w.image("other")
    w.spec("one", target=image, name="x")
    w.spec("two", target=other, name="y")
    w.plan(2)
    w.each("delete", image)
    w.ids.remove(image)
    assert w.apply(1)["errors"][0]["target"] == image
    w.plan(1)


@case
def images_of_somebody_elses(w):
    for n, visibility in enumerate(("public", "community", "private")):
        w.spec(visibility, target=w.image(visibility, of_admin=True, visibility=visibility), properties={"ours": "1"})
    w.spec("own", target=w.image(), properties={"ours": "1"})
    report = w.apply(1)
    assert {e["name"]: e["status"] for e in report["errors"]} == {"public": 403, "community": 403, "private": 404}


@case
def drift_is_repaired_again_and_again(w):
    image = w.image(hw_disk_bus="virtio", tags=["a"])
    w.spec(target=image, properties={"hw_disk_bus": "virtio", "gone": None}, tags=["a"], min_ram=0, name="image")
    w.plan(0)
    for change in (dict(hw_disk_bus="scsi"), dict(gone="back", tags=["b"]), dict(remove=["hw_disk_bus"]), dict(min_ram=5, name="other", tags=[]),
                   dict(other="stays")):
        w.change(image, **change)
        w.round(None, 0, 0)
        w.age(image)


@case
def saved_plans_of_what_changed_since(w):
    ids = [w.image("i%d" % n, mine="0") for n in range(4)]
    for n, image in enumerate(ids):
        w.spec("d%d" % n, target=image, properties={"mine": "1"})
    w.plan(2)
    for side in w.sides:
        side.write(os.path.join(side.folder, "plan.json"), side.plan().expect(2).out)
    w.change(ids[0], mine="2")
    w.change(ids[1], mine="1")
    w.change(ids[2], theirs="3")
    report = w.same("apply --plan", lambda side: w.report(side, "apply", "--plan", os.path.join(side.folder, "plan.json")))
    assert {c["name"]: c["outcome"] for c in report["changes"]} == {"d0": "held", "d1": "held", "d2": "done", "d3": "done"}, report
    w.plan()


@case
def more_changes_than_allowed(w):
    for n in range(3):
        w.image("image %d" % n)
    w.each("configure", top="limits: {maxChanges: 2}\n")
    w.spec(selector={"name": "image*"}, min_ram=1)
    assert {c["outcome"] for c in w.apply(2)["changes"]} == {"held"}


@case
def observing_everything(w):
    w.spec(target=w.image(), name="x")
    w.each("configure", top="mode: observe\n")
    w.round(2, 2, 2)


@case
def an_application_credential(w):
    w.simulated.sim.add_application_credential("lab", openstack.CREDENTIAL_SECRET, "c" * 32, project=w.real.project,
                                               user=w.simulated.sim.add_keystone_user(openstack.USER, openstack.USER_PASSWORD, projects=(w.real.project,)))
    w.real.cloud.write_clouds_yaml(os.path.join(w.real.folder, "clouds.yaml"), "v3applicationcredential")
    simulator.write_private(os.path.join(w.simulated.folder, "clouds.yaml"), "clouds: " + json.dumps({"lab": {
        "auth_type": "v3applicationcredential", "region_name": "RegionOne", "cacert": w.simulated.sim.ca_file,
        "auth": {"auth_url": w.simulated.sim.endpoint + "/identity/v3", "application_credential_id": "c" * 32,
                 "application_credential_secret": openstack.CREDENTIAL_SECRET}}}) + "\n")
    w.spec(target=w.image(), name="x")
    w.round()


def add_refused_login(name, auth, wrong):
    def one(w):
        simulator.write_clouds_yaml(w.simulated.folder, w.simulated.sim, auth=dict(
            {"username": openstack.USER, "password": openstack.USER_PASSWORD, "project_name": openstack.PROJECT}, **wrong))
        path = os.path.join(w.real.folder, "clouds.yaml")
        with open(path) as file:
            text = file.read()
        for key, value in wrong.items():
            text = re.sub("(?m)^( +%s:).*$" % key, "\\1 " + value, text)
        openstack.write(path, text)
        w.spec(target=w.image(), name="x")
        w.plan(1)
    one.__name__ = "a_login_that_is_refused__" + name
    case(one)


add_refused_login("wrong_password", "password", {"password": "Wrong-Password-1"})
add_refused_login("wrong_user", "password", {"username": "nobody"})
add_refused_login("wrong_project", "password", {"project_name": "nowhere"})
add_refused_login("wrong_domain", "password", {"user_domain_name": "Elsewhere"})


if __name__ == "__main__":
    if openstack.requires():
        skip(openstack.requires())
    run(workers=2, world=Pair)
