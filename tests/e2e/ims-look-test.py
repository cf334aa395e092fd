#!/usr/bin/env python3
"""The look at images of Huawei Cloud: lists before single reads, in as few requests as it takes, and nothing decided on half a list."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from case import *


# --- how many requests ---


def reads(w):
    """GETs of one image, pages of lists."""
    queries = [r["query"] for r in w.sim.requests("ListCloudImages")]
    return sum("id=" in q and "owner=" not in q for q in queries), sum("owner=" in q for q in queries)


def limits(w):
    return [int(re.search(r"limit=(\d+)", r["query"]).group(1)) for r in w.sim.requests("ListCloudImages") if "limit=" in r["query"]]


def declare(w, ids, **want):
    for n, target in enumerate(ids, 1):
        w.spec("i%05d" % n, target=target, **(want or {"min_ram": 0}))


@case
def one_document_by_id_is_one_request(w):
    ids = w.sim.generate_cloud_images(50)
    declare(w, [ids[40]])
    assert w.plan().expect(0).json["summary"]["requests"] == 1 and reads(w) == (1, 0)


@case
def two_documents_by_id_are_one_list(w):
    ids = w.sim.generate_cloud_images(50)
    declare(w, [ids[3], ids[40]])
    assert w.plan().expect(0).json["summary"]["requests"] == 1 and reads(w) == (0, 1)


@case
def selectors_and_ids_share_the_list(w):
    ids = w.sim.generate_cloud_images(40)
    w.spec("one", selector={"name": "image-00000*"}, min_ram=0)
    w.spec("two", selector={"name": "image-00003*"}, extra={"gone": None})
    declare(w, ids[20:30])
    summary = w.plan().expect(0).json["summary"]
    assert summary["errors"] == 0 and summary["requests"] == 1 and reads(w) == (0, 1)


@case
def several_documents_on_one_id_cost_one_read(w):
    w.image(1)
    w.spec("a", name="image 1")
    w.spec("b", min_ram=0)
    w.spec("c", extra={"gone": None})
    summary = w.plan().expect(0).json["summary"]
    assert summary["declared"] == 3 and summary["objects"] == 1 and reads(w) == (1, 0)


@case
def many_ids_on_the_first_page_cost_no_later_ones(w):
    ids = w.sim.generate_cloud_images(30)
    w.configure(pageSize=10)
    declare(w, ids[-9:])  # the newest come first
    assert w.plan().expect(0).json["summary"]["inSync"] == 9 and reads(w)[1] <= 2


@case
def a_change_costs_a_look_and_a_patch(w):
    w.sim.generate_cloud_images(5)
    w.spec(selector={"name": "image-*"}, min_ram=8)
    assert w.apply().expect(0).json["summary"]["requests"] == 1 + 5 + 5


# --- pages ---


def walk(w, count, size, pages):
    ids = w.sim.generate_cloud_images(count)
    w.configure(pageSize=size)
    w.spec(selector={"name": "image-*"}, min_ram=0)
    summary = w.plan().expect(0).json["summary"]
    assert summary["objects"] == summary["inSync"] == len(ids) and len(limits(w)) == pages, (summary, limits(w))
    assert set(limits(w)) == {1000 if size == "auto" else size}
    # Those of others would be many.
    assert all("owner=%s&" % PROJECT in r["query"] for r in w.sim.requests())


@case
def a_walk_of_three_at_a_time(w):
    walk(w, 10, 3, 4)
    markers = [re.search("marker=([^&]*)", r["query"]) for r in w.sim.requests("ListCloudImages")]
    assert markers[0] is None and [m.group(1)[-2:] for m in markers[1:]] == ["08", "05", "02"]


@case
def a_walk_whose_last_page_is_full(w):
    walk(w, 9, 3, 4)


@case
def a_walk_of_one_at_a_time(w):
    walk(w, 3, 1, 4)


@case
def a_walk_of_the_default_size(w):
    walk(w, 1203, "auto", 2)


@case
def a_walk_of_the_default_size_whose_last_page_is_full(w):
    walk(w, 1000, "auto", 2)


@case
def a_default_size_that_is_refused_falls_back_to_the_clouds_and_is_remembered(w):
    w.sim.config(maxLimit=500)
    w.sim.generate_cloud_images(1001)
    w.spec(selector={"name": "image-*"}, min_ram=0)
    assert w.plan().expect(0).json["summary"]["objects"] == 1001 and limits(w) == [1000, 500, 500, 500]
    w.daemon()
    eventually(lambda: len(limits(w)) >= 4 + 1 + 9, "three rounds")
    assert limits(w).count(1000) == 2, limits(w)


@case
def a_project_without_images_is_no_error(w):
    w.spec(selector={"name": "*"}, min_ram=1)
    summary = w.plan().expect(0).json["summary"]
    assert (summary["objects"], summary["errors"], summary["requests"]) == (0, 0, 1)


def cut_down(w, size):
    """The first page holds what the server gives unless it is asked for more, which it does not heed."""
    ids = w.sim.generate_cloud_images(701)
    newest = [w.live(i) for i in ids[:200:-1]]
    w.configure(pageSize=size)
    w.spec(selector={"name": "image-*"}, min_ram=0)
    w.sim.fault("ListCloudImages", "wrong-json", body={"images": newest})
    assert len(newest) == 500 and w.plan().expect(0).json["summary"]["objects"] == 701 and set(limits(w)) == {1000}


@case
def a_limit_that_the_server_cuts_down_loses_nothing(w):
    cut_down(w, 1000)
    w.sim.reset()
    cut_down(w, "auto")


@case
def a_limit_that_the_server_refuses_is_told(w):
    w.sim.config(maxLimit=100)
    w.sim.generate_cloud_images(5)
    w.configure(pageSize=101)
    w.spec(selector={"name": "image-*"}, min_ram=8)
    error, = w.apply().expect(1).json["errors"]
    assert (error["status"], error["code"]) == (400, "IMG.0001") and "limit" in error["message"] and w.patches() == []
    w.configure(pageSize=100)
    w.apply().expect(0)


@case
def a_list_that_breaks_off_decides_no_write_of_a_selector(w):
    w.sim.generate_cloud_images(10)
    w.spec("one", selector={"name": "image-*"}, min_ram=8)
    w.spec("two", selector={"name": "image-*10"}, extra={"x": "y"})
    w.configure(pageSize=3)
    w.sim.fault("ListCloudImages", "break-page")
    report = w.apply().expect(1).json
    assert report["changes"] == [] and {e["name"] for e in report["errors"]} == {"one", "two"} and w.patches() == []
    for error in report["errors"]:
        assert (error["status"], error["code"]) == (500, "IMG.0061") and error["opcRequestId"] and PROJECT in error["message"], error


@case
def a_list_that_breaks_off_decides_no_write_of_the_ids_it_showed(w):
    ids = w.sim.generate_cloud_images(10)
    declare(w, ids, min_ram=8)
    w.configure(pageSize=3)
    w.sim.fault("ListCloudImages", "break-page")
    report = w.apply().expect(1).json
    assert len(report["errors"]) == 10 and report["changes"] == [] and w.patches() == []


@case
def a_page_that_breaks_once_is_asked_for_again(w):
    w.sim.generate_cloud_images(7)
    w.spec(selector={"name": "image-*"}, min_ram=8)
    w.configure(pageSize=3)
    w.sim.fault("ListCloudImages", "break-page", times=1)
    w.apply().expect(0)
    assert len(w.patches()) == 7 and reads(w)[1] == 4


@case
def a_marker_that_vanishes_decides_no_write(w):
    ids = w.sim.generate_cloud_images(6)
    w.spec(selector={"name": "image-*"}, min_ram=8)
    w.configure(pageSize=3)
    w.sim.fault("ListCloudImages", "change-after", change={"status": "deleted"}, resource=ids[3])
    error, = w.apply().expect(1).json["errors"]
    assert (error["status"], error["code"]) == (400, "IMG.0027") and "marker" in error["message"] and w.patches() == [], error
    w.apply().expect(0)
    assert len(w.patches()) == 5


def shuffled(w, selector, held, **change):
    """The second page shows the last image of the first again, otherwise."""
    ids = w.sim.generate_cloud_images(6, tier="golden")
    w.spec(selector=selector, min_ram=8)
    w.configure(pageSize=3)
    w.sim.fault("ListCloudImages", "shuffle-page", times=1, set=change)
    report = w.apply().expect(2 if held else 0).json
    found = [c for c in report["changes"] if c["outcome"] == "held"]
    assert [c["target"] for c in found] == ([ids[3]] if held else []), found
    assert (w.updates(ids[3]) == 0) == held
    if held:
        assert "while the list was read" in found[0]["reason"]
    w.apply().expect(0)
    assert all(w.updates(i) == 1 for i in ids)


@case
def an_image_that_two_pages_show_differently_is_held(w):
    shuffled(w, {"name": "image-*"}, True, min_ram=99)


@case
def an_image_that_only_the_first_of_two_pages_shows_as_matching_is_held(w):
    shuffled(w, {"extra": {"tier": "golden"}}, True, tier="no more")


@case
def an_image_that_two_pages_show_alike_is_taken_once(w):
    shuffled(w, {"name": "image-*"}, False, tier="golden")


@case
def an_image_that_comes_while_the_list_is_read_does_not_disturb_it(w):
    ids = w.sim.generate_cloud_images(6)
    new = w.image(1, name="image-new", created_at="2021-01-01T00:00:00Z", status="deleted")
    w.spec(selector={"name": "image-*"}, min_ram=8)
    w.configure(pageSize=3)
    w.sim.fault("ListCloudImages", "change-after", change={"status": "active", "created_at": "2030-01-01T00:00:00Z", "updated_at": LONG_AGO},
                resource=new)
    report = w.apply().expect(0).json
    assert {c["target"] for c in report["changes"]} == set(ids)


if __name__ == "__main__":
    run(workers=8, world=ImsWorld)
