#!/usr/bin/env python3
"""Every fault on every kind of request of a round: no wrong write, no lost update, no doubled write, and errors that say what was."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from case import *

OTHER = "ocid1.compartment.oc1..aaaaaaaaothercompartment"
HEALTHY = 50
TEAM = {"team": "base"}
RIVAL = {"team": "base", "rival": "was here"}

# --- the matrix ---
#
# What a fault does to a read: RETRY it passes by being asked again; FINAL asking again is no use; NONE no harm.
# What it does to the write: AGAIN nothing was done, the same is sent again; LOOK nothing was done, but only a look can tell;
# LANDED it was done, and only a look can tell; CONFLICT look and decide again; FINAL and NONE as above.
RETRY, FINAL, NONE, AGAIN, LOOK, LANDED, CONFLICT = "retry", "final", "none", "again", "look", "landed", "conflict"

FAULTS = [
    # name                   fault                 parameters                                      read   write     status code
    ("hang",                 "hang",               {},                                             RETRY, LOOK,     None, "TimedOut"),
    ("drip",                 "drip",               {"bytesPerSecond": 1},                          RETRY, LANDED,   None, "TimedOut"),
    ("400",                  "status",             {"status": 400, "code": "InvalidParameter"},    FINAL, FINAL,    400, "InvalidParameter"),
    ("401",                  "status",             {"status": 401, "code": "NotAuthenticated"},    FINAL, FINAL,    401, "NotAuthenticated"),
    ("403",                  "status",             {"status": 403, "code": "NotAuthorized"},       FINAL, FINAL,    403, "NotAuthorized"),
    ("404",                  "status",             {"status": 404, "code": "NotAuthorizedOrNotFound"},
                                                                                                   FINAL, FINAL,    404, "NotAuthorizedOrNotFound"),
    ("404-path",             "status",             {"status": 404, "code": "NotFound"},            FINAL, FINAL,    404, "NotFound"),
    ("409-state",            "status",             {"status": 409, "code": "IncorrectState"},      RETRY, AGAIN,    409, "IncorrectState"),
    ("409-lock",             "status",             {"status": 409, "code": "LockConflict"},        RETRY, AGAIN,    409, "LockConflict"),
    ("409-conflict",         "status",             {"status": 409, "code": "Conflict"},            None,  CONFLICT, 409, "Conflict"),
    ("412",                  "status",             {"status": 412, "code": "NoEtagMatch"},         None,  CONFLICT, 412, "NoEtagMatch"),
    ("413-html",             "status",             {"status": 413, "body": "<html>too much</html>"},
                                                                                                   FINAL, FINAL,    413, None),
    ("429",                  "status",             {"status": 429, "code": "TooManyRequests"},     RETRY, AGAIN,    429, "TooManyRequests"),
    ("429-odd",              "status",             {"status": 429, "code": "SomethingElse"},       RETRY, AGAIN,    429, "SomethingElse"),
    ("500",                  "status",             {"status": 500},                                RETRY, LOOK,     500, "InternalServerError"),
    ("501",                  "status",             {"status": 501, "code": "MethodNotImplemented"},
                                                                                                   FINAL, FINAL,    501, "MethodNotImplemented"),
    ("502-html",             "status",             {"status": 502, "body": "<html>bad gateway</html>"},
                                                                                                   RETRY, LOOK,     502, None),
    ("503",                  "status",             {"status": 503, "code": "ServiceUnavailable"},  RETRY, LOOK,     503, "ServiceUnavailable"),
    ("504-nothing",          "status",             {"status": 504, "body": ""},                    RETRY, LOOK,     504, None),
    ("redirect",             "redirect",           {"location": "https://127.0.0.1:9/elsewhere"},  RETRY, LOOK,     307, "BadAnswer"),
    ("redirect-for-ever",    "redirect",           {"location": "/", "status": 301},               RETRY, LOOK,     301, "BadAnswer"),
    ("close-before",         "close-before",       {},                                             RETRY, LOOK,     None, "BadAnswer"),
    ("reset",                "reset",              {},                                             RETRY, LOOK,     None, "BadAnswer"),
    ("process-then-close",   "process-then-close", {},                                             RETRY, LANDED,   None, "BadAnswer"),
    ("truncate",             "truncate",           {},                                             RETRY, LANDED,   None, "BadAnswer"),
    ("truncate-quietly",     "truncate-quietly",   {},                                             RETRY, LANDED,   None, "BadAnswer"),
    ("oversized",            "oversized",          {"bytes": 34 * 1024 * 1024},                    RETRY, LANDED,   None, "BadAnswer"),
    ("huge-headers",         "huge-headers",       {},                                             RETRY, LANDED,   None, "BadAnswer"),
    ("invalid-json",         "invalid-json",       {},                                             RETRY, LANDED,   None, "BadAnswer"),
    ("not-json",             "invalid-json",       {"body": "<html>welcome</html>"},               RETRY, LANDED,   None, "BadAnswer"),
    ("no-body",              "invalid-json",       {"body": ""},                                   RETRY, LANDED,   None, "BadAnswer"),
    ("wrong-json",           "wrong-json",         {},                                             RETRY, LANDED,   None, "BadAnswer"),
    ("other-object",         "wrong-json",         {"body": {"id": "ocid1.image.oc1.phx.other", "lifecycleState": "AVAILABLE"}},
                                                                                                   RETRY, LANDED,   None, "BadAnswer"),
    ("null",                 "wrong-json",         {"body": "null"},                               RETRY, LANDED,   None, "BadAnswer"),
    ("no-etag",              "no-etag",            {},                                             NONE,  NONE,     None, None),
    ("delay",                "delay",              {"ms": 50},                                     NONE,  NONE,     None, None),
]

# name, operation, target, requests of that kind that pass before, is the image found by a selector (else by its id)
PLACES = [
    ("first-page",           "ListImages",  COMPARTMENT, 0, True),
    ("later-page",           "ListImages",  COMPARTMENT, 1, True),
    ("look",                 "GetImage",    image_id(1), 0, False),
    ("read-before-write",    "GetImage",    image_id(1), 0, True),
    ("update",               "UpdateImage", image_id(1), 0, False),
    ("update-of-a-selected", "UpdateImage", image_id(1), 0, True),
]

SLOW = ("hang", "drip")
# The connection is cut, so that there is no answer with an opc-request-id in it.
UNANSWERED = ("hang", "drip", "close-before", "reset", "process-then-close", "truncate", "oversized", "huge-headers")
LIBRARY_REPEATS = ("close-before", "reset", "process-then-close")


def healthy_spec(w, account="prod", name="healthy"):
    """A document that has nothing to do with the others: another object in another compartment."""
    w.write(name + ".yaml", "apiVersion: imagekeeper/v1\nkind: OciImage\nmetadata: {name: %s}\nspec:\n  account: %s\n"
            "  selector: {compartmentId: %s}\n  freeformTags: {tier: healthy}\n" % (name, account, OTHER))


def make_world(w, place):
    _, _, _, skip, selected = place
    w.configure(account="    pageSize: %d\n" % (2 if skip else 10))
    for n in (1, 2, 3):
        w.image(n)
    w.image(HEALTHY, compartmentId=OTHER)
    w.spec("golden", selector={"displayName": "image 1"} if selected else None, freeformTags={"tier": "golden"})
    healthy_spec(w)


def set_rival(w, operation):
    """Somebody else sets a tag meanwhile, as close to our next step as it can be."""
    when = "change-before" if operation == "ListImages" else "change-after"
    w.sim.fault("GetImage", when, target=image_id(1), times=1, change={"freeformTags": RIVAL})


def check_writes(w):
    """One token for the tries of one write, and another for another."""
    tokens = {}
    for r in w.sim.requests("UpdateImage"):
        assert r["ifMatch"] and r["retryToken"], r
        tokens.setdefault((r["target"], r["ifMatch"], json.dumps(r["body"])), set()).add(r["retryToken"])
    assert all(len(t) == 1 for t in tokens.values()), tokens
    assert len(set.union(set(), *tokens.values())) == len(tokens), tokens


def check_untouched(w):
    for n in (2, 3):
        assert w.updates(n) == 0 and w.live(n)["freeformTags"] == TEAM


def check_healthy(w, report):
    change, = [c for c in report["changes"] if c["name"] == "healthy"]
    assert change["outcome"] == "done" and w.updates(HEALTHY) == 1, change
    assert w.live(HEALTHY)["freeformTags"] == {"team": "base", "tier": "healthy"}


def check_converged(w, report, rival):
    change, = [c for c in report["changes"] if c["name"] == "golden"]
    assert change["outcome"] == "done" and change["target"] == image_id(1), change
    assert report["errors"] == [] and w.updates(1) == 1, w.updates(1)
    assert w.live(1)["freeformTags"] == dict(RIVAL if rival else TEAM, tier="golden")
    assert w.live(1)["displayName"] == "image 1" and w.live(1)["definedTags"]["Oracle-Tags"]["CreatedBy"] == "someone"


def check_error(w, report, row, place):
    name, _, _, _, _, status, code = row
    _, operation, _, _, selected = place
    error, = report["errors"]
    # A list that is lost concerns the document, not one object.
    target = None if operation == "ListImages" else image_id(1)
    assert (error["kind"], error["name"], error["account"], error["target"], error["file"], error["line"]) == (
        "OciImage", "golden", "prod", target, "golden.yaml", 1), error
    assert (error["status"], error["code"]) == (status, code) and error["message"], error
    assert w.updates(1) == 0 and w.live(1)["freeformTags"] == TEAM
    if name in UNANSWERED:
        assert error["opcRequestId"] is None, error
    else:
        assert error["opcRequestId"] in {r["opcRequestId"] for r in w.sim.requests(operation)}, error
    if operation != "ListImages" and (operation == "UpdateImage" or selected):
        change, = [c for c in report["changes"] if c["name"] == "golden"]
        assert change["outcome"] == "failed" and change["reason"], change


def count_tries(w, place):
    _, operation, _, _, _ = place
    return len([r for r in w.sim.requests(operation) if r["fault"]])


def check_tries(w, row, place, effect):
    """At most five of one request. (What was cut off on a connection in use, the library asks for again by itself; never a write.)"""
    name, operation, tries = row[0], place[1], count_tries(w, place)
    least, most = {FINAL: (1, 1), CONFLICT: (4, 4), LANDED: (1, 1)}.get(effect, (5, 5))
    if name in SLOW:
        least = min(least, 2)
    if name == "no-etag" and place[0] == "look":
        least = most = 6  # the look itself can do without it
    if name in LIBRARY_REPEATS and operation != "UpdateImage":
        most = 10
    assert least <= tries <= most, "%d tries, not %d to %d" % (tries, least, most)


def effect_of(row, place):
    name, read, write = row[0], row[3], row[4]
    if name == "no-etag" and place[1] == "GetImage":
        return RETRY
    return write if place[1] == "UpdateImage" else read


def row_of(row, place):
    """Only where an etag is needed is its absence an error."""
    return row[:6] + ("BadAnswer",) if row[0] == "no-etag" and place[1] == "GetImage" else row


def transient(w, row, place, times, rival):
    _, operation, target, skip, _ = place
    _, fault, parameters = row[:3]
    effect = effect_of(row, place)
    make_world(w, place)
    w.sim.fault(operation, fault, target=target, skip=skip, times=times, **parameters)
    if rival:
        set_rival(w, operation)
    if effect == FINAL:
        report = w.apply().expect(1).json
        check_error(w, report, row_of(row, place), place)
        assert count_tries(w, place) == 1
        w.apply().expect(0)
        check_healthy(w, report)
        assert w.updates(1) == 1
    else:
        report = w.apply().expect(0).json
        check_healthy(w, report)
        check_converged(w, report, rival)
    check_untouched(w)
    check_writes(w)
    assert w.plan().expect(0).json["summary"]["inSync"] == 2


def permanent(w, row, place):
    _, operation, target, skip, _ = place
    _, fault, parameters = row[:3]
    effect = effect_of(row, place)
    make_world(w, place)
    w.sim.fault(operation, fault, target=target, skip=skip, times=-1, **parameters)
    if effect in (NONE, LANDED):
        report = w.apply().expect(0).json
        check_converged(w, report, False)
    else:
        report = w.apply().expect(1).json
        check_error(w, report, row_of(row, place), place)
    if effect != NONE:
        check_tries(w, row, place, effect)
    check_healthy(w, report)
    check_untouched(w)
    check_writes(w)


def add_to_matrix(row, place, times, rival):
    def one(w):
        permanent(w, row, place) if times < 0 else transient(w, row, place, times, rival)

    one.__name__ = "%s__on_%s__%s%s" % (row[0], place[0], "always" if times < 0 else "once" if times == 1 else "twice",
                                        "__with_a_rival" if rival else "")
    case(one)


def add_matrix():
    for row in FAULTS:
        for place in PLACES:
            effect = effect_of(row, place)
            if effect is None:
                continue
            if place[0] == "update-of-a-selected":
                add_to_matrix(row, place, 1, effect != FINAL)
                continue
            add_to_matrix(row, place, -1, False)
            add_to_matrix(row, place, 1, effect != FINAL and not (effect == NONE and place[1] == "GetImage"))
            if effect not in (FINAL, NONE) and row[0] not in SLOW:
                add_to_matrix(row, place, 2, False)


add_matrix()


# --- the write ---


def simple(w, **members):
    w.image(1, **members)
    w.spec(freeformTags={"tier": "golden"})


def only_error(result):
    error, = result.expect(1).json["errors"]
    return error


def puts(w):
    return w.sim.requests("UpdateImage")


def gap(first, second):
    """Seconds between two logged requests."""
    from datetime import datetime
    at = [datetime.fromisoformat(r["time"].replace("Z", "+00:00")) for r in (first, second)]
    return (at[1] - at[0]).total_seconds()


@case
def a_conflict_leads_back_to_the_look_and_the_rivals_change_survives(w):
    w.image(1)
    w.spec(displayName="new", freeformTags={"tier": "golden"})
    w.sim.fault("UpdateImage", "change-before", times=2, change={"freeformTags": RIVAL, "operatingSystem": "rival's"})
    change, = w.apply().expect(0).json["changes"]
    assert change["outcome"] == "done" and w.updates() == 1
    assert w.live()["freeformTags"] == dict(RIVAL, tier="golden") and w.live()["operatingSystem"] == "rival's"
    assert [r["status"] for r in puts(w)] == [412, 412, 200] and len(w.sim.requests("GetImage")) == 3
    check_writes(w)


@case
def what_a_rival_did_meanwhile_is_not_done_again(w):
    w.image(1)
    w.spec(displayName="new", freeformTags={"tier": "golden"})
    w.sim.fault("UpdateImage", "change-before", change={"displayName": "new"})
    w.apply().expect(0)
    assert [r["body"] for r in puts(w)][-1] == {"freeformTags": {"team": "base", "tier": "golden"}}


@case
def a_rival_that_never_rests_ends_it_for_the_round(w):
    simple(w)
    w.sim.fault("UpdateImage", "change-before", times=-1, change={"freeformTags": RIVAL})
    error = only_error(w.apply())
    assert (error["status"], error["code"]) == (412, "NoEtagMatch") and "keeps changing" in error["message"], error
    assert len(puts(w)) == 4 and w.updates() == 0 and w.live()["freeformTags"] == RIVAL
    check_writes(w)
    w.sim.clear_faults()
    w.apply().expect(0)
    assert w.live()["freeformTags"] == dict(RIVAL, tier="golden")


@case
def a_rival_that_makes_our_change_leaves_us_nothing_to_do(w):
    simple(w)
    w.sim.fault("UpdateImage", "change-before", times=-1, change={"freeformTags": dict(RIVAL, tier="golden")})
    change, = w.apply().expect(0).json["changes"]
    assert change["outcome"] == "done" and "somebody else" in change["reason"]
    assert w.updates() == 0 and len(puts(w)) == 1


@case
def an_image_that_leaves_its_selector_before_the_write_is_left_alone(w):
    for n in (1, 2):
        w.image(n, freeformTags={"managed": "yes"})
    w.spec(selector={"freeformTags": {"managed": "yes"}}, displayName="ours")
    w.sim.fault("GetImage", "change-before", target=image_id(1), change={"freeformTags": {"managed": "no"}})
    report = w.apply().expect(2).json
    held, = [c for c in report["changes"] if c["target"] == image_id(1)]
    assert held["outcome"] == "held" and "selector" in held["reason"] and w.updates(1) == 0, held
    assert w.updates(2) == 1


@case
def an_image_that_left_its_selector_by_our_own_lost_write_is_done(w):
    w.image(1)
    w.spec(selector={"displayName": "image *"}, displayName="kept")
    w.sim.fault("UpdateImage", "process-then-close")
    assert w.apply().expect(0).json["changes"][0]["outcome"] == "done" and w.updates() == 1


def lost_answer(w, token_first):
    w.sim.config(tokenFirst=token_first)
    simple(w)
    w.sim.fault("UpdateImage", "process-then-close", times=-1)
    change, = w.apply().expect(0).json["changes"]
    assert change["outcome"] == "done" and change["reason"] is None
    assert w.updates() == 1 and len(puts(w)) == 1, "sent again without a look, or in spite of it"


@case
def a_write_whose_answer_is_lost_is_looked_at_and_not_sent_again(w):
    lost_answer(w, True)


@case
def the_same_where_if_match_is_checked_before_the_token(w):
    lost_answer(w, False)


def lost_answer_then_undone(w, token_first):
    """The write landed, its answer was lost, and somebody undid it before our look: that is another change, with another token."""
    w.sim.config(tokenFirst=token_first)
    w.image(1)
    w.spec(displayName="new")
    w.sim.fault("UpdateImage", "process-then-close")
    w.sim.fault("GetImage", "change-before", skip=1, change={"displayName": "image 1"})
    w.apply().expect(0)
    first, second = puts(w)
    assert first["body"] == second["body"]
    assert first["retryToken"] != second["retryToken"] and first["ifMatch"] != second["ifMatch"]
    assert w.updates() == 2 and w.live()["displayName"] == "new"


@case
def a_lost_write_that_was_undone_is_made_anew(w):
    lost_answer_then_undone(w, True)


@case
def the_same_undone_where_if_match_is_checked_before_the_token(w):
    lost_answer_then_undone(w, False)


def late_write(w, token_first):
    """The server carries it out just when we give up waiting."""
    w.sim.config(tokenFirst=token_first)
    simple(w)
    w.sim.fault("UpdateImage", "delay", ms=120000)
    w.apply().expect(0)
    assert w.updates() == 1 and w.live()["freeformTags"] == dict(TEAM, tier="golden")
    check_writes(w)


@case
def a_write_that_lands_while_it_is_given_up_is_made_once(w):
    late_write(w, True)


@case
def the_same_late_write_where_if_match_is_checked_before_the_token(w):
    late_write(w, False)


@case
def a_500_after_the_deed_is_looked_at(w):
    simple(w)
    w.sim.fault("UpdateImage", "status", status=500)
    w.sim.fault("GetImage", "change-before", skip=1, change={"freeformTags": dict(TEAM, tier="golden")})
    assert w.apply().expect(0).json["changes"][0]["outcome"] == "done"
    assert len(puts(w)) == 1


@case
def when_the_look_after_a_lost_write_fails_both_are_told(w):
    simple(w)
    w.sim.fault("UpdateImage", "process-then-close")
    w.sim.fault("GetImage", "status", skip=1, times=-1, status=403, code="NotAuthorized")
    error = only_error(w.apply())
    assert error["status"] == 403 and "not known" in error["message"] and "closed" in error["message"], error
    assert len(puts(w)) == 1
    w.sim.clear_faults()
    w.apply().expect(0)
    assert w.updates() == 1


@case
def each_try_of_one_write_bears_one_token_and_a_new_state_another(w):
    simple(w)
    w.sim.fault("UpdateImage", "status", times=2, status=429)
    w.sim.fault("UpdateImage", "status", times=1, status=500)
    w.sim.fault("UpdateImage", "change-before", times=1, change={"freeformTags": RIVAL})
    w.apply().expect(0)
    tokens = [r["retryToken"] for r in puts(w)]
    assert len(tokens) == 5 and len(set(tokens[:4])) == 1 and tokens[4] != tokens[0], tokens
    check_writes(w)


@case
def the_token_is_the_same_in_the_next_run(w):
    simple(w)
    w.sim.fault("UpdateImage", "status", status=403)
    w.apply().expect(1)
    w.apply().expect(0)
    first, second = puts(w)
    assert first["retryToken"] == second["retryToken"] and 1 <= len(first["retryToken"]) <= 64


@case
def a_void_token_is_replaced_after_a_fresh_look(w):
    simple(w)
    w.sim.fault("UpdateImage", "token-invalid")
    w.apply().expect(0)
    first, second = puts(w)
    assert first["retryToken"] != second["retryToken"] and first["ifMatch"] == second["ifMatch"]
    assert w.updates() == 1 and len(w.sim.requests("GetImage")) == 2


@case
def tokens_that_are_always_void_end_it(w):
    simple(w)
    w.sim.fault("UpdateImage", "token-invalid", times=-1)
    error = only_error(w.apply())
    assert (error["status"], error["code"]) == (409, "InvalidatedRetryToken") and error["opcRequestId"], error
    assert w.updates() == 0 and 1 < len(puts(w)) <= 5


@case
def an_answer_without_etag_is_read_again_before_the_write(w):
    simple(w)
    w.sim.fault("GetImage", "no-etag")
    w.apply().expect(0)
    assert w.updates() == 1 and puts(w)[0]["ifMatch"]


@case
def without_any_etag_nothing_is_written(w):
    simple(w)
    w.sim.fault("GetImage", "no-etag", times=-1)
    error = only_error(w.apply())
    assert "etag" in error["message"] and error["code"] == "BadAnswer" and puts(w) == []


def not_converging(w, persist):
    simple(w, displayName="old")
    w.spec(displayName="new")
    w.sim.fault("UpdateImage", "echo-other", times=-1, set={"displayName": "the server's"}, persist=persist)
    error = only_error(w.apply())
    assert error["code"] == "NotConverging" and error["target"] == image_id(1) and error["opcRequestId"] == puts(w)[0]["opcRequestId"]
    assert '"new"' in error["message"] and '"the server\'s"' in error["message"], error
    assert len(puts(w)) == 1 and len(w.sim.requests("GetImage")) == 1


@case
def an_answer_that_is_not_what_was_asked_is_not_converging(w):
    not_converging(w, False)


@case
def a_state_that_is_not_what_was_asked_is_not_converging(w):
    not_converging(w, True)


@case
def a_list_that_lies_decides_no_write(w):
    """Lists only say what to read: the body is made from the state that the etag belongs to."""
    w.image(1, freeformTags=RIVAL)
    w.spec(selector={"displayName": "image *"}, freeformTags={"tier": "golden"})
    w.sim.fault("ListImages", "echo-other", set={"freeformTags": {"stale": "1"}})
    w.apply().expect(0)
    assert puts(w)[0]["body"] == {"freeformTags": dict(RIVAL, tier="golden")}


@case
def a_list_that_is_behind_makes_no_write(w):
    w.image(1, freeformTags=dict(RIVAL, tier="golden"))
    w.spec(selector={"displayName": "image *"}, freeformTags={"tier": "golden"})
    w.sim.fault("ListImages", "echo-other", set={"freeformTags": {"stale": "1"}})
    w.apply().expect(0)
    assert puts(w) == []


# --- patience ---


@case
def retry_after_is_obeyed_on_the_write(w):
    simple(w)
    w.sim.fault("UpdateImage", "status", status=429, headers={"retry-after": "1"})
    w.apply().expect(0)
    assert gap(*puts(w)) >= 1 and w.updates() == 1


@case
def retry_after_is_obeyed_on_a_read_and_on_a_list(w):
    w.image(1)
    w.image(2)
    w.spec(selector={"displayName": "image 1"}, freeformTags={"tier": "golden"})
    w.sim.fault("ListImages", "status", status=503, headers={"retry-after": "1"})
    w.sim.fault("GetImage", "status", status=429, headers={"retry-after": "1"})
    w.apply().expect(0)
    assert gap(*w.sim.requests("ListImages")) >= 1 and gap(*w.sim.requests("GetImage")) >= 1


@case
def retry_after_is_obeyed_by_the_write_after_a_503_too(w):
    simple(w)
    w.sim.fault("UpdateImage", "status", status=503, headers={"retry-after": "2"})
    w.apply().expect(0)
    assert gap(*puts(w)) >= 2 and w.updates() == 1


def too_long(w, operation, status):
    simple(w)
    w.sim.fault(operation, "status", status=status, times=-1, headers={"retry-after": "3600"})
    error = only_error(w.apply())
    assert error["status"] == status and "3600 s" in error["message"], error
    assert len(w.sim.requests(operation)) == 1 and w.updates() == 0


for _operation in ("GetImage", "UpdateImage"):
    for _status in (429, 503):
        def _too_long(w, operation=_operation, status=_status):
            too_long(w, operation, status)
        _too_long.__name__ = "a_long_retry_after_ends_it_for_the_round_%s_%d" % (_operation, _status)
        case(_too_long)


@case
def a_request_is_tried_five_times_at_most(w):
    for operation in ("GetImage", "UpdateImage", "ListImages"):
        w.sim.reset()
        w.image(1)
        w.image(2)
        w.spec(selector={"displayName": "image 1"} if operation == "ListImages" else None, freeformTags={"tier": "golden"})
        w.sim.fault(operation, "status", status=500, times=-1)
        error = only_error(w.apply())
        assert len(w.sim.requests(operation)) == 5 and "tried 5 times" in error["message"], error


@case
def an_account_that_keeps_failing_is_left_in_peace(w):
    ids = w.sim.generate(200)
    for n, target in enumerate(ids):
        w.spec("i%03d" % n, target=target, file="all.yaml.%d.yaml" % n, freeformTags={"tier": "new"})
    w.sim.fault("*", "status", status=500, times=-1)
    report = w.apply().expect(1).json
    codes = [e["code"] for e in report["errors"]]
    assert len(report["errors"]) == 200 and set(codes) == {"InternalServerError", "BreakerOpen"}, set(codes)
    # Ten failures open it; what was under way with them is all that comes on top.
    assert w.sim.statistics()["requests"] <= 10 + 8 and report["summary"]["requests"] == w.sim.statistics()["requests"]
    opened = next(e for e in report["errors"] if e["code"] == "BreakerOpen")
    assert opened["status"] is None and "too many requests failed" in opened["message"]


@case
def writes_that_keep_failing_are_bounded(w):
    w.sim.generate(50)
    w.spec(selector={"displayName": "image-*"}, freeformTags={"tier": "new"})
    w.sim.fault("UpdateImage", "status", status=500, times=-1)
    report = w.apply().expect(1).json
    assert [c["outcome"] for c in report["changes"]] == ["failed"] * 50 and w.sim.statistics()["applied"] == 0
    assert sum(e["objects"] for e in report["errors"]) == 50 and len(puts(w)) <= 50 * 5


def second_account(w, sim, name="second"):
    return "  - {name: %s, type: oci, configFile: %s, endpoint: \"%s\", caFile: %s}\n" % (
        name, w.oci_config, sim.endpoint, sim.ca_file)


def first_account(w, endpoint=None, ca_file=None, config=None):
    return "accounts:\n  - {name: prod, type: oci, configFile: %s, endpoint: \"%s\", caFile: %s}\n" % (
        config or w.oci_config, endpoint or w.sim.endpoint, ca_file or w.sim.ca_file)


def second_simulator(w, **options):
    folder = tempfile.mkdtemp(dir=w.folder)
    return simulator.Simulator(directory=folder, stderr=subprocess.DEVNULL, **options)


@case
def an_account_that_fails_does_not_keep_another_from_its_work(w):
    with second_simulator(w) as other:
        w.configure(accounts=first_account(w) + second_account(w, other))
        for n, target in enumerate(w.sim.generate(30)):
            w.spec("i%02d" % n, target=target, freeformTags={"tier": "new"})
        other.generate(3, compartment=OTHER)
        healthy_spec(w, account="second")
        w.sim.fault("*", "status", status=500, times=-1)
        report = w.apply().expect(1).json
        assert [c["outcome"] for c in report["changes"]] == ["done"] * 3 and {c["account"] for c in report["changes"]} == {"second"}
        assert len(report["errors"]) == 30 and {e["account"] for e in report["errors"]} == {"prod"}
        assert other.statistics()["applied"] == 3 and w.sim.statistics()["applied"] == 0


# --- where requests go, and who answers ---


@case
def redirects_are_never_followed(w):
    with second_simulator(w) as other:
        simple(w)
        other.add_images([dict(w.live(1))])
        for operation in ("GetImage", "UpdateImage", "ListImages"):
            w.spec(selector={"displayName": "image 1"} if operation == "ListImages" else None, freeformTags={"tier": operation})
            for status in (301, 302, 303, 307, 308):
                w.sim.clear_faults()
                w.sim.fault(operation, "redirect", location=other.endpoint + "/20160918/images/" + image_id(1), status=status, times=-1)
                error = only_error(w.apply())
                assert error["status"] == status and "redirect to 127.0.0.1" in error["message"], error
                if status == 303:
                    break  # one of those that turn a PUT into a GET, for each operation; the others take long
        assert other.statistics()["requests"] == 0 and other.requests() == [] and w.updates() == 0


def skewed(w, seconds, words):
    simple(w)
    w.sim.config(clockSkewSeconds=seconds)
    error = only_error(w.apply())
    assert (error["status"], error["code"]) == (401, "NotAuthenticated"), error
    told = re.search(r"this machine's clock is (\d+) s (ahead of|behind)", error["message"])
    assert told and told.group(2) == words and abs(int(told.group(1)) - 400) <= 1, error
    assert w.sim.statistics()["requests"] == 1


@case
def a_clock_that_is_behind_is_named_as_the_cause(w):
    skewed(w, 400, "behind")


@case
def a_clock_that_is_ahead_is_named_as_the_cause(w):
    skewed(w, -400, "ahead of")


@case
def a_clock_that_is_a_little_off_does_no_harm(w):
    simple(w)
    w.sim.config(clockSkewSeconds=-200)
    w.apply().expect(0)
    assert w.updates() == 1


@case
def a_key_that_is_not_the_users_is_refused_and_asked_with_once(w):
    config = simulator.write_oci_config(os.path.join(w.folder, "oci"), key_pem=simulator.vectors("oci-test-leaf-key.pem"), name="wrong")
    w.configure(accounts=first_account(w, config=config))
    for n in range(1, 20):
        w.image(n)
        w.spec("i%02d" % n, target=image_id(n), freeformTags={"tier": "new"})
    report = w.apply().expect(1).json
    assert len(report["errors"]) == 19 and w.sim.statistics()["applied"] == 0
    assert w.sim.statistics()["requests"] <= 1
    for error in report["errors"]:
        assert "clock is" not in error["message"] and ("credential" in error["message"] or "fingerprint" in error["message"]), error


@case
def a_certificate_of_another_authority_is_refused(w):
    with second_simulator(w) as other:
        simple(w)
        w.configure(accounts=first_account(w, ca_file=other.ca_file))
        error = only_error(w.apply())
        assert (error["status"], error["code"]) == (None, "TlsFailed") and "caFile" in error["message"] or "CA file" in error["message"]
        assert w.sim.statistics()["requests"] == 0


@case
def a_ca_file_that_is_missing_is_named(w):
    simple(w)
    w.configure(accounts=first_account(w, ca_file="/nonexistent/ca.pem"))
    result = w.apply().expect(1)
    assert "/nonexistent/ca.pem" in result.out + result.err and w.sim.statistics()["requests"] == 0


@case
def tls_to_a_port_of_plain_http_is_refused(w):
    with second_simulator(w, plain_http=True) as other:
        simple(w)
        w.configure(accounts=first_account(w, endpoint=other.endpoint.replace("http://", "https://")))
        error = only_error(w.apply())
        assert error["status"] is None and error["code"] in ("TlsFailed", "ConnectFailed"), error


@case
def plain_http_to_a_port_of_tls_is_refused(w):
    simple(w)
    w.configure(accounts=first_account(w, endpoint=w.sim.endpoint.replace("https://", "http://")))
    error = only_error(w.apply())
    assert error["code"] and w.updates() == 0, error


@case
def a_refused_connection_and_an_unknown_name_are_told_apart(w):
    simple(w)
    w.configure(accounts=first_account(w, endpoint="https://127.0.0.1:9"))
    error = only_error(w.apply())
    assert (error["status"], error["code"]) == (None, "ConnectFailed") and "refused" in error["message"], error
    w.configure(accounts=first_account(w, endpoint="https://no-such-host.invalid"))
    error = only_error(w.apply())
    assert (error["status"], error["code"]) == (None, "ConnectFailed") and "cannot be resolved" in error["message"], error


def resident_peak(w, *words):
    """Status and peak memory in MiB of one run."""
    command = [os.environ["IMAGEKEEPER"], *words, "--config", w.config_file]
    # A sanitizer keeps what was freed for a while.
    options = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=8"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(w.environment, ASAN_OPTIONS=options))
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_maxrss // 1024


@case
def endless_answers_do_not_fill_the_memory(w):
    for n in range(1, 9):
        w.image(n)
        w.spec("i%d" % n, target=image_id(n), freeformTags={"tier": "new"})
    for operation in ("GetImage", "ListImages", "UpdateImage"):
        w.sim.clear_faults()
        w.sim.fault(operation, "oversized", bytes=-1, times=2)
        status, peak = resident_peak(w, "apply")
        assert peak < 200, "%s: %d MiB" % (operation, peak)
    w.apply().expect(0)
    assert [w.updates(n) for n in range(1, 9)] == [1] * 8


@case
def tags_of_a_wrong_type_are_never_written_over(w):
    for members in ({"freeformTags": "oops"}, {"freeformTags": ["oops"]}, {"definedTags": {"Ops": "oops"}}):
        w.sim.reset()
        w.image(1)
        w.spec(freeformTags={"tier": "golden"}, definedTags={"Ops": {"CostCenter": "42"}})
        w.sim.fault("GetImage", "echo-other", times=-1, set=members)
        error = only_error(w.apply())
        assert error["code"] == "BadAnswer" and puts(w) == [], error


@case
def a_conflict_that_asks_to_wait_for_long_ends_it_for_the_round(w):
    w.image(1)
    w.spec(freeformTags={"tier": "golden"})
    w.sim.fault("UpdateImage", "status", status=412, code="NoEtagMatch", message="changed", headers={"Retry-After": "3600"})
    error = only_error(w.apply())
    assert error["status"] == 412 and "asks to wait 3600 s" in error["message"], error
    assert len(puts(w)) == 1 and w.updates() == 0


if __name__ == "__main__":
    run(workers=24)
