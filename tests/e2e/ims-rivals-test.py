#!/usr/bin/env python3
"""ImsImage and others who write the same images, without etags: nothing of theirs that was to be seen is overwritten, nothing is written
twice, and what an answer tells is compared with what was asked."""
import datetime
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from case import *

IMAGE, OTHER_IMAGE = cloud_image_id(1), cloud_image_id(99)
REST = 2  # seconds that an image must have been left in peace, by whole seconds


def simple(w, **members):
    w.image(1, **members)
    w.spec(extra={"tier": "golden"})


def rfc3339(when):
    return datetime.datetime.fromtimestamp(when, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@case
def what_a_rival_did_since_the_list_is_seen_and_not_done_again(w):
    w.image(1, __description="old")
    w.spec(selector={"name": "image *"}, __description="ours", min_ram=4, extra={"tier": "golden"})
    w.sim.fault("ListCloudImages", "change-after", target=PROJECT, resource=IMAGE,
                change={"__description": "theirs", "min_ram": 4, "rival": "1", "updated_at": LONG_AGO})
    change, = w.apply().expect(0).json["changes"]
    assert [(a["path"], a["from"], a["to"]) for a in change["attributes"]] == [
        ("__description", "theirs", "ours"), ("extra.tier", None, "golden")], change
    patch, = w.patches()
    assert patch["body"] == [operation("replace", "__description", "ours"), operation("add", "tier", "golden")] and w.live()["rival"] == "1"


@case
def two_accounts_do_not_write_one_image_at_the_same_time(w):
    w.configure(account=w.account("again"))
    w.image(1)
    w.spec("one", name="new")
    w.spec("two", account="again", extra={"tier": "golden"})
    report = w.apply().expect(2).json
    assert sorted(c["outcome"] for c in report["changes"]) == ["done", "held"] and len(w.patches()) == 1, report
    assert "another account writes the same image" in [c["reason"] for c in report["changes"] if c["outcome"] == "held"][0]
    w.apply().expect(0)
    assert w.live()["name"] == "new" and w.live()["tier"] == "golden"


@case
def two_documents_on_one_image_write_one_after_the_other_without_a_rest(w):
    w.image(1)
    w.spec("one", name="new")
    w.spec("two", extra={"tier": "golden"})
    w.apply().expect(0)
    assert w.live()["name"] == "new" and w.live()["tier"] == "golden" and len(w.patches()) == 2
    looks = [r for r in w.sim.requests() if r["query"] == "id=" + IMAGE]
    assert len(looks) == 3, looks  # to plan, and one a write: what we wrote ourselves is no reason to leave the image in peace and look again


@case
def an_empty_text_that_the_api_does_not_take_for_one_is_added(w):
    w.image(1)
    w.spec(__description="ours")
    w.sim.fault("ListCloudImages", "echo-other", target=IMAGE, times=3, set={"__description": ""})
    w.apply().expect(0)
    assert [(p["code"], p["body"]) for p in w.patches()] == [
        ("IMG.0035", [operation("replace", "__description", "ours")]), (None, [operation("add", "__description", "ours")])], w.patches()


@case
def a_write_comes_right_after_its_look_however_much_is_waiting(w):
    for n in range(1, 91):
        w.image(n)
    w.spec(selector={"name": "image *"}, extra={"tier": "golden"})
    w.apply().expect(0)
    waiting, most = set(), 0  # the images that were looked at and are still to be written
    for request in w.sim.requests():
        if request["query"].startswith("id="):
            waiting.add(request["query"][3:])
        elif request["method"] == "PATCH":
            waiting.remove(request["path"].rsplit("/", 1)[-1])
        most = max(most, len(waiting))
    # From its look to its write an image holds one place of those that requests have: no pace of the server's changes that.
    assert waiting == set() and len(w.patches()) == 90 and most <= 8, most  # maxConcurrency


@case
def what_a_rival_made_whole_leaves_us_nothing_to_do(w):
    simple(w)
    w.sim.fault("ListCloudImages", "change-after", change={"tier": "golden"})
    change, = w.apply().expect(0).json["changes"]
    assert change["outcome"] == "done" and "somebody else" in change["reason"] and w.patches() == []


@case
def an_image_that_leaves_its_selector_before_the_write_is_left_alone(w):
    for n in (1, 2):
        w.image(n, managed="yes")
    w.spec(selector={"extra": {"managed": "yes"}}, min_ram=4)
    w.sim.fault("ListCloudImages", "change-before", target=IMAGE, change={"managed": "no"})
    held, = [c for c in w.apply().expect(2).json["changes"] if c["target"] == IMAGE]
    assert held["outcome"] == "held" and "selector" in held["reason"] and w.updates(1) == 0, held
    assert w.updates(2) == 1


@case
def an_image_that_left_its_selector_by_our_own_lost_write_is_done(w):
    w.image(1)
    w.spec(selector={"name": "image *"}, name="kept")
    w.sim.fault("UpdateCloudImage", "process-then-close")
    assert w.apply().expect(0).json["changes"][0]["outcome"] == "done" and w.updates() == 1


@case
def an_image_that_was_changed_a_moment_ago_is_left_to_rest(w):
    simple(w)
    w.sim.fault("ListCloudImages", "change-after", change={"rival": "was here"})
    w.apply().expect(0)
    patch, = w.patches()
    # The second in which it was changed may have been almost over.
    assert gap(w.looks()[0], patch) >= REST - 1 and (w.live()["rival"], w.live()["tier"]) == ("was here", "golden")


@case
def the_write_comes_two_seconds_after_anothers_at_the_earliest(w):
    simple(w)
    when = int(time.time()) + 1
    w.sim.change(IMAGE, rival="was here", updated_at=rfc3339(when))
    w.apply().expect(0)
    patch, = w.patches()
    assert seconds_of(patch["time"]) >= when + REST and len(w.looks()) >= 3, (patch["time"], when)


@case
def an_image_that_rests_is_written_after_one_look(w):
    simple(w)
    w.apply().expect(0)
    assert len(w.looks()) == 2 and len(w.patches()) == 1


@case
def a_rival_that_never_stops_has_it_held(w):
    simple(w)
    w.image(2)
    w.spec("two", target=cloud_image_id(2), min_ram=4)
    w.sim.fault("ListCloudImages", "change-before", target=IMAGE, times=-1, change={"rival": "again"})
    report = w.apply().expect(2).json
    held, = [c for c in report["changes"] if c["outcome"] == "held"]
    assert held["outcome"] == "held" and "somebody else is changing the image" in held["reason"], held
    assert [p["target"] for p in w.patches()] == [cloud_image_id(2)] and report["errors"] == []
    w.sim.clear_faults()
    w.apply().expect(0)
    assert w.live()["tier"] == "golden" and w.live()["rival"] == "again"


@case
def what_happens_to_others_between_the_look_and_the_write_survives(w):
    """The body names the attributes that differ alone."""
    simple(w)
    w.sim.fault("UpdateCloudImage", "change-before", change={"rival": "was here", "name": "theirs"})
    w.apply().expect(0)
    assert (w.live()["rival"], w.live()["name"], w.live()["tier"]) == ("was here", "theirs", "golden") and len(w.patches()) == 1


@case
def an_attribute_that_appeared_since_the_look_is_decided_anew(w):
    simple(w)
    w.sim.fault("UpdateCloudImage", "change-before", change={"tier": "theirs"})
    change, = w.apply().expect(0).json["changes"]
    assert change["outcome"] == "done" and [(a["from"], a["to"]) for a in change["attributes"]] == [("theirs", "golden")], change
    assert [(p["code"], p["body"]) for p in w.patches()] == [
        ("IMG.0035", [operation("add", "tier", "golden")]), (None, [operation("replace", "tier", "golden")])], w.patches()
    assert w.updates() == 1


def vanished(w, attribute="tier", times=2):
    """The looks show an attribute that is not there, as one that vanishes right after them."""
    w.sim.fault("ListCloudImages", "echo-other", target=IMAGE, times=times, set={attribute: "a ghost"})


@case
def an_attribute_that_vanished_since_the_look_is_decided_anew(w):
    simple(w)
    vanished(w)
    w.apply().expect(0)
    assert [(p["code"], p["body"]) for p in w.patches()] == [
        ("IMG.0035", [operation("replace", "tier", "golden")]), (None, [operation("add", "tier", "golden")])], w.patches()


@case
def an_attribute_that_was_to_go_and_went_by_itself_is_done(w):
    w.image(1)
    w.spec(extra={"legacy": None})
    vanished(w, "legacy")
    change, = w.apply().expect(0).json["changes"]
    assert change["outcome"] == "done" and "somebody else" in change["reason"] and len(w.patches()) == 1
    assert w.patches()[0]["body"] == [operation("remove", "legacy")]


@case
def a_conflict_that_does_not_go_away_is_an_error(w):
    simple(w)
    w.sim.fault("UpdateCloudImage", "status", status=400, code="IMG.0035", message="The attribute conflicts", times=-1)
    error = w.apply().only_error()
    assert (error["status"], error["code"]) == (400, "IMG.0035") and "conflicts" in error["message"], error
    assert error["opcRequestId"] == w.patches()[-1]["opcRequestId"] and len(w.patches()) == 1 and w.updates() == 0


@case
def a_look_that_always_shows_what_is_not_there_is_an_error(w):
    simple(w)
    vanished(w, times=-1)
    error = w.apply().only_error()
    assert (error["status"], error["code"]) == (400, "IMG.0035") and len(w.patches()) == 1, error


@case
def attributes_that_the_cloud_does_not_let_stand_together_are_an_error(w):
    w.image(1, __support_kvm="true")
    w.spec(__support_kvm_gpu_type="V100", min_ram=4)
    error = w.apply().only_error()
    assert (error["status"], error["code"]) == (400, "IMG.0035") and "cannot co-exist" in error["message"], error
    assert len(w.patches()) == 1 and w.updates() == 0


# --- what was asked and what is there ---


def not_converging(w, answer_only):
    w.image(1)
    w.spec(name="new")
    w.sim.fault("UpdateCloudImage", "echo-other", set={"name": "the server-s"}, persist=not answer_only)
    return w.apply()


@case
def an_answer_that_is_not_what_was_asked_is_read_again(w):
    change, = not_converging(w, True).expect(0).json["changes"]
    assert change["outcome"] == "done" and change["reason"] is None
    assert len(w.patches()) == 1 and len(w.looks()) == 3 and w.sim.requests()[-1]["operation"] == "ListCloudImages"


@case
def a_state_that_is_not_what_was_asked_is_not_converging(w):
    error = not_converging(w, False).only_error()
    assert error["code"] == "NotConverging" and error["target"] == IMAGE and error["opcRequestId"] == w.patches()[0]["opcRequestId"]
    assert '"new"' in error["message"] and '"the server-s"' in error["message"], error
    assert len(w.patches()) == 1 and len(w.looks()) == 3


@case
def an_answer_without_the_attribute_is_read_again(w):
    simple(w)
    w.sim.fault("UpdateCloudImage", "echo-other", set={"tier": None})
    w.apply().expect(0)
    assert len(w.patches()) == 1 and len(w.looks()) == 3


@case
def an_answer_in_other_types_is_an_answer(w):
    w.image(1)
    w.spec(min_ram=2048, max_ram=4096, __is_config_init=True)
    w.sim.fault("UpdateCloudImage", "echo-other", set={"min_ram": "2048", "max_ram": 4096, "__is_config_init": True})
    w.apply().expect(0)
    assert len(w.patches()) == 1 and len(w.looks()) == 2


@case
def an_answer_about_another_image_is_looked_into(w):
    simple(w)
    w.sim.fault("UpdateCloudImage", "echo-other", set={"id": OTHER_IMAGE})
    w.apply().expect(0)
    assert w.updates() == 1 and len(w.patches()) == 1 and len(w.looks()) == 3


@case
def what_is_not_known_of_an_image_is_tolerated(w):
    w.image(1, tags=None)
    w.spec("one", extra={"tier": "golden"})
    w.spec("all", selector={"name": "image *"}, min_ram=4)
    future = {"somethingNew": {"deep": [1, 2.5, None, True]}, "__lazyloading": "TELEPORTED", "size": 2 ** 53 - 1, "tags": "odd"}
    for operation in ("ListCloudImages", "UpdateCloudImage"):
        w.sim.fault(operation, "echo-other", times=-1, set=future)
    w.apply().expect(0)
    assert w.live()["tier"] == "golden" and w.live()["min_ram"] == 4


@case
def single_reads_of_something_else_decide_nothing(w):
    for body in ({"images": [{"id": OTHER_IMAGE, "name": "x", "status": "active", "owner": PROJECT}]}, {"images": [{"id": IMAGE, "owner": PROJECT}]},
                 {"images": [{"id": IMAGE, "status": "active", "owner": 7}]}, {"images": ["x"]}, {"images": [{}, {}]}):
        w.sim.reset()
        simple(w)
        w.sim.fault("ListCloudImages", "wrong-json", body=body)
        w.apply().expect(0)
        assert w.updates() == 1 and len(w.looks()) == 3, body


@case
def a_list_that_lies_decides_no_write(w):
    """It only says what to look at."""
    w.image(1, tier="silver")
    w.spec(selector={"name": "image *"}, extra={"tier": "golden"})
    w.sim.fault("ListCloudImages", "echo-other", set={"tier": None})
    w.apply().expect(0)
    assert [p["body"] for p in w.patches()] == [[operation("replace", "tier", "golden")]]


@case
def a_list_that_is_behind_makes_no_write(w):
    w.image(1, tier="golden")
    w.spec(selector={"name": "image *"}, extra={"tier": "golden"})
    w.sim.fault("ListCloudImages", "echo-other", target=PROJECT, set={"tier": "old"})
    w.apply().expect(0)
    assert w.patches() == []


# --- writes that were not made whole ---


def refused(w, atomic, **more):
    """Of three attributes the last one is refused."""
    w.sim.config(patchAtomic=atomic)
    w.image(1)
    w.spec(name="new", min_ram=4, extra={"future_property": "x"}, **more)
    return w.apply().only_error()


@case
def what_was_made_of_a_refused_write_is_said(w):
    error = refused(w, False)
    assert (error["status"], error["code"]) == (400, "IMG.0105") and "made all the same: name, min_ram" in error["message"], error
    assert error["opcRequestId"] == w.patches()[0]["opcRequestId"] and len(w.patches()) == 1
    assert (w.live()["name"], w.live()["min_ram"]) == ("new", 4)


@case
def a_write_that_was_refused_whole_says_so_alone(w):
    error = refused(w, True)
    assert (error["status"], error["code"]) == (400, "IMG.0105") and "made" not in error["message"], error
    assert len(w.patches()) == 1 and w.live()["name"] == "image 1"


@case
def a_refused_write_whose_look_fails_is_told(w):
    w.sim.fault("ListCloudImages", "status", status=403, code="IMG.0026", skip=2, times=-1)
    assert refused(w, False)["code"] == "IMG.0105" and len(w.patches()) == 1


@case
def a_write_that_was_half_made_and_conflicts_is_finished(w):
    w.sim.config(patchAtomic=False)
    w.image(1)
    w.spec(name="new", min_ram=4, extra={"tier": "golden"})
    vanished(w)
    change, = w.apply().expect(0).json["changes"]
    assert [p["body"] for p in w.patches()] == [
        [operation("replace", "name", "new"), operation("replace", "min_ram", "4"), operation("replace", "tier", "golden")], [operation("add", "tier", "golden")]]
    live = w.live()
    assert (live["name"], live["min_ram"], live["tier"]) == ("new", 4, "golden") and change["outcome"] == "done"


@case
def a_half_made_write_is_reported_whole(w):
    w.sim.config(patchAtomic=False)
    w.image(1)
    w.spec(name="new", min_ram=4, extra={"tier": "golden"})
    vanished(w)
    change, = w.apply().expect(0).json["changes"]
    assert {a["path"] for a in change["attributes"]} == {"name", "min_ram", "extra.tier"}, change


# --- answers that are lost ---


@case
def a_lost_write_that_was_undone_is_made_anew(w):
    w.image(1)
    w.spec(name="new")
    w.sim.fault("UpdateCloudImage", "process-then-close")
    w.sim.fault("ListCloudImages", "change-before", skip=2, change={"name": "image 1"})
    w.apply().expect(0)
    first, second = w.patches()
    assert first["body"] == second["body"] and w.updates() == 2 and w.live()["name"] == "new"


@case
def when_the_look_after_a_lost_write_fails_both_are_told(w):
    simple(w)
    w.sim.fault("UpdateCloudImage", "process-then-close")
    w.sim.fault("ListCloudImages", "status", skip=2, times=-1, status=403, code="IMG.0026")
    error = w.apply().only_error()
    assert error["status"] == 403 and "not known" in error["message"] and "closed" in error["message"], error
    assert len(w.patches()) == 1
    w.sim.clear_faults()
    w.apply().expect(0)
    assert w.updates() == 1


@case
def a_500_after_which_somebody_did_it_is_not_sent_again(w):
    simple(w)
    w.sim.fault("UpdateCloudImage", "status", status=500)
    w.sim.fault("ListCloudImages", "change-before", skip=2, change={"tier": "golden"})
    assert w.apply().expect(0).json["changes"][0]["outcome"] == "done" and len(w.patches()) == 1


@case
def a_write_that_times_out_before_or_after_the_deed_is_looked_at(w):
    for n, fault in ((1, "hang"), (2, "process-then-hang")):
        w.image(n)
        w.spec(fault, target=cloud_image_id(n), min_ram=4)
        w.sim.fault("UpdateCloudImage", fault, target=cloud_image_id(n))
    report = w.apply()
    outcomes = {c["name"]: c["outcome"] for c in report.json["changes"]}
    assert outcomes["process-then-hang"] == "done" and w.updates(2) == 1
    if outcomes["hang"] != "done":  # the time of one round was up
        assert {(e["name"], e["code"]) for e in report.expect(1).json["errors"]} == {("hang", "TimedOut")} and w.updates(1) == 0
        w.apply().expect(0)
    assert w.updates(1) == 1 and w.updates(2) == 1
    assert len([p for p in w.patches() if p["target"] == cloud_image_id(2)]) == 1


# --- stopping ---


@case
def an_interrupted_apply_finishes_the_write_on_its_way_and_reports_the_rest_as_held(w):
    for n in range(1, 5):
        w.image(n)
        w.spec("i%d" % n, target=cloud_image_id(n), name="new %d" % n)
    w.configure(maxConcurrency=1)
    w.sim.fault("UpdateCloudImage", "delay", ms=1000)
    process = subprocess.Popen([os.environ["IMAGEKEEPER"], "apply", "-o", "json", "--config", w.config_file],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=w.environment)
    eventually(lambda: [f for f in w.sim.faults() if f.get("fired")], "the write")
    process.send_signal(signal.SIGTERM)
    report = json.loads(process.communicate()[0])
    assert process.returncode == 2 and sorted(c["outcome"] for c in report["changes"]) == ["done", "held", "held", "held"]
    assert w.sim.statistics()["applied"] == 1


@case
def an_interrupted_apply_does_not_wait_for_an_image_to_rest(w):
    simple(w)
    w.sim.fault("ListCloudImages", "change-before", times=-1, change={"rival": "again"})
    process = subprocess.Popen([os.environ["IMAGEKEEPER"], "apply", "-o", "json", "--config", w.config_file],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=w.environment)
    eventually(lambda: len(w.looks()) >= 2, "the look before the write")
    process.send_signal(signal.SIGINT)
    report = json.loads(process.communicate()[0])
    assert process.returncode == 2 and "stopped" in report["changes"][0]["reason"] and w.patches() == [], report


if __name__ == "__main__":
    run(workers=8, world=ImsWorld)
