#!/usr/bin/env python3
"""The look: lists before single reads, in as few requests as it takes, and nothing decided on what was not read whole."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from case import *

OTHER = "ocid1.compartment.oc1..aaaaaaaaothercompartment"
PAGE = "    pageSize: %s\n"


def counts(w):
    """GETs of images, pages of lists."""
    return len(w.sim.requests("GetImage")), len(w.sim.requests("ListImages"))


def limits(w):
    return [int(re.search(r"limit=(\d+)", r["query"]).group(1)) for r in w.sim.requests("ListImages")]


def declare(w, ids, **want):
    """A document for each id, in one file."""
    text = "".join("---\napiVersion: imagekeeper/v1\nkind: OciImage\nmetadata: {name: i%05d}\nspec:\n  account: prod\n  imageId: %s\n%s" %
                   (n, target, "".join("  %s: %s\n" % (k, json.dumps(v)) for k, v in (want or {"operatingSystemVersion": "9"}).items()))
                   for n, target in enumerate(ids, 1))
    w.write("all.yaml", text)


def errors_of(report):
    return {e["name"]: e for e in report["errors"]}


# --- how many requests ---


@case
def one_document_by_id_is_one_request(w):
    w.sim.generate(500)
    declare(w, ["ocid1.image.oc1.phx.aaaaaaaa000400"])
    assert w.plan().expect(0).json["summary"]["requests"] == 1
    assert counts(w) == (1, 0)


@case
def two_documents_by_id_are_two_requests(w):
    ids = w.sim.generate(500)
    declare(w, [ids[3], ids[450]])
    w.plan().expect(0)
    assert sum(counts(w)) == 2


@case
def a_thousand_of_ten_thousand_cost_their_pages_and_one(w):
    ids = w.sim.generate(10000)
    declare(w, ids[5::10])
    summary = w.plan().expect(0).json["summary"]
    assert summary["inSync"] == 1000 and summary["requests"] == 11
    assert counts(w) == (1, 10) and set(limits(w)) == {1000}


@case
def documents_on_the_first_pages_cost_no_later_ones(w):
    ids = w.sim.generate(10000)
    declare(w, ids[:1000])
    assert w.plan().expect(0).json["summary"]["inSync"] == 1000
    gets, pages = counts(w)
    assert gets == 1 and pages <= 2


@case
def a_selector_costs_its_pages(w):
    w.sim.generate(2500)
    w.spec(selector={"displayName": "image-*"}, operatingSystemVersion="9")
    summary = w.plan().expect(0).json["summary"]
    assert summary["objects"] == summary["inSync"] == 2500 and counts(w) == (0, 3)


@case
def selectors_and_ids_of_one_compartment_share_its_list(w):
    ids = w.sim.generate(1500)
    w.spec("one", selector={"displayName": "image-0000*"}, operatingSystemVersion="9")
    w.spec("two", selector={"displayName": "image-0015*"}, operatingSystemVersion="9")
    declare(w, ids[200:300], operatingSystem="Oracle Linux")
    summary = w.plan().expect(0).json["summary"]
    assert summary["objects"] == 99 + 1 + 100 and summary["inSync"] == 200 and counts(w) == (0, 2)


@case
def several_documents_on_one_id_cost_one_read(w):
    w.image(1)
    w.spec("a", displayName="image 1")
    w.spec("b", operatingSystemVersion="8")
    w.spec("c", freeformTags={"team": "base"})
    summary = w.plan().expect(0).json["summary"]
    assert summary["declared"] == 3 and summary["objects"] == 1 and counts(w) == (1, 0)


@case
def ids_of_several_compartments_are_found_in_their_lists(w):
    ids = []
    for n in range(4):
        ids += w.sim.generate(100, compartment="ocid1.compartment.oc1..%d" % n, prefix="c%d" % n)
    # Interleaved, so that the next one to be found is always elsewhere.
    declare(w, [ids[c * 100 + i] for i in range(100) for c in range(4)])
    assert w.plan().expect(0).json["summary"]["inSync"] == 400
    gets, pages = counts(w)
    assert pages == 4 and gets <= 20, (gets, pages)


@case
def reading_a_list_goes_on_only_while_it_pays(w):
    """A few ids that lie elsewhere do not cost a large compartment's whole list."""
    near = w.sim.generate(20000)
    far = w.sim.generate(3, compartment=OTHER, prefix="far")
    declare(w, [near[0]] + far)
    assert w.plan().expect(0).json["summary"]["inSync"] == 4
    assert sum(counts(w)) <= 10, counts(w)


# --- pages ---


@case
def auto_falls_back_to_the_contracts_page_size_and_remembers(w):
    w.sim.config(maxLimit=100)
    w.sim.generate(250)
    w.sim.generate(150, compartment=OTHER, prefix="other")
    w.spec("here", selector={"displayName": "image-*"}, operatingSystemVersion="9")
    w.configure(account="    maxConcurrency: 1\n" + PAGE % "auto")
    assert w.plan().expect(0).json["summary"]["inSync"] == 250
    assert limits(w) == [1000, 100, 100, 100]
    w.sim.reset()
    w.sim.config(maxLimit=100)
    ids = w.sim.generate(300) + w.sim.generate(300, compartment=OTHER, prefix="other")
    declare(w, ids)
    os.unlink(os.path.join(w.specs, "here.yaml"))
    assert w.plan().expect(0).json["summary"]["inSync"] == 600
    assert limits(w).count(1000) == 1, limits(w)


@case
def a_fixed_page_size_is_asked_for_and_does_not_fall_back(w):
    w.sim.generate(25)
    w.spec(selector={"displayName": "image-*"}, operatingSystemVersion="9")
    w.configure(account=PAGE % "10")
    assert w.plan().expect(0).json["summary"]["inSync"] == 25 and limits(w) == [10, 10, 10]
    w.sim.config(maxLimit=5)
    error, = w.plan().expect(1).json["errors"]
    assert (error["status"], error["code"]) == (400, "InvalidParameter") and limits(w) == [10] * 4


@case
def empty_pages_with_a_next_one_are_gone_through(w):
    w.sim.config(emptyPages=3, emptyLastPage=True)
    w.sim.generate(30)
    w.spec(selector={"displayName": "image-*"}, operatingSystemVersion="9")
    w.configure(account=PAGE % "10")
    summary = w.plan().expect(0).json["summary"]
    assert summary["objects"] == 30 and counts(w)[1] >= 3 * 4


@case
def ids_are_found_behind_empty_pages(w):
    w.sim.config(emptyPages=2)
    declare(w, w.sim.generate(60))
    w.configure(account=PAGE % "20")
    assert w.plan().expect(0).json["summary"]["inSync"] == 60


@case
def an_empty_last_page_is_no_trouble(w):
    w.sim.config(emptyLastPage=True)
    w.sim.generate(20)
    w.spec(selector={"displayName": "image-*"}, operatingSystemVersion="9")
    w.configure(account=PAGE % "10")
    assert w.plan().expect(0).json["summary"]["inSync"] == 20 and counts(w) == (0, 3)


@case
def an_empty_compartment_is_no_error(w):
    w.sim.add_compartment()
    w.spec(selector={"displayName": "*"}, operatingSystemVersion="9")
    summary = w.plan().expect(0).json["summary"]
    assert summary["objects"] == 0 and summary["errors"] == 0 and counts(w) == (0, 1)


# --- what cannot be found ---


@case
def an_id_that_nobody_shows_does_not_disturb_the_many_that_are_listed(w):
    ids = w.sim.generate(50)
    declare(w, ids[:25] + [image_id(1)] + ids[25:], freeformTags={"tier": "new"})
    report = w.apply().expect(1).json
    error, = report["errors"]
    assert (error["name"], error["target"], error["status"], error["code"]) == ("i00026", image_id(1), 404, "NotAuthorizedOrNotFound")
    assert w.sim.statistics()["applied"] == 50 and all(i["updates"] == 1 for i in w.sim.images().values())


@case
def ids_that_exist_nowhere_are_all_reported_and_asked_for_once(w):
    declare(w, [image_id(n) for n in range(1, 201)])
    report = w.apply().expect(1).json
    assert len(report["errors"]) == 200 and {e["code"] for e in report["errors"]} == {"NotAuthorizedOrNotFound"}
    asked = [r["target"] for r in w.sim.requests("GetImage")]
    assert len(asked) == 200 and set(asked) == {image_id(n) for n in range(1, 201)} and counts(w)[1] == 0


@case
def platform_images_by_id_are_read_and_refused(w):
    w.sim.generate(3)
    for n in (1, 2):
        w.sim.add_images([{"id": image_id(n), "compartmentId": None, "displayName": "platform %d" % n, "operatingSystem": "Oracle Linux",
                           "operatingSystemVersion": "9"}])
    declare(w, [image_id(1), image_id(2), "ocid1.image.oc1.phx.aaaaaaaa000002"], freeformTags={"tier": "new"})
    report = w.apply().expect(1).json
    assert set(errors_of(report)) == {"i00001", "i00002"} and all("platform image" in e["message"] for e in report["errors"])
    assert w.sim.statistics()["applied"] == 1


@case
def a_hidden_compartment_is_an_error_of_its_documents_alone(w):
    w.sim.generate(5)
    w.sim.generate(5, compartment=OTHER, prefix="other")
    w.sim.hide(OTHER)
    w.spec("seen", selector={"displayName": "image-*"}, freeformTags={"tier": "new"})
    w.write("hidden.yaml", "apiVersion: imagekeeper/v1\nkind: OciImage\nmetadata: {name: hidden}\nspec:\n  account: prod\n"
            "  selector: {compartmentId: %s}\n  freeformTags: {tier: new}\n" % OTHER)
    report = w.apply().expect(1).json
    error, = report["errors"]
    assert (error["name"], error["target"], error["status"], error["code"]) == ("hidden", None, 404, "NotAuthorizedOrNotFound")
    assert OTHER in error["message"] and error["opcRequestId"]
    assert w.sim.statistics()["applied"] == 5


@case
def ids_whose_list_is_refused_are_read_one_by_one(w):
    """A policy may allow reading an image and not listing its compartment."""
    for status, code in ((404, "NotAuthorizedOrNotFound"), (403, "NotAuthorized")):
        w.sim.reset()
        declare(w, w.sim.generate(20), freeformTags={"tier": "new"})
        w.sim.fault("ListImages", "status", status=status, code=code, times=-1)
        w.apply().expect(0)
        assert w.sim.statistics()["applied"] == 20 and counts(w) == (20, 1)


@case
def an_image_that_is_listed_and_cannot_be_read_is_not_written(w):
    ids = w.sim.generate(4)
    w.sim.hide(ids[1], listed=True)
    w.spec(selector={"displayName": "image-*"}, freeformTags={"tier": "new"})
    report = w.apply().expect(1).json
    error, = report["errors"]
    assert error["target"] == ids[1] and error["status"] == 404 and w.sim.statistics()["applied"] == 3


@case
def deleted_images_that_are_still_listed_are_told_or_passed_over(w):
    ids = w.sim.generate(4)
    w.sim.delete(ids[1])
    declare(w, ids[:2], freeformTags={"tier": "new"})
    w.spec("rest", selector={"displayName": "image-*"}, operatingSystem="new")
    report = w.apply().expect(1).json
    error, = report["errors"]
    assert error["target"] == ids[1] and "DELETED" in error["message"]
    assert w.updates(ids[1]) == 0 and [w.live(i)["operatingSystem"] for i in (ids[0], ids[2], ids[3])] == ["new"] * 3


@case
def what_is_not_known_of_an_image_is_tolerated(w):
    for n in (1, 2):
        w.image(n, freeformTags=None, definedTags=None)
    w.spec(freeformTags={"tier": "new"})
    w.spec("all", selector={"displayName": "image *"}, operatingSystem="new")
    future = {"somethingNew": {"deep": [1, 2.5, None, True]}, "launchMode": "TELEPORTED", "billableSizeInGBs": 2 ** 53 - 1}
    for operation in ("ListImages", "GetImage", "UpdateImage"):
        w.sim.fault(operation, "echo-other", times=-1, set=future)
    w.apply().expect(0)
    assert w.live(1)["freeformTags"] == {"tier": "new"} and w.live(2)["operatingSystem"] == "new"
    for put in w.sim.requests("UpdateImage"):
        assert set(put["body"]) <= {"freeformTags", "operatingSystem"}


# --- lists that break ---


@case
def a_list_that_breaks_off_decides_no_write_of_a_selector(w):
    w.sim.generate(30)
    w.spec("one", selector={"displayName": "image-0000*"}, freeformTags={"tier": "new"})
    w.spec("two", selector={"displayName": "image-000001"}, operatingSystem="new")
    w.configure(account=PAGE % "10")
    w.sim.fault("ListImages", "break-page")
    report = w.apply().expect(1).json
    assert report["changes"] == [] and set(errors_of(report)) == {"one", "two"} and w.sim.requests("UpdateImage") == []
    for error in report["errors"]:
        assert (error["status"], error["code"]) == (500, "InternalServerError") and error["opcRequestId"] and COMPARTMENT in error["message"]


@case
def a_list_that_breaks_off_decides_no_write_of_the_ids_it_showed(w):
    """But for the first, which was read by itself to find out where it lies."""
    ids = w.sim.generate(30)
    declare(w, ids[:1] + ids[5:30], freeformTags={"tier": "new"})
    w.configure(account=PAGE % "10")
    w.sim.fault("ListImages", "break-page")
    report = w.apply().expect(1).json
    assert len(report["errors"]) == 25 and [c["target"] for c in report["changes"]] == [ids[0]]
    assert {(e["status"], e["code"]) for e in report["errors"]} == {(500, "InternalServerError")}
    assert w.sim.statistics()["applied"] == 1 and w.updates(ids[0]) == 1


@case
def a_list_that_breaks_off_holds_up_no_other_compartment(w):
    w.sim.generate(30)
    others = w.sim.generate(30, compartment=OTHER, prefix="other")
    w.spec("broken", selector={"displayName": "image-*"}, freeformTags={"tier": "new"})
    w.write("other.yaml", "apiVersion: imagekeeper/v1\nkind: OciImage\nmetadata: {name: other}\nspec:\n  account: prod\n"
            "  selector: {compartmentId: %s}\n  freeformTags: {tier: new}\n" % OTHER)
    w.configure(account=PAGE % "10")
    w.sim.fault("ListImages", "break-page", target=COMPARTMENT)
    report = w.apply().expect(1).json
    assert set(errors_of(report)) == {"broken"} and w.sim.statistics()["applied"] == 30
    assert all(w.updates(i) == 1 for i in others)


@case
def a_page_that_breaks_once_is_asked_for_again(w):
    w.sim.generate(30)
    w.spec(selector={"displayName": "image-*"}, freeformTags={"tier": "new"})
    w.configure(account=PAGE % "10")
    w.sim.fault("ListImages", "break-page", times=1)
    w.apply().expect(0)
    assert w.sim.statistics()["applied"] == 30 and counts(w)[1] == 4


def shuffled(w, selector, set, held):
    """The second page shows the tenth image again, otherwise."""
    ids = w.sim.generate(20)
    w.spec(selector=selector, operatingSystem="new")
    w.configure(account=PAGE % "10")
    w.sim.fault("ListImages", "shuffle-page", times=1, set=set)
    report = w.apply().expect(2).json
    found = [c for c in report["changes"] if c["outcome"] == "held"]
    assert [c["target"] for c in found] == [ids[9]] and "while the list was read" in found[0]["reason"]
    assert w.updates(ids[9]) == 0 and w.sim.statistics()["applied"] == held
    w.apply().expect(0)


@case
def an_image_that_two_pages_show_differently_is_held(w):
    shuffled(w, {"displayName": "image-*"}, {"displayName": "image-x"}, 19)


@case
def an_image_that_only_the_first_of_two_pages_shows_as_matching_is_held(w):
    shuffled(w, {"freeformTags": {"tier": "golden"}}, {"freeformTags": {"tier": "no more"}}, 19)


@case
def an_image_that_only_the_second_of_two_pages_shows_as_matching_is_held(w):
    ids = w.sim.generate(20)
    w.sim.change(ids[9], freeformTags={"tier": "other"})
    w.spec(selector={"freeformTags": {"tier": "golden"}}, operatingSystem="new")
    w.configure(account=PAGE % "10")
    w.sim.fault("ListImages", "shuffle-page", times=1, set={"freeformTags": {"tier": "golden"}})
    report = w.apply().expect(2).json
    held, = [c for c in report["changes"] if c["outcome"] == "held"]
    assert held["target"] == ids[9] and w.updates(ids[9]) == 0 and w.sim.statistics()["applied"] == 19


@case
def a_declared_image_that_two_pages_show_differently_is_held(w):
    ids = w.sim.generate(20)
    declare(w, ids, operatingSystem="new")
    w.configure(account=PAGE % "10")
    w.sim.fault("ListImages", "shuffle-page", times=1, set={"operatingSystemVersion": "7"})
    report = w.apply().expect(2).json
    held, = [c for c in report["changes"] if c["outcome"] == "held"]
    assert held["target"] == ids[9] and w.updates(ids[9]) == 0 and w.sim.statistics()["applied"] == 19


@case
def an_image_that_two_pages_show_alike_is_taken_once(w):
    ids = w.sim.generate(20)
    w.spec(selector={"displayName": "image-*"}, operatingSystem="new")
    w.configure(account=PAGE % "10")
    w.sim.fault("ListImages", "shuffle-page", times=1, set={"operatingSystemVersion": "9"})
    report = w.apply().expect(0).json
    assert len(report["changes"]) == 20 and all(w.updates(i) == 1 for i in ids)


@case
def a_refused_credential_is_not_tried_on_every_object(w):
    declare(w, w.sim.generate(100))
    w.sim.fault("*", "status", status=401, code="NotAuthenticated", times=-1)
    report = w.plan().expect(1).json
    assert len(report["errors"]) == 100 and {e["status"] for e in report["errors"]} == {401}
    assert sum(counts(w)) == 1


# --- concurrency ---


def peak(w, setting):
    w.sim.config(latencyMs=20)
    declare(w, [image_id(n) for n in range(1, 101)])
    w.configure(account="    maxConcurrency: %d\n" % setting)
    w.plan().expect(1)
    return w.sim.statistics()["concurrentPeak"]


@case
def one_request_at_a_time_where_that_is_asked_for(w):
    assert peak(w, 1) == 1


@case
def no_more_requests_at_a_time_than_allowed(w):
    assert 1 < peak(w, 8) <= 8


@case
def writes_too_keep_to_the_limit(w):
    w.sim.generate(40)
    w.sim.config(latencyMs=20)
    w.spec(selector={"displayName": "image-*"}, operatingSystem="new")
    w.configure(account="    maxConcurrency: 3\n")
    w.apply().expect(0)
    assert 1 < w.sim.statistics()["concurrentPeak"] <= 3 and w.sim.statistics()["applied"] == 40


@case
def a_page_that_names_itself_as_the_next_one_is_an_error_and_no_loop(w):
    w.image(1)
    w.spec(selector={"displayName": "image *"}, freeformTags={"tier": "golden"})
    w.sim.fault("ListImages", "status", status=200, body="[]", headers={"opc-next-page": "again"}, times=-1)
    error, = w.apply().expect(1).json["errors"]
    assert "lead back to one that it has shown" in error["message"] and error["code"] == "BadAnswer", error
    assert w.sim.statistics()["applied"] == 0 and w.sim.statistics()["requests"] <= 4


if __name__ == "__main__":
    run(workers=4)
