"""plan and apply against the simulator: what is written, and what is not."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from case import *


@case
def an_image_in_sync_needs_nothing(w):
    w.image(1)
    w.spec(displayName="image 1", operatingSystemVersion="8", freeformTags={"team": "base"})
    plan = w.plan().expect(0).json
    assert plan["changes"] == [] and plan["errors"] == []
    assert plan["summary"] == {"declared": 1, "objects": 1, "inSync": 1, "update": 0, "create": 0, "delete": 0, "held": 0,
                               "observed": 0, "errors": 0, "requests": 1}


@case
def plan_shows_each_difference_with_its_place_and_writes_nothing(w):
    w.image(1, freeformTags={"team": "base", "tier": "silver", "legacy": "yes", "other": "stays"})
    w.write("a/images.yaml", """apiVersion: imagekeeper/v1
kind: OciImage
metadata:
  name: ol9-golden
spec:
  account: prod
  imageId: %s
  displayName: Oracle Linux 9 golden
  operatingSystem: Oracle Linux
  operatingSystemVersion: 9
  freeformTags: {team: base, tier: golden, legacy: null}
  definedTags: {Ops: {CostCenter: "42"}}
""" % image_id(1))
    plan = w.plan().expect(2).json
    change, = plan["changes"]
    assert (change["kind"], change["name"], change["account"], change["target"], change["action"], change["outcome"],
            change["file"], change["line"], change["reason"]) == (
        "OciImage", "ol9-golden", "prod", image_id(1), "update", "planned", "a/images.yaml", 1, None)
    assert change["attributes"] == [
        {"path": "displayName", "from": "image 1", "to": "Oracle Linux 9 golden", "line": 8, "column": 3},
        {"path": "operatingSystemVersion", "from": "8", "to": "9", "line": 10, "column": 3},
        {"path": "freeformTags.tier", "from": "silver", "to": "golden", "line": 11, "column": 30},
        {"path": "freeformTags.legacy", "from": "yes", "to": None, "line": 11, "column": 44},
        {"path": "definedTags.Ops.CostCenter", "from": None, "to": "42", "line": 12, "column": 23}]
    assert w.sim.statistics()["applied"] == 0


@case
def apply_sends_only_what_differs_and_merges_tags(w):
    w.image(1, freeformTags={"team": "base", "tier": "silver", "legacy": "yes"},
            definedTags={"Oracle-Tags": {"CreatedBy": "me"}, "Cost": {"Unit": "7"}})
    w.spec(operatingSystem="Oracle Linux", freeformTags={"tier": "golden", "legacy": None}, definedTags={"Ops": {"CostCenter": "42"}})
    change, = w.apply().expect(0).json["changes"]
    assert change["outcome"] == "done"
    put, = w.sim.requests("UpdateImage")
    assert put["body"] == {"freeformTags": {"team": "base", "tier": "golden"},
                           "definedTags": {"Oracle-Tags": {"CreatedBy": "me"}, "Cost": {"Unit": "7"}, "Ops": {"CostCenter": "42"}}}
    assert put["ifMatch"] and 1 <= len(put["retryToken"]) <= 64
    assert w.plan().expect(0).json["summary"]["inSync"] == 1


@case
def exact_tags_take_away_what_is_not_declared_but_never_the_clouds_own(w):
    w.image(1, freeformTags={"team": "base", "stray": "1"}, definedTags={"Oracle-Tags": {"CreatedBy": "me"}, "Cost": {"Unit": "7"}})
    w.spec(reconcile="{tags: exact}", freeformTags={"team": "base"}, definedTags={"Ops": {"CostCenter": "42"}})
    plan = w.plan("--show-ignored").expect(2).json
    assert [(a["path"], a["from"], a["to"]) for a in plan["changes"][0]["attributes"]] == [
        ("freeformTags.stray", "1", None), ("definedTags.Ops.CostCenter", None, "42"), ("definedTags.Cost.Unit", "7", None)]
    assert plan["ignored"] == [{"kind": "OciImage", "name": "golden", "target": image_id(1),
                                "path": "definedTags.Oracle-Tags.CreatedBy", "live": "me", "rule": "written by the cloud"}]
    w.apply().expect(0)
    assert w.live()["freeformTags"] == {"team": "base"}
    assert w.live()["definedTags"] == {"Oracle-Tags": {"CreatedBy": "me"}, "Ops": {"CostCenter": "42"}}
    w.plan().expect(0)


@case
def a_tag_map_that_is_not_declared_is_not_touched_even_by_exact(w):
    w.image(1, freeformTags={"a": "1"}, definedTags={"Ops": {"X": "1"}})
    w.spec(reconcile="{tags: exact}", displayName="new")
    w.apply().expect(0)
    assert w.live()["freeformTags"] == {"a": "1"} and w.live()["definedTags"]["Ops"] == {"X": "1"}


@case
def defined_tags_compare_without_regard_to_case(w):
    w.image(1, definedTags={"Ops": {"CostCenter": "42"}})
    w.spec(definedTags={"ops": {"costcenter": "42"}})
    w.plan().expect(0)
    w.spec(definedTags={"ops": {"costcenter": "43"}})
    w.apply().expect(0)
    assert w.live()["definedTags"]["Ops"] == {"CostCenter": "43"}
    w.plan().expect(0)


@case
def ignored_paths_are_neither_compared_nor_written(w):
    w.image(1, freeformTags={"team": "x", "tier": "y"}, definedTags={"Cost": {"Unit": "7"}})
    w.spec(reconcile='{tags: exact, ignore: ["freeformTags.t?am", "definedTags.cost.*", displayName]}', displayName="other",
           freeformTags={"team": "base", "tier": "golden"}, definedTags={})
    plan = w.plan("--show-ignored").expect(2).json
    assert [a["path"] for a in plan["changes"][0]["attributes"]] == ["freeformTags.tier"]
    assert {(i["path"], i["rule"]) for i in plan["ignored"]} == {
        ("displayName", "ignore: displayName"), ("freeformTags.team", "ignore: freeformTags.t?am"),
        ("definedTags.Cost.Unit", "ignore: definedTags.cost.*")}
    w.apply().expect(0)
    assert w.live()["freeformTags"] == {"team": "x", "tier": "golden"} and w.live()["displayName"] == "image 1"


@case
def observe_reports_and_changes_nothing(w):
    w.image(1)
    w.spec(displayName="new", reconcile="{mode: observe}")
    report = w.apply().expect(2).json
    assert report["changes"][0]["outcome"] == "observed" and report["summary"]["observed"] == 1
    w.spec(displayName="new", reconcile="{mode: enforce}")
    w.configure(top="mode: observe\n")
    assert w.apply().expect(2).json["changes"][0]["outcome"] == "observed"
    assert w.updates() == 0


@case
def a_suspended_document_makes_no_changes_and_no_difference_until_its_time(w):
    w.image(1)
    w.spec(displayName="new", reconcile='{suspend: {until: "2099-01-01T00:00:00Z", reason: "ticket 4711"}}')
    plan = w.plan("--show-ignored").expect(0).json
    assert plan["changes"] == [] and plan["ignored"][0]["rule"] == "suspended until 2099-01-01T00:00:00Z: ticket 4711"
    w.apply().expect(0)
    assert w.updates() == 0
    w.spec(displayName="new", reconcile='{suspend: {until: "2020-01-01T00:00:00Z", reason: "over"}}')
    w.apply().expect(0)
    assert w.live()["displayName"] == "new"


@case
def a_selector_takes_all_that_meet_its_conditions(w):
    for n, (name, os_name, tags, state) in enumerate([
            ("golden a", "Oracle Linux", {"keep": "1"}, "AVAILABLE"), ("golden b", "Ubuntu", {"keep": "1"}, "AVAILABLE"),
            ("golden c", "Oracle Linux", {}, "AVAILABLE"), ("other", "Oracle Linux", {"keep": "2"}, "AVAILABLE"),
            ("golden d", "Oracle Linux", {"keep": "x"}, "DISABLED")], 1):
        w.image(n, displayName=name, operatingSystem=os_name, freeformTags=tags, lifecycleState=state)
    w.spec(selector={"displayName": "golden*", "operatingSystem": "Oracle Linux", "freeformTags": {"keep": "*"}},
           freeformTags={"tier": "golden"})
    plan = w.plan().expect(2).json
    assert [c["target"] for c in plan["changes"]] == [image_id(1)] and plan["summary"]["objects"] == 1
    w.spec(selector={"freeformTags": {"keep": "nobody"}}, freeformTags={"tier": "golden"})
    assert w.plan().expect(0).json["summary"]["objects"] == 0


@case
def selectors_never_take_platform_images(w):
    w.sim.add_images([{"id": image_id(9), "compartmentId": None, "displayName": "platform", "operatingSystem": "Oracle Linux",
                       "operatingSystemVersion": "9"}])
    w.image(1)
    w.spec(selector={"operatingSystem": "Oracle Linux"}, freeformTags={"a": "b"})
    assert [c["target"] for c in w.plan().expect(2).json["changes"]] == [image_id(1)]
    w.spec(target=image_id(9), displayName="mine")
    report = w.apply().expect(1).json
    assert "platform image" in report["errors"][0]["message"] and w.sim.statistics()["applied"] == 0


@case
def two_claims_on_one_attribute_by_selector_are_an_error_before_anything_is_written(w):
    w.image(1)
    w.image(2, displayName="free")
    w.spec("one", freeformTags={"tier": "a"})
    w.spec("many", selector={"displayName": "image *"}, freeformTags={"tier": "b"})
    w.spec("free", target=image_id(2), displayName="kept")
    report = w.apply().expect(1).json
    assert {e["name"] for e in report["errors"]} == {"one", "many"}
    for e in report["errors"]:
        assert "one.yaml:7:" in e["message"] and "many.yaml:7:" in e["message"] and "freeformTags.tier" in e["message"]
    assert w.updates(1) == 0 and w.live(2)["displayName"] == "kept"


@case
def two_documents_may_share_an_object_if_not_an_attribute(w):
    w.image(1)
    w.spec("one", freeformTags={"tier": "a"}, displayName="x")
    w.spec("two", freeformTags={"team": "b"}, operatingSystem="y")
    w.apply().expect(0)
    assert w.live()["freeformTags"] == {"team": "b", "tier": "a"} and w.updates() == 2
    # The second one looks at what the first one left, instead of running into its etag.
    assert [put["status"] for put in w.sim.requests("UpdateImage")] == [200, 200]
    assert w.plan().expect(0).json["summary"]["objects"] == 1


@case
def a_404_is_access_uncertain_and_holds_up_nobody(w):
    w.image(1)
    w.spec("there", displayName="new")
    w.spec("gone", target=image_id(2), displayName="x")
    report = w.apply().expect(1).json
    error, = report["errors"]
    assert (error["name"], error["target"], error["status"], error["code"], error["file"], error["line"]) == (
        "gone", image_id(2), 404, "NotAuthorizedOrNotFound", "gone.yaml", 1)
    assert error["opcRequestId"] and w.live()["displayName"] == "new"


@case
def images_that_cannot_be_written_wait_and_say_so(w):
    w.image(1, lifecycleState="EXPORTING")
    w.spec(displayName="new")
    plan = w.plan().expect(2).json
    assert plan["changes"][0]["outcome"] == "held" and "EXPORTING" in plan["changes"][0]["reason"]
    w.apply().expect(2)
    assert w.updates() == 0


@case
def a_deleted_image_is_an_error(w):
    w.image(1)
    w.sim.delete(image_id(1))
    w.spec(displayName="new")
    assert "DELETED" in w.apply().expect(1).json["errors"][0]["message"]


@case
def more_changes_than_allowed_are_all_held(w):
    for n in range(1, 5):
        w.image(n)
        w.spec("i%d" % n, target=image_id(n), displayName="new %d" % n)
    w.configure(top="limits: {maxChanges: 3}\n")
    plan = w.run("plan", "-o", "json").expect(2)
    assert plan.json["summary"]["held"] == 0 and "maxChanges" in plan.err
    report = w.apply().expect(2).json
    assert {c["outcome"] for c in report["changes"]} == {"held"} and "limits.maxChanges" in report["changes"][0]["reason"]
    assert w.sim.statistics()["applied"] == 0
    w.configure(top="limits: {maxChanges: 4}\n")
    w.apply().expect(0)
    assert w.sim.statistics()["applied"] == 4


@case
def a_saved_plan_is_done_exactly(w):
    for n in (1, 2, 3):
        w.image(n)
        w.spec("i%d" % n, target=image_id(n), displayName="new %d" % n)
    saved = os.path.join(w.folder, "plan.json")
    w.write(saved, w.plan().expect(2).out)
    w.sim.change(image_id(2), displayName="somebody else's")
    w.image(4)
    w.spec("i4", target=image_id(4), displayName="not in the plan")
    w.sim.change(image_id(3), displayName="new 3")
    report = w.apply("--plan", saved).expect(2).json
    outcomes = {c["name"]: c for c in report["changes"]}
    assert outcomes["i1"]["outcome"] == "done" and w.live(1)["displayName"] == "new 1"
    assert outcomes["i2"]["outcome"] == "held" and "changed since" in outcomes["i2"]["reason"]
    assert outcomes["i4"]["outcome"] == "held" and "not in the saved plan" in outcomes["i4"]["reason"]
    assert outcomes["i3"]["outcome"] == "held" and w.updates(3) == 0
    assert w.live(2)["displayName"] == "somebody else's" and w.updates(4) == 0


@case
def a_saved_plan_is_refused_when_the_object_changes_right_before_the_write(w):
    w.image(1)
    w.spec(displayName="new", operatingSystem="x")
    saved = os.path.join(w.folder, "plan.json")
    w.write(saved, w.plan().expect(2).out)
    w.sim.fault("UpdateImage", "change-before", change={"operatingSystem": "rival"})
    report = w.apply("--plan", saved).expect(2).json
    assert report["changes"][0]["outcome"] == "held" and w.live()["operatingSystem"] == "rival"


@case
def text_output_names_the_place_that_wants_each_change(w):
    w.image(1)
    w.spec(displayName="new", freeformTags={"tier": "gold"})
    result = w.run("plan").expect(2)
    assert 'displayName        "image 1" -> "new"' in result.out, result.out
    assert w.specs + "/golden.yaml:7:3" in result.out and w.specs + "/golden.yaml:8:18" in result.out, result.out
    assert "0 of 1 objects in sync, 1 to update (1 documents, 1 requests)" in result.out
    assert "\033" not in result.out
    assert "1 updated" in w.run("apply").expect(0).out


@case
def one_broken_account_does_not_keep_the_others_from_their_work(w):
    with open(w.config_file) as f:
        text = f.read()
    text += "  - {name: broken, type: oci, configFile: %s, endpoint: \"https://127.0.0.1:9\"}\n" % w.oci_config
    text += "  - {name: keyless, type: oci, configFile: /nonexistent/config, region: us-phoenix-1}\n"
    w.write(w.config_file, text)
    w.image(1)
    w.spec("good", displayName="new")
    w.spec("bad", target=image_id(2), account="broken", displayName="x")
    w.spec("none", target=image_id(3), account="keyless", displayName="x")
    report = w.apply().expect(1).json
    errors = {e["name"]: e for e in report["errors"]}
    assert errors["bad"]["code"] == "ConnectFailed" and errors["bad"]["status"] is None
    assert "/nonexistent/config" in errors["none"]["message"]
    assert w.live()["displayName"] == "new"


@case
def results_that_cannot_be_written_are_an_error_and_the_work_is_done_all_the_same(w):
    w.image(1)
    w.spec(displayName="new")
    with open("/dev/full", "w") as full:
        result = w.run("apply", stdout=full).expect(1)
    assert "could not be written to standard output: No space left on device" in result.err
    assert w.live()["displayName"] == "new"
    read_end, write_end = os.pipe()
    os.close(read_end)
    result = w.run("plan", "-o", "json", stdout=write_end).expect(1)
    os.close(write_end)
    assert "Broken pipe" in result.err


@case
def a_set_that_is_wrong_anywhere_changes_nothing_anywhere(w):
    w.image(1)
    w.spec("good", displayName="new")
    w.write("bad.yaml", "apiVersion: imagekeeper/v1\nkind: OciImage\nmetadata: {name: x}\nspec: {account: prod}\n")
    result = w.run("apply").expect(1)
    assert "bad.yaml:4:7: error: OciImage needs imageId, or a selector" in result.err, result.err
    assert w.sim.statistics()["requests"] == 0


@case
def a_saved_change_whose_account_no_document_names_any_more_is_held(w):
    w.image(1)
    w.spec(displayName="new")
    saved = os.path.join(w.folder, "plan.json")
    w.write(saved, w.plan().expect(2).out)
    os.unlink(os.path.join(w.specs, "golden.yaml"))
    w.write("other.yaml", "# nothing is declared any more\n")
    report = w.apply("--plan", saved).expect(2).json
    assert [(c["name"], c["outcome"]) for c in report["changes"]] == [("golden", "held")] and w.updates() == 0
    w.write(w.config_file, open(w.config_file).read().replace("name: prod", "name: other"))
    assert 'about account "prod"' in w.run("apply", "--plan", saved).expect(1).err


@case
def a_document_with_many_failing_objects_is_one_error(w):
    for n in range(1, 6):
        w.image(n)
    w.spec(selector={"displayName": "image *"}, freeformTags={"tier": "gold"})
    w.sim.fault("UpdateImage", "status", status=400, code="InvalidParameter", message="no", times=-1)
    report = w.apply().expect(1).json
    error, = report["errors"]
    assert error["objects"] == 5 and error["code"] == "InvalidParameter"
    assert [c["outcome"] for c in report["changes"]] == ["failed"] * 5


@case
def what_the_cloud_says_never_drives_the_terminal(w):
    escape = "\x1b[31m\u009bm\u202e"
    w.image(1, freeformTags={"team": escape})
    w.spec(freeformTags={"team": "base"}, reconcile="{tags: exact}")
    out = w.run("plan").expect(2).out
    assert "\x1b" not in out and "\u009b" not in out and "\u202e" not in out
    w.sim.fault("UpdateImage", "status", status=400, code="Bad" + escape, message="no" + escape)
    err = w.run("apply").expect(1).err
    assert "\x1b" not in err and "\u009b" not in err, err


@case
def a_plan_file_that_is_none_is_refused(w):
    w.image(1)
    w.spec(displayName="new")
    for text, words in [("", "is no saved plan"), ("{}", "is no saved plan"), ('{"changes":[{}]}', "lacks kind"), ("[1,", "no saved plan")]:
        saved = os.path.join(w.folder, "plan.json")
        w.write(saved, text)
        assert words in w.run("apply", "--plan", saved).expect(1).err, text
    assert "does not exist" in w.run("apply", "--plan", "/nonexistent").expect(1).err
    assert w.updates() == 0


@case
def an_interrupted_apply_finishes_the_write_on_its_way_and_reports_the_rest_as_held(w):
    for n in range(1, 5):
        w.image(n)
        w.spec("i%d" % n, target=image_id(n), displayName="new %d" % n)
    w.configure(account="    maxConcurrency: 1\n")
    w.sim.fault("UpdateImage", "delay", ms=1000)
    process = subprocess.Popen([os.environ["IMAGEKEEPER"], "apply", "-o", "json", "--config", w.config_file],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=w.environment)
    eventually(lambda: [f for f in w.sim.faults() if f.get("fired")], "the write")
    process.send_signal(signal.SIGINT)
    report = json.loads(process.communicate()[0])
    assert process.returncode == 2
    assert sorted(c["outcome"] for c in report["changes"]) == ["done", "held", "held", "held"]
    assert w.sim.statistics()["applied"] == 1


@case
def revision_is_the_commit_around_the_specs(w):
    w.image(1)
    w.spec(displayName="image 1")
    assert w.plan().json["revision"] is None
    git = lambda *a: subprocess.run(["git", "-C", w.specs, "-c", "user.name=t", "-c", "user.email=t@example.org", *a], check=True,
                                    stdout=subprocess.PIPE, text=True).stdout.strip()
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-qm", "x")
    head = git("rev-parse", "HEAD")
    assert w.plan().json["revision"] == head
    git("pack-refs", "--all")
    assert w.plan().json["revision"] == head
    w.write(".revision", "0" * 40 + "\n")
    assert w.plan().json["revision"] == "0" * 40


run()
