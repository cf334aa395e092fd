#!/usr/bin/env python3
"""GlanceImage against a real Glance and a real Keystone, beside other clients of the same images."""
import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import openstack
import sim as simulator
from case import *
from openstack_world import *


# --- the clouds themselves, without the program under test ---


@case
def the_servers_are_what_the_tests_take_them_for(w):
    image = w.image("debian", hw_disk_bus="virtio", tags=["golden"])
    live = w.live(image)
    assert (live["status"], live["hw_disk_bus"], live["tags"], live["owner"]) == ("active", "virtio", ["golden"], w.cloud.ids["project"])
    assert w.live(w.image("empty", data=None))["status"] == "queued"
    w.client("image", "set", "--property", "hw_disk_bus=scsi", "--min-ram", "512", image)
    assert (w.live(image)["hw_disk_bus"], w.live(image)["min_ram"]) == ("scsi", 512)
    w.cloud.change(image, hw_disk_bus=None, hw_firmware_type="uefi")
    assert "hw_disk_bus" not in w.live(image) and w.live(image)["hw_firmware_type"] == "uefi"
    assert set(w.cloud.list()) == {r["answer"]["id"] for r in w.cloud.requests("PATCH")} | set(w.cloud.list(status="queued"))
    # A missing property cannot be replaced, one that is no text cannot be set, and the user is no administrator.
    for operation, status in (({"op": "replace", "path": "/gone", "value": "x"}, 409), ({"op": "add", "path": "/number", "value": 1}, 400),
                              ({"op": "replace", "path": "/visibility", "value": "public"}, 403)):
        try:
            w.cloud.patch(image, [operation])
        except openstack.OpenStackError as e:
            assert e.status == status, e
        else:
            raise AssertionError("%s was let through" % operation)


@case
def a_change_of_the_password_makes_tokens_void_and_the_application_credential_still_works(w):
    cloud = w.start(token_cache=-1)
    image, token = w.image(), cloud.token()
    cloud.revoke_tokens()
    status = lambda: openstack.call(cloud.image_url, "GET", "/v2/images/" + image, headers={"X-Auth-Token": token})[0]
    assert status() == 401
    w.rest()
    clouds = cloud.write_clouds_yaml(w.clouds_file, auth="v3applicationcredential")
    assert "image" in cloud.client("image", "show", "-c", "name", image, clouds=clouds)


# --- plan and apply ---


def declared(w, ids, **want):
    for n, image in enumerate(ids, 1):
        w.spec("i%02d" % n, target=image, **want)


def differences(change):
    return {a["path"]: (a["from"], a["to"]) for a in change["attributes"]}


def operations(patch):
    """Path to (operation, value) of a PATCH; a list of tags as a set."""
    assert len({o["path"] for o in patch["sent"]}) == len(patch["sent"]), patch["sent"]
    return {o["path"]: (o["op"], set(o["value"]) if isinstance(o.get("value"), list) else o.get("value")) for o in patch["sent"]}


EVERYTHING = {"name": "debian 13", "visibility": "community", "protected": True, "os_hidden": True, "min_ram": 512, "min_disk": 4,
              "tags": ["golden", "kept"], "properties": {"hw_disk_bus": "scsi", "hw_firmware_type": "uefi", "legacy": None}}


def everything(w):
    """An image that differs in all that can differ, and its document."""
    image = w.image("debian", hw_disk_bus="virtio", legacy="yes", other="stays", tags=["kept", "theirs"])
    w.spec(target=image, **EVERYTHING)
    return image


@case
def validate_needs_no_cloud_and_tells_every_mistake(w):
    w.write_config("  - name: lab\n    type: openstack\n    cloud: lab\n    cloudsFile: %s\n" % w.clouds_file)
    openstack.write(w.clouds_file, "clouds: {lab: {auth: {auth_url: 'http://127.0.0.1:9/v3', username: lab, password: x, project_name: lab, "
                    "user_domain_name: Default, project_domain_name: Default}}}\n")
    image = "5eed0000-0000-4000-8000-000000000001"
    w.spec(target=image, **EVERYTHING)
    w.run("validate").expect(0)
    w.spec("one", target=image, min_ram=-1, visibility="secret", tags=["a", "a"])
    w.spec("two", target=image, properties={"os_glance_x": "y", "status": "active"}, protected="perhaps")
    err = w.run("validate").expect(1).err
    for word in ("one.yaml", "min_ram", "visibility", "tags", "two.yaml", "os_glance_x", "status", "protected"):
        assert word in err, "%s is not in\n%s" % (word, err)


@case
def plan_shows_each_difference_and_writes_nothing(w):
    image = everything(w)
    before = w.live(image)
    change, = w.plan().expect(2).json["changes"]
    assert (change["kind"], change["target"], change["action"], change["outcome"]) == ("GlanceImage", image, "update", "planned")
    assert differences(change) == {
        "name": ("debian", "debian 13"), "visibility": ("shared", "community"), "protected": (False, True), "os_hidden": (False, True),
        "min_ram": (0, 512), "min_disk": (0, 4), "tags.golden": (None, "golden"), "properties.hw_disk_bus": ("virtio", "scsi"),
        "properties.hw_firmware_type": (None, "uefi"), "properties.legacy": ("yes", None)}
    assert all(a["line"] > 0 and a["column"] > 0 for a in change["attributes"])
    assert w.live(image) == before and not w.patches()


@case
def apply_sends_one_patch_of_what_differs_in_glances_types_and_then_none(w):
    image = everything(w)
    change, = w.apply().expect(0).json["changes"]
    assert change["outcome"] == "done"
    patch, = w.patches()
    assert operations(patch) == {
        "/name": ("replace", "debian 13"), "/visibility": ("replace", "community"), "/protected": ("replace", True),
        "/os_hidden": ("replace", True), "/min_ram": ("replace", 512), "/min_disk": ("replace", 4),
        "/tags": ("replace", {"golden", "kept", "theirs"}), "/hw_disk_bus": ("replace", "scsi"), "/hw_firmware_type": ("add", "uefi"),
        "/legacy": ("remove", None)}
    live = w.live(image)
    assert set(live["tags"]) == {"golden", "kept", "theirs"} and live["other"] == "stays" and "legacy" not in live
    assert all(live[name] == EVERYTHING[name] for name in ("name", "visibility", "protected", "os_hidden", "min_ram", "min_disk"))
    assert w.apply().expect(0).json["changes"] == []
    assert w.plan().expect(0).json["summary"]["inSync"] == 1
    assert len(w.patches()) == 1


@case
def exact_tags_take_away_what_is_not_declared_and_properties_stay(w):
    image = w.image(tags=["a", "b", "c"], other="stays")
    w.spec(target=image, tags=["b", "d"], properties={"mine": "1"}, reconcile="{tags: exact}")
    change, = w.plan().expect(2).json["changes"]
    assert differences(change) == {"tags.a": ("a", None), "tags.c": ("c", None), "tags.d": (None, "d"), "properties.mine": (None, "1")}
    w.apply().expect(0)
    assert set(w.live(image)["tags"]) == {"b", "d"} and w.live(image)["other"] == "stays"
    w.apply().expect(0)
    assert len(w.patches()) == 1


@case
def properties_of_all_names_and_texts_arrive_as_they_are_written(w):
    # Glance itself takes no characters beyond the first 65536.
    properties = {"a/b": "slash", "a~b": "tilde", "a~1b": "both", "a.b": "dot", "__os_type": "Linux", "empty": "", "yes": "true", "n": "1",
                  "quotes": "\"'\\", "lines": "one\ntwo\ttab", "unicode": "Grüße, 日本, €", "Case": "A", "long": "x" * 2000}
    image = w.image()
    w.spec(target=image, properties=properties)
    w.apply().expect(0)
    assert {name: value for name, value in w.live(image).items() if name in properties} == properties
    w.plan().expect(0)
    w.spec(target=image, properties={name: None for name in properties})
    w.apply().expect(0)
    assert not set(w.live(image)) & set(properties)
    w.apply().expect(0)
    assert len(w.patches()) == 2


@case
def many_documents_on_one_image_do_not_undo_each_other(w):
    # Two PATCHes of one image at a time lose one of them in the server, although both are answered with 200.
    image = w.image()
    for n in range(6):
        w.spec("d%d" % n, target=image, properties={"p%d" % n: str(n)})
    w.spec("tags", target=image, tags=["golden"])
    w.apply().expect(0)
    live = w.live(image)
    assert [live.get("p%d" % n) for n in range(6)] == [str(n) for n in range(6)] and live["tags"] == ["golden"]
    patches = sorted(w.patches(), key=lambda r: r["start"])
    assert all(a["end"] <= b["start"] for a, b in zip(patches, patches[1:])), "two PATCHes of one image at the same time"
    w.plan().expect(0)


@case
def observed_ignored_and_foreign_differences_are_not_written(w):
    image = w.image("debian", hw_disk_bus="virtio", tags=["a"])
    w.spec(target=image, name="other", reconcile="{mode: observe}")
    assert w.apply().expect(2).json["changes"][0]["outcome"] == "observed"
    w.spec(target=image, name="other", properties={"hw_disk_bus": "scsi", "mine": "1"}, tags=["b"],
           reconcile='{ignore: [name, "properties.hw_*", "tags.*"]}')
    assert list(differences(w.plan().expect(2).json["changes"][0])) == ["properties.mine"]
    w.apply().expect(0)
    live = w.live(image)
    assert (live["name"], live["hw_disk_bus"], live["tags"], live["mine"]) == ("debian", "virtio", ["a"], "1")


@case
def an_image_that_is_still_being_made_waits(w):
    image = w.image("empty", data=None)
    w.spec(target=image, properties={"mine": "1"})
    change, = w.apply().expect(2).json["changes"]
    assert change["outcome"] == "held" and "queued" in change["reason"] and not w.patches()


# --- selectors ---


@case
def a_selector_takes_what_meets_all_conditions_over_pages_and_hidden_images_too(w):
    shown = [w.image("golden %d" % n, tags=["g"]) for n in range(6)]  # two pages that are full
    hidden = [w.image("golden %d" % n, tags=["g"], os_hidden=True) for n in range(6, 10)]
    w.image("silver", tags=["g"])
    w.image("golden other")
    w.image("golden queued", data=None, tags=["g"])
    w.image("golden admin", user=openstack.ADMIN, tags=["g"], visibility="public")
    w.configure(account="    pageSize: 3\n")
    w.spec(selector={"name": "golden*", "tags": ["g"]}, properties={"tier": "gold"})
    plan = w.plan().expect(2).json
    assert {c["target"] for c in plan["changes"]} == set(shown + hidden) and plan["summary"]["objects"] == 10
    pages = [r for r in w.cloud.requests("GET", OURS) if r["path"] == "/v2/images"]
    assert len(pages) >= 5 and all("limit=3" in page["query"] for page in pages), pages
    w.apply().expect(0)
    assert {image for image, live in dict(w.cloud.list(), **w.cloud.list(os_hidden="true")).items() if live.get("tier") == "gold"} == set(shown + hidden)
    assert w.apply().expect(0).json["summary"]["inSync"] == 10 and len(w.patches()) == 10


@case
def each_condition_of_a_selector_counts(w):
    base = dict(visibility="private", protected=True, os_hidden=False, min_ram=64, tags=["a", "b"], hw_disk_bus="virtio", os_distro="debian")
    fits = w.image("fits", **base)
    w.image("other visibility", **dict(base, visibility="shared"))
    w.image("not protected", **dict(base, protected=False))
    w.image("hidden", **dict(base, os_hidden=True))
    w.image("one tag", **dict(base, tags=["a"]))
    w.image("other value", **dict(base, hw_disk_bus="scsi"))
    w.image("no such property", **{name: value for name, value in base.items() if name != "os_distro"})
    deactivated = w.image("deactivated", **base)
    w.cloud.image_api("POST", "/images/%s/actions/deactivate" % deactivated, user=openstack.ADMIN)
    taken = lambda: sorted(c["target"] for c in w.plan().json["changes"])
    conditions = {"visibility": "private", "protected": True, "os_hidden": False, "tags": ["a", "b"], "status": "active",
                  "properties": {"hw_disk_bus": "virtio", "os_distro": "*"}}
    w.spec(selector=conditions, properties={"x": "y"})
    assert taken() == [fits]
    for name in conditions:
        w.spec(selector={key: value for key, value in conditions.items() if key != name}, properties={"x": "y"})
        assert fits in taken() and (len(taken()) > 1 or name == "status"), name
    w.spec(selector=dict(conditions, status="deactivated"), properties={"x": "y"})
    assert taken() == [deactivated]
    w.spec(selector={"name": "nobody*"}, properties={"x": "y"})
    assert w.plan().expect(0).json["summary"]["objects"] == 0


@case
def a_selector_may_ask_for_min_ram(w):
    image = w.image("small", min_ram=64)
    w.image("large", min_ram=128)
    w.spec(selector={"min_ram": 64}, properties={"x": "y"})
    assert [c["target"] for c in w.plan().expect(2).json["changes"]] == [image]


@case
def many_images_are_found_with_lists_and_no_reads_of_each(w):
    images = [w.image("i%d" % n, data=None) for n in range(12)]
    declared(w, images, name="other")
    w.plan()
    gets = w.cloud.requests("GET", OURS)
    assert len(gets) <= 3 and all(r["path"] == "/v2/images" for r in gets), gets


# --- the daemon beside another client ---


@case
def the_daemon_repairs_what_another_client_did(w):
    image = w.image("debian", hw_disk_bus="virtio", tags=["golden", "extra"])
    want = dict(name="debian", min_ram=512, visibility="private", protected=False, tags=["golden"],
                properties={"hw_disk_bus": "virtio", "gone": None})
    w.spec(target=image, **want)
    d = w.daemon()
    n = d.wait_line("updated " + image)
    right = lambda: all(w.live(image).get(key) == value for key, value in (
        ("name", "debian"), ("min_ram", 512), ("visibility", "private"), ("hw_disk_bus", "virtio"), ("gone", None))) and "golden" in w.live(image)["tags"]
    assert right()
    w.client("image", "set", "--property", "hw_disk_bus=ide", "--property", "gone=back", "--min-ram", "64", "--name", "sid", "--tag", "theirs", image)
    n = d.wait_line("updated " + image, n)
    assert '"ide" -> "virtio"' in d.lines[n - 1] and '"sid" -> "debian"' in d.lines[n - 1] and "64 -> 512" in d.lines[n - 1], d.lines[n - 1]
    assert right() and {"theirs", "extra"} <= set(w.live(image)["tags"])
    w.client("image", "unset", "--tag", "golden", "--property", "hw_disk_bus", image)
    # That command sends two requests; a round may look between them.
    eventually(right, "the repair")
    assert {"theirs", "extra"} <= set(w.live(image)["tags"])


@case
def an_image_that_is_being_changed_all_the_time_is_left_in_peace(w):
    image = w.image()
    w.spec(target=image, properties={"ours": "1"})
    over, written = threading.Event(), []

    def rival():
        while not over.is_set():
            written.append(w.cloud.change(image, agent="rival", theirs=str(len(written)))["theirs"])
            over.wait(0.2)
    thread = threading.Thread(target=rival)
    eventually(lambda: w.live(image)["status"] == "active")
    thread.start()
    try:
        change, = w.apply().expect(2).json["changes"]
        assert change["outcome"] == "held" and "somebody else" in change["reason"] and not w.patches(), change
    finally:
        over.set()
        thread.join()
    w.apply().expect(0)
    assert w.live(image)["ours"] == "1" and w.live(image)["theirs"] == written[-1]


@case
def a_saved_plan_is_refused_where_the_image_changed_since(w):
    images = [w.image("i%d" % n, mine="0") for n in range(3)]
    declared(w, images, properties={"mine": "1"})
    plan = os.path.join(w.folder, "plan.json")
    openstack.write(plan, w.plan().expect(2).out)
    w.cloud.change(images[0], mine="2")
    report = w.apply("--plan", plan).expect(2).json
    outcomes = {c["target"]: c["outcome"] for c in report["changes"]}
    assert outcomes == {images[0]: "held", images[1]: "done", images[2]: "done"}
    assert [w.live(image)["mine"] for image in images] == ["2", "1", "1"]


@case
def an_image_that_was_deleted_meanwhile_holds_up_no_other(w):
    images = [w.image("i%d" % n, mine="0") for n in range(3)]
    declared(w, images, properties={"mine": "1"})
    plan = os.path.join(w.folder, "plan.json")
    openstack.write(plan, w.plan().expect(2).out)
    w.cloud.delete(images[0])
    for arguments in (["--plan", plan], []):
        report = w.apply(*arguments).expect(1).json
        error, = report["errors"]
        assert (error["target"], error["status"]) == (images[0], 404), error
    assert [w.live(image)["mine"] for image in images[1:]] == ["1", "1"]
    d = w.daemon()
    n = d.wait_line("i01.*404")
    w.cloud.change(images[1], mine="3")
    d.wait_line("updated " + images[1], n)
    w.spec("i01", selector={"name": "i0"}, properties={"mine": "1"})
    assert w.plan().json["errors"] == []


# --- who may do what ---


@case
def an_application_credential_does_as_well(w):
    w.start(auth="v3applicationcredential")
    assert openstack.USER_PASSWORD not in open(w.clouds_file).read()
    image = everything(w)
    w.apply().expect(0)
    assert w.live(image)["name"] == "debian 13"
    assert len(w.cloud.auth_requests("POST", OURS)) == 1


@case
def a_wrong_secret_says_where_it_is_and_what_to_do_and_is_not_shown(w):
    w.spec(target=w.image(), properties={"x": "y"})
    for auth, wrong in (("password", {"password": "Wrong-Secret-1"}), ("v3applicationcredential", {"secret": "Wrong-Secret-1"})):
        w.configure(auth=auth, **wrong)
        before = len(w.cloud.auth_requests("POST", OURS))
        result = w.plan().expect(1)
        assert "Wrong-Secret" not in result.out + result.err
        error = result.json["errors"][0]
        assert error["status"] == 401 and w.clouds_file in error["message"] + result.err, (error, result.err)
        assert len(w.cloud.auth_requests("POST", OURS)) - before <= 2, "a wrong password is not tried again and again"
    assert not w.cloud.requests(agent=OURS), "Glance was asked without a token"


@case
def tokens_that_last_seconds_are_renewed_and_nobody_notices(w):
    w.start(token_life=8, token_cache=-1)
    image = w.image(mine="0")
    w.spec(target=image, properties={"mine": "1"})
    d = w.daemon()
    n = 0
    for drift in range(4):
        n = d.wait_line("updated " + image, n)
        w.rest()
        w.cloud.change(image, mine="drift %d" % drift)
    d.wait_line("updated " + image, n)
    assert len(w.cloud.auth_requests("POST", OURS)) >= 3
    assert not [r for r in w.cloud.requests(agent=OURS) if r["status"] == 401], "a token was used that had ended"
    assert not [line for line in d.lines if re.search(r"\b401\b|error|fail", line, re.I)], d.lines


@case
def a_token_that_was_revoked_is_renewed_once(w):
    w.start(token_cache=-1)
    images = [w.image("i%d" % n, mine="0") for n in range(4)]
    declared(w, images, properties={"mine": "1"})
    d = w.daemon()
    for image in images:
        d.wait_line("updated " + image)
    n = d.wait_line("updated " + images[0])
    d.signal(signal.SIGSTOP)
    w.cloud.revoke_tokens()
    w.rest()  # a new token of the same second would be void, too
    d.signal(signal.SIGCONT)
    for image in images:
        w.cloud.change(image, mine="drifted")
    eventually(lambda: all(w.live(image)["mine"] == "1" for image in images), "the repair")
    assert [r for r in w.cloud.requests(agent=OURS) if r["status"] == 401], "the revocation was not met"
    assert len(w.cloud.auth_requests("POST", OURS)) == 2
    assert not [line for line in d.lines[n:] if re.search(r"\b401\b|error|fail", line, re.I)], d.lines


@case
def a_revoked_token_in_the_middle_of_an_apply(w):
    # Of a second's precision are both tokens and revocations: what is not written now is written the next time.
    w.start(token_cache=-1)
    images = [w.image("i%d" % n, mine="0") for n in range(30)]
    declared(w, images, properties={"mine": "1"})
    w.rest()
    failures = []

    def apply():
        try:
            w.apply()
        except Exception as e:
            failures.append(e)
    thread = threading.Thread(target=apply)
    thread.start()
    eventually(lambda: w.patches() or not thread.is_alive(), "the first write")
    w.cloud.revoke_tokens()
    thread.join()
    assert not failures, failures
    w.refused.add(401)
    w.rest()
    w.apply().expect(0)
    assert all(live["mine"] == "1" for live in w.cloud.list().values())
    assert len([r for r in w.patches() if r["status"] == 200]) == 30, "an image was written twice"


PROTECTION = """\
[^locked_.*]
create = admin
read = admin,member,reader
update = admin
delete = admin
[.*]
create = admin,member
read = admin,member,reader
update = admin,member
delete = admin,member
"""


@case
def a_property_that_is_protected_is_an_error_of_its_own_image(w):
    w.start(protection=PROTECTION)
    w.refused.add(403)
    images = [w.image("i%d" % n, mine="0") for n in range(3)]
    for image in images:
        w.cloud.change(image, user=openstack.ADMIN, locked_by="security")
    declared(w, images[1:], properties={"mine": "1", "locked_by": "security"})
    w.spec("locked", target=images[0], properties={"mine": "1", "locked_by": "us"})
    report = w.apply().expect(1).json
    error, = report["errors"]
    assert (error["name"], error["target"], error["status"]) == ("locked", images[0], 403), error
    assert "locked_by" in error["message"] and "<" not in error["message"], error
    assert {c["target"]: c["outcome"] for c in report["changes"]} == {images[0]: "failed", images[1]: "done", images[2]: "done"}
    assert w.live(images[0])["mine"] == "0" and w.live(images[0])["locked_by"] == "security"
    # Its absence cannot be had either.
    w.spec("locked", target=images[0], properties={"locked_by": None})
    assert w.apply().expect(1).json["errors"][0]["status"] == 403


@case
def an_image_of_somebody_elses_is_seen_but_not_changed(w):
    w.refused.update((403, 404))
    theirs = w.image("theirs", user=openstack.ADMIN, visibility="public")
    ours = w.image("ours")
    declared(w, [theirs, ours], properties={"mine": "1"})
    report = w.apply().expect(1).json
    error, = report["errors"]
    assert error["target"] == theirs and "<" not in error["message"], error
    assert "mine" not in w.live(theirs) and w.live(ours)["mine"] == "1"


# --- the simulator beside the real one ---


@contextlib.contextmanager
def simulated(w):
    """A simulator, and what lets the program look at it instead for a while."""
    with simulator.Simulator(directory=tempfile.mkdtemp(dir=w.folder), stderr=subprocess.DEVNULL) as sim:
        folder = tempfile.mkdtemp(dir=w.folder)

        @contextlib.contextmanager
        def instead():
            before, w.config_file = w.config_file, os.path.join(folder, "imagekeeper.yaml")
            try:
                yield
            finally:
                w.config_file = before
        with instead():
            clouds = simulator.write_clouds_yaml(folder, sim)
            w.write_config("  - name: lab\n    type: openstack\n    cloud: lab\n    cloudsFile: %s\n    pageSize: 3\n" % clouds)
            openstack.write(w.config_file, open(w.config_file).read().replace("specs: specs", "specs: " + w.specs))
        yield sim, instead


def without_numbers(report):
    """A report without what each server numbers and words by itself, and in one order: images of one second come in any, and so do
    the tags of an image."""
    for error in report["errors"]:
        for name in ("message", "code", "opcRequestId"):
            del error[name]
    for change in report["changes"]:
        change["attributes"].sort(key=lambda a: a["path"])
        if change["outcome"] == "failed":
            del change["reason"]
    del report["summary"]["requests"]
    report["changes"].sort(key=lambda c: (c["name"], c["target"]))
    return report


@case
def the_simulator_and_the_real_one_give_the_same_plans_and_ends(w):
    seed = int(os.environ.get("PARITY_SEED", str(time.time_ns() % 1000000)))
    print("# seed %d" % seed, flush=True)
    dice = random.Random(seed)
    w.configure(account="    pageSize: 3\n")
    with simulated(w) as (sim, instead):
        ids = []
        for n in range(14):
            attributes = {"visibility": dice.choice(["private", "shared", "community"]), "protected": dice.random() < 0.3, "os_hidden": dice.random() < 0.3,
                          "min_ram": dice.choice([0, 64, 512]), "min_disk": dice.choice([0, 4]), "tags": dice.sample(["a", "b", "golden"], dice.randrange(4))}
            attributes.update((name, dice.choice(["", "x", "virtio", "Grüße"])) for name in dice.sample(["p/q", "hw_disk_bus", "legacy", "o~s", "other"], dice.randrange(6)))
            ids.append(w.image("%s %d" % (dice.choice(["one", "two"]), n), **attributes))
            sim.add_glance_image(w.live(ids[-1])["name"], ids[-1], **attributes)
        w.spec("all", target=ids[0], **EVERYTHING)
        w.spec("exact", target=ids[1], tags=["golden", "new"], reconcile="{tags: exact}")
        w.spec("gone", target="5eed0000-0000-4000-8000-000000000001", name="nobody")
        w.spec("ones", selector={"name": "one *"}, properties={"p/q": "y", "o~s": None}, reconcile="{ignore: [properties.other]}")
        w.spec("virtio", selector={"properties": {"hw_disk_bus": "virtio"}}, min_disk=4, properties={"mine": "1"})
        w.spec("hidden", selector={"os_hidden": True, "tags": ["a"]}, properties={"seen": "no"})
        w.spec("any", selector={"visibility": "private", "protected": False, "properties": {"legacy": "*"}}, properties={"legacy": None})
        for ask in (w.plan, w.apply, w.plan):
            real = ask()
            with instead():
                other = ask()
            assert real.status == other.status, (real.err, other.err)
            assert without_numbers(real.json) == without_numbers(other.json), "real:\n%s\nsimulated:\n%s" % (real.out, other.out)
        for image in ids:
            real, other = w.live(image), sim.glance_image(image)["image"]
            names = ["name", "visibility", "protected", "os_hidden", "min_ram", "min_disk", "p/q", "o~s", "hw_disk_bus", "legacy", "other", "mine", "seen",
                     "hw_firmware_type"]
            assert [real.get(n) for n in names] + sorted(real["tags"]) == [other.get(n) for n in names] + sorted(other["tags"]), (real, other)


# --- the rival ---


class Rival:
    """A client that writes properties and tags of its own on the images, ten times a second, and now and then spoils ours.
    It is one thread, so that what is lost is lost to the program under test and not to another thread of this one."""

    EACH, SPOIL = 0.1, 15  # seconds between writes; every so many spoils ours

    def __init__(self, cloud, hot, cool, spoiled, seed):
        self.cloud, self.hot, self.cool, self.spoiled = cloud, hot, cool, spoiled
        self.random = random.Random(seed)
        self.last = {image: {} for image in hot + cool}  # the last acknowledged value of each name
        self.tags = {image: set() for image in hot + cool}
        self.writes = self.spoils = 0
        self.lost = []  # (image, name, acknowledged, found)
        self.error = None

    def run(self, seconds):
        try:
            begun = time.monotonic()
            while time.monotonic() < begun + seconds:
                self.write(self.random.choice(self.hot if self.writes % 2 else self.cool))
                time.sleep(max(0, begun + self.writes * self.EACH - time.monotonic()))
            self.seconds = time.monotonic() - begun
        except Exception as e:
            self.error = e

    def write(self, image):
        self.writes += 1
        if self.writes % self.SPOIL == 0:
            self.spoils += 1
            operations = self.spoiled(self.spoils)
        elif self.random.random() < 0.2:
            self.tags[image].add("rival-%d" % self.writes)
            self.cloud.image_api("PUT", "/images/%s/tags/rival-%d" % (image, self.writes), agent="rival")
            return
        else:
            name = "rival_%d" % self.random.randrange(4)
            if name in self.last[image] and self.random.random() < 0.1:
                operations = [{"op": "remove", "path": "/" + name}]
                del self.last[image][name]
            else:
                self.last[image][name] = str(self.writes)
                operations = [{"op": "add", "path": "/" + name, "value": str(self.writes)}]
        try:
            self.compare(self.cloud.patch(image, operations, agent="rival"))
        except openstack.OpenStackError as e:
            if e.status != 409:  # what it removes has been lost before
                raise
            self.compare(self.cloud.show(image))

    def compare(self, live):
        """What the server shows of an image beside what it acknowledged; each loss counts once."""
        image, last = live["id"], self.last[live["id"]]
        there = {name: value for name, value in live.items() if name.startswith("rival_")}
        for name in sorted(set(last) | set(there)):
            if last.get(name) != there.get(name):
                self.lost.append((image, name, last.get(name), there.get(name)))
        self.last[image] = there
        tags = {tag for tag in live["tags"] if tag.startswith("rival-")}
        self.lost += [(image, "tag", tag, None) for tag in sorted(self.tags[image] - tags)]
        self.tags[image] = tags


def overlaps(requests):
    """How many of our PATCHes the server carried out while one of the rival's changes of the same image was carried out."""
    ours = [r for r in requests if r["method"] == "PATCH" and OURS in r["agent"]]
    theirs = [r for r in requests if r["method"] in ("PATCH", "PUT") and r["agent"] == "rival"]
    return sum(any(o["path"] == "/".join(t["path"].split("/")[:4]) and o["start"] < t["end"] and t["start"] < o["end"] for t in theirs) for o in ours)


@case
def a_rival_on_the_same_images_keeps_his_and_we_get_ours(w):
    seconds = float(os.environ.get("RIVAL_SECONDS", "30"))
    seed = int(os.environ.get("RIVAL_SEED", str(time.time_ns() % 1000000)))
    # Hot images never rest while he is there; the others do between two writes.
    hot, cool = ([w.image("%s %d" % (name, n)) for n in range(count)] for name, count in (("hot", 2), ("cool", 20)))
    w.spec(selector={"name": "*"}, min_ram=512, tags=["golden"], properties={"ours_a": "right", "ours_b": "right", "ours_c": None})
    d = w.daemon()
    right = lambda live: (live["min_ram"] == 512 and "golden" in live["tags"] and "ours_c" not in live and
                          live.get("ours_a") == live.get("ours_b") == "right")
    all_right = lambda: all(right(live) for live in w.cloud.list().values())
    eventually(all_right, "the first round")
    spoiled = lambda n: [[{"op": "add", "path": "/ours_a", "value": "wrong %d" % n}], [{"op": "add", "path": "/ours_c", "value": "back"}],
                         [{"op": "replace", "path": "/min_ram", "value": n}], [{"op": "add", "path": "/ours_b", "value": "wrong"}]][n % 4]
    rival = Rival(w.cloud, hot, cool, spoiled, seed)
    before = len(w.patches())
    rival.run(seconds)
    assert rival.error is None, rival.error
    meanwhile = len(w.patches()) - before
    eventually(all_right, "ours", timeout=180)
    assert d.stop() == 0
    for live in w.cloud.list().values():
        assert right(live), live
        rival.compare(live)
    requests = w.cloud.requests()
    patches, together = w.patches()[before:], overlaps(requests)
    print("# seed %d: the rival wrote %d times in %.0f s and spoiled ours %d times; we sent %d PATCHes meanwhile and %d after; "
          "%d ran in the server together with one of his" % (seed, rival.writes, rival.seconds, rival.spoils, meanwhile, len(patches) - meanwhile, together))
    print("# acknowledged writes of his that we overwrote: %d%s" % (len(rival.lost), "".join("\n#   %s %s: %s became %s" % loss for loss in rival.lost)), flush=True)
    ours = {"/min_ram", "/tags", "/ours_a", "/ours_b", "/ours_c"}
    assert all({o["path"] for o in patch["sent"]} <= ours for patch in patches), "something was sent that is not ours"


if openstack.requires():
    skip(openstack.requires())
run(workers=2, world=OpenStackWorld)
