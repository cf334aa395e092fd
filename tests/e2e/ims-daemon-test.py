#!/usr/bin/env python3
"""imagekeeperd and images of Huawei Cloud: drift, others at the same images, and what a kill in the middle of a write leaves."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from case import *

IMAGE = cloud_image_id(1)


def simple(w, count=1, **members):
    for n in range(1, count + 1):
        w.image(n, **members)
        w.spec("i%d" % n, target=cloud_image_id(n), name="golden %d" % n)


def rounds(w, n=2):
    """Waits for whole rounds from now on."""
    count = len(w.sim.requests("ListCloudImages"))
    eventually(lambda: len(w.sim.requests("ListCloudImages")) > count + n, "%d rounds" % n)


@case
def repairs_drift_and_says_what_it_did(w):
    w.image(1, __description="x")
    w.spec(name="golden", __description=None, min_ram=4, extra={"tier": "gold"})
    d = w.daemon()
    n = d.wait_line("updated " + IMAGE)
    assert ('name: "image 1" -> "golden", __description: "x" -> absent, min_ram: 0 -> 4, extra.tier: absent -> "gold"'
            in d.lines[n - 1]), d.lines
    w.sim.change(IMAGE, name="somebody else-s")
    n = d.wait_line('name: "somebody else-s" -> "golden"', n)
    w.sim.strip(IMAGE, "tier")
    d.wait_line('extra.tier: absent -> "gold"', n)
    eventually(lambda: w.live().get("tier") == "gold")
    assert [p["status"] for p in w.patches()] == [200] * 3


@case
def an_image_in_sync_costs_one_read_a_round(w):
    w.image(1)
    w.spec(name="image 1")
    w.daemon()
    rounds(w, 4)
    assert {r["query"] for r in w.sim.requests()} == {"id=" + IMAGE} and w.patches() == []


@case
def a_rival_that_does_not_stop_is_said_and_tried_again_when_he_does(w):
    simple(w)
    w.sim.fault("ListCloudImages", "change-before", times=-1, change={"rival": "again"})
    d = w.daemon()
    d.wait_line("held: somebody else is changing the image")
    assert w.patches() == []
    w.sim.clear_faults()
    d.wait_line('updated %s: name: "image 1" -> "golden 1"' % IMAGE)
    assert w.live()["rival"] == "again" and w.updates() == 1


@case
def a_server_that_never_converges_is_left_alone_with_growing_pauses(w):
    simple(w)
    w.sim.fault("UpdateCloudImage", "echo-other", set={"name": "Golden", "updated_at": LONG_AGO}, persist=True, times=-1)
    d = w.daemon()
    d.wait_line('NotConverging: not converging: name: asked for "golden 1", the answer has "Golden"')
    d.wait_line("held: .*next try at")
    eventually(lambda: len(w.patches()) >= 3, "the third try")
    # Pauses of 1 and 2 intervals; each round looks.
    reads, gaps = 0, []
    for request in w.sim.requests():
        reads += request["operation"] == "ListCloudImages"
        if request["operation"] == "UpdateCloudImage":
            gaps.append(reads)
            reads = 0
    assert gaps[2] > gaps[0], gaps


@case
def a_change_that_is_undone_again_and_again_is_left_alone(w):
    simple(w)
    w.sim.fault("UpdateCloudImage", "change-after", change={"name": "theirs", "updated_at": LONG_AGO}, times=-1)
    d = w.daemon()
    d.wait_line("held: not converging: the same change was made several times")
    assert len(w.patches()) == 3, w.patches()


@case
def what_is_not_there_is_said_once_and_so_is_its_end(w):
    simple(w)
    w.spec("gone", target=cloud_image_id(2), min_ram=0)
    d = w.daemon()
    n = d.wait_line("ImsImage gone .*no image of this id.*declared at gone.yaml:1")
    rounds(w, 6)
    assert sum("ImsImage gone" in line for line in d.lines) == 1, d.lines
    w.image(2)
    d.wait_line("ImsImage gone \\(hw\\): well again", n)


@case
def an_outage_of_many_images_is_one_line(w):
    simple(w, 30, name="golden")
    for n in range(1, 31):
        w.spec("i%d" % n, target=cloud_image_id(n), name="golden")
    w.sim.fault("*", "status", status=401, code="APIGW.0301", message="no", times=-1)
    d = w.daemon()
    d.wait_line("account hw: 30 documents \\(i1, i10, i11, …\\): APIGW.0301: .*: no;")
    w.sim.clear_faults()
    d.wait_line("account hw: well again")
    d.wait_message("30 of 30 objects in sync")
    assert sum("error" in line for line in d.lines) == 1, d.lines


@case
def sigterm_finishes_the_write_that_is_on_its_way_and_begins_none(w):
    simple(w, 8)
    w.configure(maxConcurrency=1)
    w.sim.fault("UpdateCloudImage", "delay", ms=1500)
    d = w.daemon()
    eventually(lambda: [f for f in w.sim.faults() if f.get("fired")], "the write to arrive")
    d.signal(signal.SIGTERM)
    assert d.wait() == 0 and w.sim.statistics()["applied"] == 1, w.sim.statistics()
    assert any("STOPPING=1" in m for m in d.messages) and sum("updated" in line for line in d.lines) == 1, d.lines


@case
def sigterm_gives_up_a_look_and_a_login_at_once(w):
    for auth, operation in (("accessKey", "ListCloudImages"), ("password", "CreateToken")):
        w.configure(auth=auth)
        w.sim.reset()
        simple(w)
        w.sim.fault(operation, "hang", times=-1)
        d = w.daemon()
        eventually(lambda: [f for f in w.sim.faults() if f.get("fired")], operation)
        d.signal(signal.SIGTERM)
        assert d.wait() == 0 and w.updates() == 0


@case
def killed_in_the_middle_of_a_write_it_goes_on_where_the_cloud_is(w):
    simple(w)
    w.sim.fault("UpdateCloudImage", "process-then-close", ms=300)
    d = w.daemon()
    eventually(lambda: [f for f in w.sim.faults() if f.get("fired")], "the write")
    d.signal(signal.SIGKILL)
    d.wait()
    d = w.daemon()
    d.wait_message("STATUS=1 of 1 objects in sync")
    eventually(lambda: w.updates() == 1, "the write")
    rounds(w)
    assert w.updates() == 1


@case
def two_of_them_come_to_the_same_end(w):
    """Without etags both may send the same; neither calls that an error."""
    for n in range(1, 11):
        w.image(n, legacy="yes")
        w.spec("i%d" % n, target=cloud_image_id(n), name="golden %d" % n, extra={"legacy": None, "tier": "gold"})
    a, b = w.daemon(), w.daemon()
    a.wait_message("STATUS=10 of 10 objects in sync")
    b.wait_message("STATUS=10 of 10 objects in sync")
    for n in range(1, 11):
        live = w.live(n)
        assert (live["name"], live["tier"], "legacy" in live) == ("golden %d" % n, "gold", False)
    assert not any("error" in line for d in (a, b) for line in d.lines), (a.lines, b.lines)
    assert {p["code"] for p in w.patches()} <= {None, "IMG.0035"}


@case
def a_selector_that_suddenly_matches_far_more_is_held_until_the_specs_change(w):
    w.image(1, name="golden 1")
    w.spec("many", selector={"name": "golden *"}, extra={"tier": "gold"})
    d = w.daemon()
    d.wait_line("updated")
    w.sim.generate_cloud_images(20, name="golden x")
    d.wait_line("20 changes held: the selector matches 21 objects, 1 in the round before")
    assert w.sim.statistics()["applied"] == 1
    w.spec("many", selector={"name": "golden *"}, extra={"tier": "gold", "meant": "yes"})
    eventually(lambda: w.sim.statistics()["applied"] == 22, "21 more updates")


@case
def images_that_are_not_active_are_written_when_they_are(w):
    simple(w, status="saving")
    d = w.daemon()
    d.wait_line("held: the image is saving; it can be changed when it is active")
    w.sim.change(IMAGE, status="active")
    d.wait_line("updated " + IMAGE)


if __name__ == "__main__":
    run(workers=8, world=ImsWorld)
