#!/usr/bin/env python3
"""ImsImage: plan and apply against the simulator's Huawei Cloud: what is looked at, what is written, and what is not."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from case import *

UNCERTAIN = "what may not be seen is not found either"


def errors_of(report):
    return {e["name"]: e for e in report["errors"]}


def differences(report):
    change, = report["changes"]
    return [(a["path"], a["from"], a["to"]) for a in change["attributes"]]


def save_plan(w):
    path = os.path.join(w.folder, "plan.json")
    w.write(path, w.plan().expect(2).out)
    return path


# --- what differs ---


@case
def an_image_in_sync_needs_nothing(w):
    w.image(1, __description="x", min_ram=1024, max_ram="4096", hw_firmware_type="uefi", __support_xen="true", team="base")
    w.spec(name="image 1", __description="x", min_ram=1024, max_ram=4096, hw_firmware_type="uefi", __support_xen="true",
           extra={"team": "base", "legacy": None})
    plan = w.plan().expect(0).json
    assert plan["changes"] == [] and plan["errors"] == []
    assert plan["summary"] == {"declared": 1, "objects": 1, "inSync": 1, "update": 0, "create": 0, "delete": 0, "held": 0,
                               "observed": 0, "errors": 0, "requests": 1}
    w.apply().expect(0)
    assert w.patches() == []


@case
def plan_shows_each_difference_with_its_place_and_writes_nothing(w):
    w.image(1, __description="old", min_ram=1024, __support_xen="true", tier="silver", legacy="yes", other="stays")
    w.write("a/images.yaml", """apiVersion: imagekeeper/v1
kind: ImsImage
metadata:
  name: golden
spec:
  account: hw
  imageId: %s
  name: golden image
  __description: null
  min_ram: 2048
  hw_firmware_type: uefi
  __is_config_init: true
  extra: {tier: golden, legacy: null, absent: null}
""" % cloud_image_id(1))
    plan = w.plan().expect(2).json
    change, = plan["changes"]
    assert (change["kind"], change["name"], change["account"], change["target"], change["action"], change["outcome"],
            change["file"], change["line"], change["reason"]) == (
        "ImsImage", "golden", "hw", cloud_image_id(1), "update", "planned", "a/images.yaml", 1, None)
    assert change["attributes"] == [
        {"path": "name", "from": "image 1", "to": "golden image", "line": 8, "column": 3},
        {"path": "__description", "from": "old", "to": None, "line": 9, "column": 3},
        {"path": "min_ram", "from": 1024, "to": 2048, "line": 10, "column": 3},
        {"path": "hw_firmware_type", "from": None, "to": "uefi", "line": 11, "column": 3},
        {"path": "__is_config_init", "from": None, "to": "true", "line": 12, "column": 3},
        {"path": "extra.tier", "from": "silver", "to": "golden", "line": 13, "column": 11},
        {"path": "extra.legacy", "from": "yes", "to": None, "line": 13, "column": 25}], change["attributes"]
    assert w.patches() == [] and w.sim.statistics()["applied"] == 0


@case
def one_patch_adds_replaces_and_removes_by_what_is_live(w):
    w.image(1, __description="old", min_ram=1024, __support_xen="true", tier="silver", legacy="yes", other="stays")
    w.spec(name="golden", __description=None, min_ram=2048, max_ram=8192, hw_firmware_type="uefi", __support_xen="true",
           hw_vif_multiqueue_enabled=True, extra={"tier": "golden", "legacy": None, "new": "1"})
    change, = w.apply().expect(0).json["changes"]
    assert change["outcome"] == "done" and change["reason"] is None
    patch, = w.patches()
    assert patch["target"] == cloud_image_id(1) and patch["body"] == [
        operation("remove", "__description"), operation("remove", "legacy"), operation("replace", "name", "golden"), operation("replace", "min_ram", "2048"),
        operation("add", "max_ram", "8192"), operation("add", "hw_firmware_type", "uefi"), operation("add", "hw_vif_multiqueue_enabled", "true"),
        operation("replace", "tier", "golden"), operation("add", "new", "1")], patch["body"]
    live = w.live()
    assert (live["min_ram"], live["max_ram"], live["other"]) == (2048, "8192", "stays")
    assert w.plan().expect(0).json["summary"]["inSync"] == 1 and w.updates() == 1


EVERY_ATTRIBUTE = {
    "name": "a new name", "__description": "what it is", "min_ram": 2048, "max_ram": 4096, "hw_firmware_type": "uefi",
    "hw_vif_multiqueue_enabled": True, "__is_config_init": True, "__support_largememory": True, "__support_diskintensive": True,
    "__support_highperformance": True, "__support_xen_gpu_type": "M60_vGPU", "__support_kvm_gpu_type": "V100_vGPU,P100",
    "__support_xen_hana": True, "__support_kvm_infiniband": True, "__support_fc_inject": False, "__support_amd": True,
    "__support_kvm_hi1822_hisriov": True, "__support_kvm_hi1822_hivirtionet": True}


@case
def every_attribute_is_set_changed_and_taken_away(w):
    w.image(1)
    w.spec(**EVERY_ATTRIBUTE)
    w.apply().expect(0)
    live = w.live()
    text = lambda value: str(value).lower() if isinstance(value, bool) else str(value)
    for name, value in EVERY_ATTRIBUTE.items():
        assert live[name] == (value if name == "min_ram" else text(value)), (name, live[name])
    w.plan().expect(0)
    other = {"name": "another", "__description": "more", "min_ram": 0, "max_ram": 1, "hw_firmware_type": "bios",
             "hw_vif_multiqueue_enabled": False, "__is_config_init": False, "__support_xen_gpu_type": "M60", "__support_kvm_gpu_type": "P100",
             "__support_fc_inject": True}
    w.spec(**other)
    w.apply().expect(0)
    assert {o["op"] for o in w.patches()[-1]["body"]} == {"replace"} and len(w.patches()[-1]["body"]) == len(other)
    kept = {"name": "another", "min_ram": 0}
    w.spec(**kept, **{name: None for name in EVERY_ATTRIBUTE if name not in kept})
    w.apply().expect(0)
    assert not set(EVERY_ATTRIBUTE) - set(kept) & set(w.live())
    assert {o["op"] for o in w.patches()[-1]["body"]} == {"remove"}
    w.plan().expect(0)


@case
def xen_is_declared_by_itself(w):
    w.image(1)
    w.spec(__support_xen=True)
    w.apply().expect(0)
    assert w.live()["__support_xen"] == "true"
    w.spec(__support_xen=None)
    w.apply().expect(0)
    assert "__support_xen" not in w.live()


@case
def only_what_differs_is_sent(w):
    w.image(1, __description="same", min_ram=1024, team="base")
    w.spec(name="image 1", __description="same", min_ram=2048, extra={"team": "base"})
    w.apply().expect(0)
    assert [p["body"] for p in w.patches()] == [[operation("replace", "min_ram", "2048")]]


@case
def what_is_absent_has_its_meaning(w):
    w.image(1)
    w.spec(hw_firmware_type="bios", __is_config_init=False, __description=None, max_ram=None, __support_xen=None, extra={"legacy": None})
    assert w.apply().expect(0).json["changes"] == []
    # Where absence has no meaning it is a difference.
    w.spec(hw_vif_multiqueue_enabled=False, __support_fc_inject=False)
    w.apply().expect(0)
    assert w.patches()[0]["body"] == [operation("add", "hw_vif_multiqueue_enabled", "false"), operation("add", "__support_fc_inject", "false")]
    w.sim.strip(cloud_image_id(1), "hw_vif_multiqueue_enabled", "__support_fc_inject")
    w.sim.change(cloud_image_id(1), hw_firmware_type="uefi", __is_config_init="true", updated_at=LONG_AGO)
    w.spec(hw_firmware_type="bios", __is_config_init=False)
    w.apply().expect(0)
    assert w.patches()[1]["body"] == [operation("replace", "hw_firmware_type", "bios"), operation("replace", "__is_config_init", "false")]
    w.spec(hw_firmware_type=None, __is_config_init=None)
    w.apply().expect(0)
    assert "hw_firmware_type" not in w.live() and "__is_config_init" not in w.live()
    w.plan().expect(0)


@case
def numbers_and_truths_compare_by_their_text(w):
    w.image(1, min_ram=1024, max_ram="4096", __is_config_init="true", build="17")
    w.spec(min_ram=1024, max_ram=4096, __is_config_init=True, extra={"build": 17})
    w.plan().expect(0)
    w.sim.change(cloud_image_id(1), max_ram=4096, build=17, __is_config_init=True)
    w.plan().expect(0)


@case
def an_attribute_that_is_null_is_absent(w):
    w.image(1, __description=None, legacy=None)
    w.spec(__description=None, extra={"legacy": None})
    w.plan().expect(0)


@case
def names_of_ones_own_may_look_odd(w):
    w.image(1, **{"a.b-c:d": "1"})
    w.spec(extra={"a.b-c:d": "2", "x_y.z": "\u955c\u50cf <&> \"quoted\""})
    w.apply().expect(0)
    live = w.live()
    assert live["a.b-c:d"] == "2" and live["x_y.z"] == "\u955c\u50cf <&> \"quoted\""
    w.plan().expect(0)


@case
def chinese_names_are_taken(w):
    w.image(1, name="\u955c\u50cf")
    w.spec(name="\u955c\u50cf-01 golden")
    w.apply().expect(0)
    assert w.live()["name"] == "\u955c\u50cf-01 golden"


def with_settings(**settings):
    def one(w):
        w.sim.config(**settings)
        w.image(1, __description="old", min_ram=1024, legacy="yes", tier="x")
        w.spec(name="golden", __description=None, min_ram=2048, max_ram=1, hw_firmware_type="uefi", extra={"legacy": None, "tier": "y", "new": "z"})
        w.apply().expect(0)
        assert w.updates() == 1 and w.plan().expect(0).json["summary"]["inSync"] == 1
        w.image(2, __description="old")
        w.spec("two", target=cloud_image_id(2), __description="new", max_ram=None)
        w.apply().expect(0)
        assert w.live(2)["__description"] == "new" and len(w.patches()) == 2
    name, value = next(iter(settings.items()))
    one.__name__ = "whatever_the_documents_leave_open__%s_%s" % (name, value)
    case(one)


for _setting in ("addReplaces", "numbersRefused", "removeNeedsValue", "emptyRemoves", "patchAtomic"):
    for _value in (False, True):
        with_settings(**{_setting: _value})


# --- reconcile ---


@case
def ignored_paths_are_neither_compared_nor_written(w):
    w.image(1, __description="by hand", tier="x", team="y")
    w.spec(reconcile='{ignore: [__description, "extra.t?am"]}', name="golden", __description="ours", extra={"team": "a", "tier": "b"})
    plan = w.plan("--show-ignored").expect(2).json
    assert differences(plan) == [("name", "image 1", "golden"), ("extra.tier", "x", "b")]
    assert {(i["path"], i["rule"]) for i in plan["ignored"]} == {
        ("__description", "ignore: __description"), ("extra.team", "ignore: extra.t?am")}
    w.apply().expect(0)
    assert w.patches()[0]["body"] == [operation("replace", "name", "golden"), operation("replace", "tier", "b")]


@case
def observe_reports_and_changes_nothing(w):
    w.image(1)
    w.spec(name="new", reconcile="{mode: observe}")
    report = w.apply().expect(2).json
    assert report["changes"][0]["outcome"] == "observed" and report["summary"]["observed"] == 1
    w.spec(name="new", reconcile="{mode: enforce}")
    w.configure(top="mode: observe\n")
    assert w.apply().expect(2).json["changes"][0]["outcome"] == "observed"
    assert w.patches() == []


@case
def a_suspended_document_makes_no_changes_and_no_difference_until_its_time(w):
    w.image(1)
    w.spec(name="new", reconcile='{suspend: {until: "2099-01-01T00:00:00Z", reason: "ticket 4711"}}')
    plan = w.plan("--show-ignored").expect(0).json
    assert plan["changes"] == [] and plan["ignored"][0]["rule"] == "suspended until 2099-01-01T00:00:00Z: ticket 4711"
    w.apply().expect(0)
    assert w.patches() == []
    w.spec(name="new", reconcile='{suspend: {until: "2020-01-01T00:00:00Z", reason: "over"}}')
    w.apply().expect(0)
    assert w.live()["name"] == "new"


@case
def two_claims_on_one_attribute_are_an_error_before_anything_is_written(w):
    w.image(1)
    w.image(2)
    w.image(3, name="free")
    w.spec("one", extra={"tier": "a"})
    w.spec("many", selector={"name": "image *"}, extra={"tier": "b"}, min_ram=1)
    w.spec("free", target=cloud_image_id(3), min_ram=7)
    report = w.apply().expect(1).json
    assert set(errors_of(report)) == {"one", "many"}
    for e in report["errors"]:
        assert "one.yaml:7:" in e["message"] and "many.yaml:7:" in e["message"] and "extra.tier" in e["message"], e
    assert w.updates(1) == 0 and w.updates(2) == 0 and w.live(3)["min_ram"] == 7


@case
def two_documents_may_share_an_image_if_not_an_attribute(w):
    w.image(1)
    w.spec("one", name="x", extra={"tier": "a"})
    w.spec("two", min_ram=5, extra={"team": "b"})
    w.apply().expect(0)
    live = w.live()
    assert (live["name"], live["min_ram"], live["tier"], live["team"]) == ("x", 5, "a", "b") and w.updates() == 2
    assert [p["status"] for p in w.patches()] == [200, 200]
    assert w.plan().expect(0).json["summary"]["objects"] == 1


# --- selectors ---

SELECTED = [  # what the image has, and which of the selectors below take it
    ({"name": "golden a", "__os_type": "Linux", "__platform": "Ubuntu", "__os_version": "Ubuntu 24.04 server 64bit",
      "tags": ["team.base", "keep"], "tier": "gold"}, "name type platform version tag tags extra any private"),
    ({"name": "golden b", "__os_type": "Windows", "__platform": "Windows", "__os_version": "Windows Server 2022", "tags": ["keep"],
      "tier": "silver"}, "name tag any private"),
    ({"name": "other", "__os_type": "Linux", "__platform": "Debian", "tags": ["team.base"], "visibility": "shared"}, "type tagged shared"),
    ({"name": "golden c", "__os_type": "Linux", "__platform": "Ubuntu", "tags": ["keep", "team.base"], "status": "queued",
      "tier": "gold"}, "queued"),
    ({"name": "goldener", "__os_type": "Other", "__platform": "Other", "tags": None, "min_disk": 41, "protected": True}, "disk protected private"),
]
CONDITIONS = {
    "name": {"name": "golden ?"}, "type": {"__os_type": "Linux"}, "platform": {"__platform": "Ubuntu"},
    "version": {"__os_version": "Ubuntu 24.04 server 64bit"}, "tag": {"tags": ["keep"]}, "tags": {"tags": ["team.base", "keep"]},
    "tagged": {"tags": ["team.base"], "__platform": "Debian"}, "extra": {"extra": {"tier": "gold"}}, "any": {"extra": {"tier": "*"}},
    "private": {"visibility": "private"}, "shared": {"visibility": "shared"}, "queued": {"status": "queued"},
    "disk": {"extra": {"min_disk": "41"}}, "protected": {"extra": {"protected": "true"}}, "none": {"extra": {"nothing": "*"}},
}


@case
def a_selector_takes_all_that_meet_its_conditions(w):
    for n, (members, _) in enumerate(SELECTED, 1):
        w.image(n, **members)
    for name, conditions in CONDITIONS.items():
        w.spec(selector=conditions, min_ram=77)
        plan = w.plan()
        wanted = {cloud_image_id(n) for n, (_, names) in enumerate(SELECTED, 1) if name in names.split()}
        found = {c["target"] for c in plan.json["changes"]}
        assert found == wanted and plan.json["summary"]["objects"] == len(wanted), (name, found, wanted)
        plan.expect(2 if wanted else 0)
        if name == "queued":
            assert plan.json["changes"][0]["outcome"] == "held"


@case
def only_ones_own_images_are_selected(w):
    """The project's own that are shared with others are among them."""
    w.image(1)
    w.image(2, visibility="shared", __imagetype="shared")
    w.image(3, owner=OTHER_PROJECT, visibility="public", __imagetype="gold")
    w.image(4, owner=OTHER_PROJECT, visibility="shared", __imagetype="shared")
    w.spec(selector={"name": "image *"}, min_ram=8)
    assert [c["target"] for c in w.apply().expect(0).json["changes"]] == [cloud_image_id(2), cloud_image_id(1)]
    assert {r["target"] for r in w.patches()} == {cloud_image_id(1), cloud_image_id(2)}


@case
def images_of_others_are_never_written(w):
    w.image(1, owner=OTHER_PROJECT, visibility="public", __imagetype="gold")
    w.image(2, owner=OTHER_PROJECT, visibility="shared", __imagetype="shared")
    w.image(3)
    for n in (1, 2, 3):
        w.spec("i%d" % n, target=cloud_image_id(n), min_ram=8)
    report = w.apply().expect(1).json
    assert set(errors_of(report)) == {"i1", "i2"}
    for e in report["errors"]:
        assert "belongs to " + OTHER_PROJECT in e["message"], e
    assert {p["target"] for p in w.patches()} == {cloud_image_id(3)}


@case
def images_that_cannot_be_written_wait_and_say_so(w):
    for n, status in enumerate(("queued", "saving", "killed"), 1):
        w.image(n, status=status)
        w.spec(status, target=cloud_image_id(n), name="new")
    w.image(9)
    w.spec("active", target=cloud_image_id(9), name="new")
    plan = {c["name"]: c for c in w.plan().expect(2).json["changes"]}
    assert plan["active"]["outcome"] == "planned"
    for status in ("queued", "saving", "killed"):
        assert plan[status]["outcome"] == "held" and status in plan[status]["reason"] and "active" in plan[status]["reason"]
    w.apply().expect(2)
    assert {p["target"] for p in w.patches()} == {cloud_image_id(9)}


@case
def an_image_that_stops_being_active_before_the_write_waits(w):
    w.image(1)
    w.spec(name="new")
    w.sim.fault("ListCloudImages", "change-before", skip=1, change={"status": "saving"})
    change, = w.apply().expect(2).json["changes"]
    assert change["outcome"] == "held" and "saving" in change["reason"] and w.patches() == []


@case
def an_image_on_its_way_out_is_an_error(w):
    w.image(1, status="pending_delete")
    w.spec(name="new")
    assert "pending_delete" in w.apply().expect(1).json["errors"][0]["message"] and w.patches() == []


# --- what cannot be found ---


@case
def an_id_that_is_not_shown_holds_up_nobody(w):
    w.image(1)
    w.spec("there", name="new")
    w.spec("gone", target=cloud_image_id(2), name="x")
    report = w.apply().expect(1).json
    error, = report["errors"]
    assert (error["name"], error["target"], error["file"], error["line"]) == ("gone", cloud_image_id(2), "gone.yaml", 1)
    assert "no image of this id" in error["message"] and UNCERTAIN in error["message"], error
    assert error["opcRequestId"] in {r["opcRequestId"] for r in w.sim.requests("ListCloudImages")}
    assert w.live()["name"] == "new"


def vanishes_before_the_write(w, status):
    w.sim.config(absentStatus=status)
    w.image(1)
    w.image(2)
    w.spec("one", name="x")
    w.spec("two", target=cloud_image_id(2), name="x")
    w.sim.fault("UpdateCloudImage", "status", status=status, code="IMG.0027", message="The image does not exist", target=cloud_image_id(1))
    report = w.apply().expect(1).json
    error, = report["errors"]
    assert (error["name"], error["status"], error["code"]) == ("one", status, "IMG.0027") and error["opcRequestId"], error
    assert UNCERTAIN in error["message"], error
    assert w.live(2)["name"] == "x" and len(w.patches()) == 2


@case
def an_image_that_vanishes_before_the_write_is_told__400(w):
    vanishes_before_the_write(w, 400)


@case
def an_image_that_vanishes_before_the_write_is_told__404(w):
    vanishes_before_the_write(w, 404)


@case
def an_image_that_vanishes_between_the_list_and_the_look_is_told(w):
    ids = w.sim.generate_cloud_images(4)
    w.spec(selector={"name": "image-*"}, min_ram=8)
    w.sim.fault("ListCloudImages", "change-before", target=ids[1], change={"status": "deleted"})
    report = w.apply().expect(1).json
    error, = report["errors"]
    assert error["target"] == ids[1] and w.updates(ids[1]) == 0 and len(w.patches()) == 3


@case
def data_disk_images_that_refuse_are_told(w):
    w.image(1, virtual_env_type="DataImage")
    w.image(2)
    w.spec("disk", name="x")
    w.spec("two", target=cloud_image_id(2), name="x")
    report = w.apply().expect(1).json
    error, = report["errors"]
    assert (error["name"], error["status"], error["code"]) == ("disk", 400, "IMG.0168") and "Data-disk" in error["message"], error
    assert len(w.patches()) == 2 and w.live(2)["name"] == "x"


# --- limits and saved plans ---


@case
def more_changes_than_allowed_are_all_held(w):
    for n in range(1, 5):
        w.image(n)
        w.spec("i%d" % n, target=cloud_image_id(n), name="new %d" % n)
    w.configure(top="limits: {maxChanges: 3}\n")
    assert "maxChanges" in w.plan().expect(2).err
    report = w.apply().expect(2).json
    assert {c["outcome"] for c in report["changes"]} == {"held"} and "limits.maxChanges" in report["changes"][0]["reason"]
    assert w.patches() == []
    w.configure(top="limits: {maxChanges: 4}\n")
    w.apply().expect(0)
    assert w.sim.statistics()["applied"] == 4


@case
def a_saved_plan_is_done_exactly(w):
    for n in (1, 2, 3, 5):
        w.image(n)
        w.spec("i%d" % n, target=cloud_image_id(n), name="new %d" % n)
    saved = save_plan(w)
    w.sim.change(cloud_image_id(2), name="somebody else-s", updated_at=LONG_AGO)
    w.sim.change(cloud_image_id(3), name="new 3", updated_at=LONG_AGO)
    w.sim.change(cloud_image_id(5), other="attribute", updated_at=LONG_AGO)
    w.image(4)
    w.spec("i4", target=cloud_image_id(4), name="not in the plan")
    outcomes = {c["name"]: c for c in w.apply("--plan", saved).expect(2).json["changes"]}
    assert outcomes["i1"]["outcome"] == "done" and w.live(1)["name"] == "new 1"
    assert outcomes["i2"]["outcome"] == "held" and "changed since" in outcomes["i2"]["reason"]
    assert outcomes["i3"]["outcome"] == "held" and outcomes["i4"]["outcome"] == "held" and "not in the saved plan" in outcomes["i4"]["reason"]
    assert outcomes["i5"]["outcome"] == "done"
    assert {p["target"] for p in w.patches()} == {cloud_image_id(1), cloud_image_id(5)}


@case
def a_saved_plan_is_refused_when_the_image_changes_right_before_the_write(w):
    w.image(1)
    w.spec(name="new", __description="x")
    saved = save_plan(w)
    w.sim.fault("ListCloudImages", "change-before", skip=1, change={"__description": "rival"})
    change, = w.apply("--plan", saved).expect(2).json["changes"]
    assert change["outcome"] == "held" and "changed since" in change["reason"] and w.patches() == []


@case
def a_saved_plan_does_not_follow_an_image_that_was_just_changed_by_our_own_refused_try(w):
    """What is decided anew is not what was saved."""
    w.image(1)
    w.spec(name="new", __description="x")
    saved = save_plan(w)
    w.sim.fault("UpdateCloudImage", "change-before", change={"__description": "rival"})
    change, = w.apply("--plan", saved).expect(2).json["changes"]
    assert change["outcome"] == "held" and "changed since" in change["reason"]
    assert (w.live()["name"], w.live()["__description"]) == ("image 1", "rival") and len(w.patches()) == 1


@case
def text_output_names_the_place_that_wants_each_change(w):
    w.image(1)
    w.spec(name="new", min_ram=4, extra={"tier": "gold"})
    out = w.run("plan").expect(2).out
    assert re.search(r'name +"image 1" -> "new"', out) and re.search(r"min_ram +0 -> 4", out), out
    assert w.specs + "/golden.yaml:7:3" in out and w.specs + "/golden.yaml:9:11" in out, out
    assert "0 of 1 objects in sync, 1 to update (1 documents, 1 requests)" in out and "\033" not in out
    assert "1 updated" in w.run("apply").expect(0).out


@case
def what_the_cloud_says_never_drives_the_terminal(w):
    escape = "\x1b[31m\u009bm\u202e"
    w.image(1, __description=escape)
    w.spec(__description="x")
    out = w.run("plan").expect(2).out
    assert "\x1b" not in out and "\u009b" not in out and "\u202e" not in out
    w.sim.fault("UpdateCloudImage", "status", status=400, code="IMG.0001" + escape, message="no" + escape)
    err = w.run("apply").expect(1).err
    assert "\x1b" not in err and "\u009b" not in err and "\u202e" not in err, err


# --- accounts ---


@case
def two_accounts_have_their_own_images(w):
    w.configure(account=w.other_account())
    w.image(1)
    w.image(2, owner=OTHER_PROJECT)
    w.spec("mine", selector={"name": "image *"}, min_ram=1)
    w.spec("theirs", selector={"name": "image *"}, account="other", min_ram=2)
    w.apply().expect(0)
    assert (w.live(1)["min_ram"], w.live(2)["min_ram"]) == (1, 2)
    assert {p["project"]: p["target"] for p in w.patches()} == {PROJECT: cloud_image_id(1), OTHER_PROJECT: cloud_image_id(2)}


@case
def one_broken_account_does_not_keep_the_others_from_their_work(w):
    w.configure(account=w.account("broken", endpoint="https://127.0.0.1:9") + w.account("keyless", accessKeyFile="./none"))
    w.image(1)
    w.spec("good", name="new")
    w.spec("bad", target=cloud_image_id(2), account="broken", name="x")
    w.spec("none", target=cloud_image_id(3), account="keyless", name="x")
    errors = errors_of(w.apply().expect(1).json)
    assert errors["bad"]["code"] == "ConnectFailed" and errors["bad"]["status"] is None
    assert "/none: does not exist" in errors["none"]["message"] and "accessKeyFile" in errors["none"]["message"]
    assert w.live()["name"] == "new"


@case
def an_account_of_each_cloud_in_one_round(w):
    os.mkdir(os.path.join(w.folder, "oci"))
    oci = simulator.write_oci_config(os.path.join(w.folder, "oci"))
    w.configure(account='  - {name: prod, type: oci, configFile: "%s", endpoint: "%s", caFile: "%s"}\n' % (oci, w.sim.endpoint, w.sim.ca_file))
    w.image(1)
    w.sim.add_images([{"id": image_id(1), "compartmentId": COMPARTMENT, "displayName": "old"}])
    w.spec("hw", name="new")
    w.document("OciImage", "prod", "prod", image_id(1), None, "", None, {"displayName": "new"})
    w.apply().expect(0)
    assert w.live()["name"] == "new" and w.sim.image(image_id(1))["image"]["displayName"] == "new"


if __name__ == "__main__":
    run(workers=8, world=ImsWorld)
