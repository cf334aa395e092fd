#!/usr/bin/env python3
"""GlanceImage against the simulator's OpenStack: what a real one cannot be made to do."""
import base64
import contextlib
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from case import *
from openstack_world import *

PROJECT = simulator.GLANCE_PROJECT
OTHER = "fedcba9876543210fedcba9876543210"
FOR_EVER = -1


def only_error(result, status=1):
    error, = result.expect(status).json["errors"]
    return error


def only_change(result, status=0):
    change, = result.expect(status).json["changes"]
    return change


def op(what, attribute, *value):
    return dict({"op": what, "path": "/" + attribute}, **({"value": value[0]} if value else {}))


def bodies(w):
    return [p["body"] for p in w.patches()]


def simple(w, **members):
    """One image and a document that it differs from in one property."""
    w.image(1, **members)
    w.spec(properties={"ours": "1"})


OURS_ADDED = [op("add", "ours", "1")]


def moved(w, **changes):
    """A change of somebody else's that is not of just now."""
    return dict(changes, updated_at=LONG_AGO)


@contextlib.contextmanager
def elsewhere():
    """A host that nobody may speak to: (host:port, the connections that came)."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0)
        came = []
        yield "127.0.0.1:%d" % listener.getsockname()[1], came
        with contextlib.suppress(BlockingIOError):
            while True:
                came.append(listener.accept()[1])
        assert not came, "somebody was there"


# --- the slow ones first ---


@case
def a_patch_that_is_never_answered_is_looked_at_and_made_again(w):
    simple(w)
    w.sim.fault("UpdateGlanceImage", "hang")
    assert only_change(w.apply())["outcome"] == "done"
    assert bodies(w) == [OURS_ADDED] * 2 and w.updates() == 1


@case
def a_patch_that_is_carried_out_and_never_answered_is_not_made_again(w):
    simple(w)
    w.sim.fault("UpdateGlanceImage", "process-then-hang")
    change = only_change(w.apply())
    assert (change["outcome"], change["reason"]) == ("done", None)
    assert bodies(w) == [OURS_ADDED] and w.updates() == 1


@case
def an_account_whose_keystone_hangs_holds_up_no_other(w):
    w.clouds(name="second.yaml")
    w.configure(account=w.account("other", cloudsFile="./second.yaml"))
    simple(w)
    w.image(2)
    w.spec("two", target=glance_image_id(2), account="other", properties={"ours": "1"})
    w.sim.fault("CreateKeystoneToken", "hang", times=1)
    w.apply().expect(0)
    assert w.updates(1) == w.updates(2) == 1


@case
def a_walk_of_pages_that_leads_round_in_circles_ends(w):
    """Every page is full of what was shown already and names another one than itself."""
    w.configure(pageSize=1)
    one, two = w.image(1), w.image(2)
    w.spec(selector={"name": "*"}, properties={"ours": "1"})
    page = lambda image, marker: {"images": [w.live(image)], "next": "/v2/images?marker=" + marker, "schema": "/v2/schemas/images"}
    w.sim.fault("ListGlanceImages", "wrong-json", body=page(one, one), skip=0, times=1)
    for _ in range(60):
        w.sim.fault("ListGlanceImages", "wrong-json", body=page(two, two), times=1)
        w.sim.fault("ListGlanceImages", "wrong-json", body=page(one, one), times=1)
    report = w.apply().expect(1).json
    assert report["errors"] and not w.patches(), report["summary"]
    assert len(w.pages()) < 60, "%d pages were read" % len(w.pages())


# --- the catalog ---

CATALOGS = [  # name, endpoints of the catalog, changes of clouds.yaml, settings of the account
    ("plain", ["{base}/image"], {}, {}),
    ("with_a_version", ["{base}/image/v2"], {}, {}),
    ("with_a_minor_version", ["{base}/image/v2.15"], {}, {}),
    ("with_a_slash_at_its_end", ["{base}/image/"], {}, {}),
    ("with_a_version_and_a_slash", ["{base}/image/v2/"], {}, {}),
    ("with_two_slashes", ["{base}/image//"], {}, {}),
    ("of_another_region_first", [("public", "RegionTwo", "https://127.0.0.1:9/"), ("public", "RegionOne", "{base}/image")], {}, {}),
    ("of_another_interface_first", [("internal", "RegionOne", "https://127.0.0.1:9/"), ("public", "RegionOne", "{base}/image")], {}, {}),
    ("internal", [("public", "RegionOne", "https://127.0.0.1:9/"), ("internal", "RegionOne", "{base}/image")], {"interface": "internal"}, {}),
    ("internalURL", [("public", "RegionOne", "https://127.0.0.1:9/"), ("internal", "RegionOne", "{base}/image")],
     {"interface": None, "endpoint_type": "internalURL"}, {}),
    ("admin", [("public", "RegionOne", "https://127.0.0.1:9/"), ("admin", "RegionOne", "{base}/image")], {"interface": "admin"}, {}),
    ("public_when_nothing_is_said", [("internal", "RegionOne", "https://127.0.0.1:9/"), ("public", "RegionOne", "{base}/image")], {"interface": None}, {}),
    ("of_the_accounts_region", [("public", "RegionOne", "https://127.0.0.1:9/"), ("public", "RegionTwo", "{base}/image")], {}, {"region": "RegionTwo"}),
    ("of_the_first_of_all_regions", [("public", "RegionTwo", "{base}/image"), ("public", "RegionOne", "https://127.0.0.1:9/")], {"region_name": None}, {}),
    ("overridden", ["https://127.0.0.1:9/"], {"image_endpoint_override": "{base}/image"}, {}),
    ("overridden_with_a_version", ["https://127.0.0.1:9/"], {"image_endpoint_override": "{base}/image/v2/"}, {}),
    ("overridden_where_it_has_none", [], {"image_endpoint_override": "{base}/image"}, {}),
]


def add_catalog(name, endpoints, changes, settings):
    def one(w):
        w.sim.image_endpoints(*endpoints)
        w.clouds(**{key: value and value.replace("{base}", w.sim.endpoint) for key, value in changes.items()})
        w.configure(**settings)
        simple(w)
        w.image(2, name="many")
        w.spec("many", selector={"name": "many*"}, min_ram=7)
        w.apply().expect(0)
        assert w.live(1)["ours"] == "1" and w.live(2)["min_ram"] == 7
        assert {r["path"] for r in w.pages()} == {"/image/v2/images"}
    one.__name__ = "a_catalog_" + name
    case(one)


for _row in CATALOGS:
    add_catalog(*_row)


def refused_catalog(w, *words, endpoints=(), **changes):
    w.sim.image_endpoints(*endpoints)
    w.clouds(**changes)
    simple(w)
    error = only_error(w.apply())
    assert error["status"] is None and all(word in error["message"] for word in words), error
    assert not w.pages() and not w.looks() and not w.patches()
    assert len(w.logins()) == 1


@case
def a_catalog_without_images_says_what_is_missing_and_what_to_do(w):
    refused_catalog(w, "no image service", "public", "RegionOne", "has: none", "image_endpoint_override", "clouds.yaml")


@case
def a_catalog_of_other_regions_alone_tells_them(w):
    refused_catalog(w, "no image service", "public in RegionTwo", "internal in RegionOne",
                    endpoints=[("public", "RegionTwo", "{base}/image"), ("internal", "RegionOne", "{base}/image")])


@case
def a_catalog_that_names_an_interface_that_is_not_wanted_is_not_used(w):
    refused_catalog(w, "interface admin", "public in RegionOne", endpoints=["{base}/image"], interface="admin")


@case
def a_catalog_with_plain_http_on_another_host_gets_no_token(w):
    refused_catalog(w, "http://", "catalog", endpoints=["http://192.0.2.1/image"])


@case
def a_catalog_that_names_no_url_gets_no_token(w):
    refused_catalog(w, "catalog", endpoints=["ftp://127.0.0.1/image"])


@case
def a_catalog_with_a_password_in_its_url_is_refused(w):
    w.secrets.add("Catalog-Secret-1")
    refused_catalog(w, "catalog", endpoints=["https://someone:Catalog-Secret-1@127.0.0.1/image"])


@case
def a_catalog_of_control_characters_never_drives_the_terminal(w):
    w.sim.image_endpoints(("public", "Reg\x1b[31m\u202e", "{base}/image"))
    simple(w)
    result = w.run("apply").expect(1)
    assert "\x1b" not in result.err and "\u202e" not in result.err, result.err


@case
def an_override_with_plain_http_on_another_host_is_refused_before_the_login(w):
    w.clouds(image_endpoint_override="http://images.example.com")
    simple(w)
    assert "http://" in only_error(w.apply())["message"] and not w.logins()


@case
def a_catalog_that_moves_is_followed_at_the_next_login(w):
    simple(w)
    w.spec(properties={"ours": "1"}, min_ram=1)
    d = w.daemon()
    n = d.wait_line("updated")
    w.sim.image_endpoints("{base}/image/v2/")
    w.sim.revoke_keystone_tokens()
    w.sim.change(glance_image_id(1), **moved(w, min_ram=2))
    d.wait_line("updated", n)
    assert w.live()["min_ram"] == 1


@case
def two_regions_of_one_cloud_are_two_accounts(w):
    with simulator.Simulator(directory=tempfile.mkdtemp(dir=w.folder), stderr=subprocess.DEVNULL) as second:
        # Keystone is the first one's; of the second there is its Glance, which asks a Keystone of its own.
        simulator.write_clouds_yaml(w.folder, second, name="second.yaml", region_name="RegionTwo")
        w.sim.image_endpoints(("public", "RegionOne", "{base}/image"), ("public", "RegionTwo", "https://127.0.0.1:9/"))
        second.image_endpoints(("public", "RegionOne", "https://127.0.0.1:9/"), ("public", "RegionTwo", "{base}/image"))
        w.configure(account=w.account("two", cloudsFile="./second.yaml"))
        w.image(1)
        second.add_glance_image("image 1", glance_image_id(1), created_at=LONG_AGO, updated_at=LONG_AGO)
        w.spec("one", selector={"name": "image*"}, min_ram=1)
        w.spec("two", selector={"name": "image*"}, account="two", min_ram=2)
        report = w.apply().expect(0).json
        assert {(c["account"], c["target"]) for c in report["changes"]} == {("lab", glance_image_id(1)), ("two", glance_image_id(1))}
        assert w.live()["min_ram"] == 1 and second.glance_image(glance_image_id(1))["image"]["min_ram"] == 2


@case
def two_regions_behind_one_keystone_are_told_apart_by_the_account(w):
    w.sim.image_endpoints(("public", "RegionOne", "{base}/image"), ("public", "RegionTwo", "{base}/image/v2"))
    w.configure(account=w.account("two", region="RegionTwo") + w.account("three", region="RegionThree"))
    w.image(1)
    w.image(2)
    w.spec("one", target=glance_image_id(1), min_ram=1)
    w.spec("two", target=glance_image_id(2), account="two", min_ram=2)
    w.spec("three", target=glance_image_id(3), account="three", min_ram=3)
    error = only_error(w.apply())
    assert error["account"] == "three" and "RegionThree" in error["message"]
    assert (w.live(1)["min_ram"], w.live(2)["min_ram"]) == (1, 2)


# --- clouds.yaml ---


def refused_file(w, *words):
    simple(w)
    error = only_error(w.apply())
    assert error["status"] is None and all(word in error["message"] for word in words), error
    assert w.sim.requests() == []


@case
def verify_false_is_refused(w):
    w.clouds(verify=False)
    refused_file(w, "verify", "TLS is always verified", "cacert", "clouds.yaml:")


@case
def insecure_true_is_refused(w):
    w.clouds(insecure=True)
    refused_file(w, "insecure", "TLS is always verified")


@case
def a_certificate_that_is_not_known_is_refused(w):
    w.clouds(cacert=None)
    simple(w)
    error = only_error(w.apply())
    assert error["code"] == "TlsFailed" and w.sim.requests() == [], error


@case
def the_accounts_own_ca_file_is_taken(w):
    w.clouds(cacert=None)
    w.configure(caFile=w.sim.ca_file)
    simple(w)
    w.apply().expect(0)


@case
def a_clouds_file_that_the_world_can_read_is_refused(w):
    os.chmod(os.path.join(w.folder, "clouds.yaml"), 0o644)
    refused_file(w, "clouds.yaml", "0644", "chmod")


@case
def a_clouds_file_that_others_can_write_is_refused(w):
    os.chmod(os.path.join(w.folder, "clouds.yaml"), 0o620)
    refused_file(w, "clouds.yaml", "0620", "chmod")


@case
def a_secure_file_that_the_world_can_read_is_refused(w):
    w.clouds(auth={"password": None})
    w.write(os.path.join(w.folder, "secure.yaml"), "clouds: {lab: {auth: {password: %s}}}\n" % simulator.KEYSTONE_PASSWORD)
    refused_file(w, "secure.yaml", "0644")


@case
def a_password_may_stand_in_secure_yaml_beside_it(w):
    path = w.clouds(auth={"password": None})
    os.chmod(path, 0o644)  # there is no secret in it
    simulator.write_private(os.path.join(w.folder, "secure.yaml"), "clouds: {lab: {auth: {password: %s}}}\n" % simulator.KEYSTONE_PASSWORD)
    simple(w)
    w.apply().expect(0)
    assert w.updates() == 1


@case
def secure_yaml_wins_over_clouds_yaml(w):
    w.secrets.add("Outdated-1")
    w.clouds(auth={"password": "Outdated-1"})
    simulator.write_private(os.path.join(w.folder, "secure.yaml"), "clouds: {lab: {auth: {password: %s}}}\n" % simulator.KEYSTONE_PASSWORD)
    simple(w)
    w.apply().expect(0)
    assert len(w.logins()) == 1


@case
def without_a_password_anywhere_nothing_is_sent(w):
    w.clouds(auth={"password": None})
    refused_file(w, "no password", "secure.yaml")


@case
def the_clouds_file_may_be_a_systemd_credential(w):
    folder = os.path.join(w.folder, "credentials")
    os.mkdir(folder)
    w.clouds(folder, "openstack")
    os.unlink(os.path.join(w.folder, "clouds.yaml"))
    w.configure(cloudsFile="openstack")
    simple(w)
    assert "openstack" in only_error(w.apply())["message"] and w.sim.requests() == []
    w.environment["CREDENTIALS_DIRECTORY"] = folder
    w.apply().expect(0)
    assert w.updates() == 1


@case
def the_usual_places_are_looked_at(w):
    os.unlink(os.path.join(w.folder, "clouds.yaml"))
    w.configure(cloudsFile=None)
    refused_file(w, "no clouds.yaml")
    os.makedirs(os.path.join(w.folder, ".config", "openstack"))
    w.clouds(os.path.join(w.folder, ".config", "openstack"))
    w.apply().expect(0)
    named = w.clouds(name="named.yaml", auth={"password": "Other-Password-1"})
    w.secrets.add("Other-Password-1")
    assert only_error(w.run("plan", "-o", "json", OS_CLIENT_CONFIG_FILE=named))["status"] == 401


@case
def a_cloud_that_is_not_in_the_file_is_told_with_those_that_are(w):
    w.configure(cloud="lap")
    refused_file(w, '"lap"', "lab")


@case
def a_keystone_by_plain_http_on_another_host_is_refused(w):
    w.clouds(auth={"auth_url": "http://keystone.example.com/v3"})
    refused_file(w, "http://", "auth_url")


@case
def a_file_that_is_broken_shows_no_secret(w):
    path = w.clouds()
    with open(path, "a") as f:
        f.write("  other: {auth: {password: [%s}}\n" % simulator.KEYSTONE_PASSWORD)
    refused_file(w, "clouds.yaml")


@case
def an_address_of_keystone_without_its_version_will_do(w):
    w.clouds(auth={"auth_url": w.sim.endpoint + "/identity/"})
    simple(w)
    w.apply().expect(0)


# --- who logs in ---


@case
def an_application_credential_by_its_id(w):
    w.credential()
    simple(w)
    w.apply().expect(0)
    login, = w.logins()
    assert login["body"]["auth"]["identity"]["methods"] == ["application_credential"] and "scope" not in login["body"]["auth"]
    assert login["body"]["auth"]["identity"]["application_credential"]["id"] == simulator.CREDENTIAL_ID


@case
def an_application_credential_by_its_name_and_user(w):
    w.credential(by_name=True)
    simple(w)
    w.apply().expect(0)
    login, = w.logins()
    credential = login["body"]["auth"]["identity"]["application_credential"]
    assert (credential["name"], credential["user"]) == (
        simulator.CREDENTIAL, {"name": simulator.KEYSTONE_USER, "domain": {"name": simulator.KEYSTONE_DOMAIN}})


@case
def an_application_credential_of_another_project_looks_there(w):
    w.sim.add_keystone_project("second", OTHER)
    w.sim.add_application_credential("second", "Second-Secret-1", credential_id="c" * 32, project=OTHER)
    w.secrets.add("Second-Secret-1")
    w.credential(application_credential_id="c" * 32, application_credential_secret="Second-Secret-1")
    w.image(1)
    w.image(2, owner=OTHER)
    w.spec(selector={"name": "image*"}, min_ram=1)
    assert only_change(w.apply())["target"] == glance_image_id(2)


@case
def an_application_credential_that_ended_is_an_error_that_says_so(w):
    w.sim.add_application_credential("short", "Short-Secret-1", credential_id="d" * 32, expires="2026-01-01T00:00:00Z")
    w.secrets.add("Short-Secret-1")
    w.credential(application_credential_id="d" * 32, application_credential_secret="Short-Secret-1")
    simple(w)
    assert only_error(w.apply())["status"] == 401 and not w.pages() and not w.looks()


@case
def an_application_credential_that_is_gone_is_an_error_that_says_so(w):
    w.sim.remove_application_credential()
    w.credential()
    simple(w)
    error = only_error(w.apply())
    assert error["status"] == 404 and "application credential" in error["message"].lower() and "clouds.yaml" in error["message"], error
    assert len(w.logins()) == 1 and not w.looks()


@case
def an_application_credential_that_may_only_read_is_told(w):
    w.sim.add_application_credential("reader", "Reader-Secret-1", credential_id="e" * 32, roles=["reader"])
    w.secrets.add("Reader-Secret-1")
    w.credential(application_credential_id="e" * 32, application_credential_secret="Reader-Secret-1")
    simple(w)
    w.plan().expect(2)
    error = only_error(w.apply())
    assert error["status"] == 403 and error["target"] == glance_image_id(1) and "<" not in error["message"] and error["opcRequestId"], error
    assert w.updates() == 0


LOGINS = {  # clouds.yaml's auth; what the login names
    "by_names": ({}, {"name": "demo", "domain": {"name": "Default"}}, {"name": "demo", "domain": {"name": "Default"}}),
    "by_ids": ({"username": None, "user_domain_name": None, "user_id": simulator.KEYSTONE_USER_ID, "project_name": None,
                "project_domain_name": None, "project_id": PROJECT}, {"id": simulator.KEYSTONE_USER_ID}, {"id": PROJECT}),
    "by_ids_of_domains": ({"user_domain_name": None, "project_domain_name": None, "user_domain_id": "default", "project_domain_id": "default"},
                          {"name": "demo", "domain": {"id": "default"}}, {"name": "demo", "domain": {"id": "default"}}),
    "without_domains": ({"user_domain_name": None, "project_domain_name": None},
                        {"name": "demo", "domain": {"id": "default"}}, {"name": "demo", "domain": {"id": "default"}}),
}


def add_login(name, auth, user, project):
    def one(w):
        w.clouds(auth=auth)
        simple(w)
        w.apply().expect(0)
        login, = w.logins()
        sent = login["body"]["auth"]
        sent_user = sent["identity"]["password"]["user"]
        assert {k: v for k, v in sent_user.items() if k != "password"} == user and sent["scope"] == {"project": project}, sent
    one.__name__ = "a_login_" + name
    case(one)


for _name, _row in LOGINS.items():
    add_login(_name, *_row)


# --- logins that fail ---


def failed_login(w, status, code=None, tries=1, words=()):
    simple(w)
    w.image(2)
    w.spec("two", target=glance_image_id(2), properties={"ours": "1"})
    report = w.apply().expect(1).json
    assert {e["name"] for e in report["errors"]} == {"golden", "two"} and report["changes"] == [], report
    for error in report["errors"]:
        assert error["status"] == status and (code is None or error["code"] == code), error
        assert "logging in at " + w.sim.endpoint in error["message"] and "<" not in error["message"], error
        assert all(word in error["message"] for word in words), error
    assert len(w.logins()) == tries, len(w.logins())
    assert not w.pages() and not w.looks() and not w.patches()
    w.sim.clear_faults()


@case
def a_wrong_password_is_tried_once_and_told(w):
    w.secrets.add("Wrong-Password-1")
    w.clouds(auth={"password": "Wrong-Password-1"})
    failed_login(w, 401, words=("clouds.yaml", "authentication"))


@case
def a_project_that_is_not_the_users_is_told(w):
    w.clouds(auth={"project_name": "nobody"})
    failed_login(w, 401)


@case
def a_login_that_is_forbidden_is_told(w):
    w.sim.fault("CreateKeystoneToken", "status", status=403, message="The account is locked", times=FOR_EVER)
    failed_login(w, 403, words=("The account is locked",))


def login_passes_after(name, fault, times=2, **parameters):
    def one(w):
        simple(w)
        w.sim.fault("CreateKeystoneToken", fault, times=times, **parameters)
        w.apply().expect(0)
        assert w.updates() == 1 and len(w.logins()) == times + 1
    one.__name__ = "a_login_passes_after_%s" % name
    case(one)


login_passes_after("a_500", "status", status=500)
login_passes_after("a_503", "status", status=503)
login_passes_after("a_429", "status", status=429)
login_passes_after("a_502_of_a_proxy", "status", status=502, body="<html><body>bad gateway</body></html>")
login_passes_after("an_answer_cut_off", "truncate", times=1)


@case
def a_keystone_that_is_down_is_told(w):
    w.clouds(auth={"auth_url": "https://127.0.0.1:9/v3"})
    simple(w)
    error = only_error(w.apply())
    assert (error["status"], error["code"]) == (None, "ConnectFailed") and "127.0.0.1:9" in error["message"] and "logging in" in error["message"], error
    assert w.sim.requests() == []


@case
def a_keystone_that_stays_broken_ends_it_for_the_round(w):
    w.sim.fault("CreateKeystoneToken", "status", status=500, times=FOR_EVER)
    failed_login(w, 500, tries=5)
    w.apply().expect(0)


GARBAGE = [
    ("no_json", "<html><body>Welcome</body></html>", {"X-Subject-Token": "gAAAA-x"}),
    ("nothing", "", {"X-Subject-Token": "gAAAA-x"}),
    ("json_that_is_cut_off", '{"token": {"project"', {"X-Subject-Token": "gAAAA-x"}),
    ("null", "null", {"X-Subject-Token": "gAAAA-x"}),
    ("a_list", "[]", {"X-Subject-Token": "gAAAA-x"}),
    ("no_token_in_it", "{}", {"X-Subject-Token": "gAAAA-x"}),
    ("a_token_that_is_a_text", '{"token": "x"}', {"X-Subject-Token": "gAAAA-x"}),
    ("no_header", '{"token": {"project": {"id": "%s"}}}' % PROJECT, {}),
    ("an_empty_header", '{"token": {"project": {"id": "%s"}}}' % PROJECT, {"X-Subject-Token": ""}),
    ("a_token_with_a_space", '{"token": {"project": {"id": "%s"}}}' % PROJECT, {"X-Subject-Token": "gAAAA x"}),
    ("a_token_too_long", '{"token": {"project": {"id": "%s"}}}' % PROJECT, {"X-Subject-Token": "gAAAA" + "x" * 65536}),
    ("a_broken_catalog", '{"token": {"project": {"id": "%s"}, "catalog": [7, {"type": "image", "endpoints": {}}, '
     '{"type": "image", "endpoints": [null, {"interface": "public"}]}]}}' % PROJECT, {"X-Subject-Token": "gAAAA-x"}),
    ("a_catalog_that_is_none", '{"token": {"project": {"id": "%s"}, "catalog": "x"}}' % PROJECT, {"X-Subject-Token": "gAAAA-x"}),
    ("no_project", '{"token": {"catalog": []}}', {"X-Subject-Token": "gAAAA-x"}),
    ("a_project_without_id", '{"token": {"project": {"id": 7}, "catalog": []}}', {"X-Subject-Token": "gAAAA-x"}),
]


def add_garbage(name, body, headers):
    def one(w):
        simple(w)
        w.sim.fault("CreateKeystoneToken", "status", status=201, body=body, headers=headers, times=FOR_EVER)
        error = only_error(w.apply())
        assert "logging in at" in error["message"] and "clouds.yaml" in error["message"], error
        assert len(w.logins()) <= 5 and not w.pages() and not w.looks()
        w.sim.clear_faults()
        w.apply().expect(0)
    one.__name__ = "a_login_that_answers_with_%s_is_an_error" % name
    case(one)


for _row in GARBAGE:
    add_garbage(*_row)


@case
def a_password_never_follows_a_redirect(w):
    with elsewhere() as (host, _):
        simple(w)
        w.sim.fault("CreateKeystoneToken", "redirect", location="http://%s/v3/auth/tokens" % host, times=FOR_EVER)
        error = only_error(w.apply())
        assert "not followed" in error["message"] and host in error["message"], error


@case
def an_error_of_keystone_in_html_is_told_in_words(w):
    w.sim.fault("CreateKeystoneToken", "status", status=403, times=FOR_EVER,
                body="<html><head><title>403</title></head><body><h1>Forbidden</h1>by the <b>proxy</b></body></html>")
    failed_login(w, 403, words=("Forbidden by the proxy",))


@case
def keystones_words_never_drive_the_terminal(w):
    simple(w)
    w.sim.fault("CreateKeystoneToken", "status", status=401, message="no \x1b[31m\u202e", times=FOR_EVER)
    result = w.run("apply").expect(1)
    assert "\x1b" not in result.err and "\u202e" not in result.err and "logging in" in result.err, result.err


@case
def the_daemon_does_not_hammer_at_a_refused_login(w):
    w.secrets.add("Wrong-Password-1")
    w.clouds(auth={"password": "Wrong-Password-1"})
    simple(w)
    d = w.daemon()
    d.wait_line("logging in")
    d.signal(signal.SIGUSR1)
    before = len(d.messages)
    d.wait_message("STATUS=", before)
    assert len(w.logins()) <= 3, len(w.logins())


# --- tokens ---


@case
def one_login_serves_all_requests(w):
    ids = w.sim.generate_glance_images(12, updated_at=LONG_AGO)
    w.spec(selector={"name": "image-*"}, min_ram=8)
    summary = w.apply().expect(0).json["summary"]
    assert len(w.logins()) == 1 and all(w.updates(i) == 1 for i in ids)
    assert summary["requests"] == 1 + 2 + 12 + 12, summary


@case
def a_token_of_many_bytes_is_borne(w):
    w.sim.config(tokenBytes=6000)
    simple(w)
    w.apply().expect(0)
    assert w.updates() == 1


def revoked_at(name, operation, **rule):
    def one(w):
        for n in (1, 2, 3):
            w.image(n)
        w.spec(selector={"name": "image*"}, properties={"ours": "1"})
        w.sim.fault(operation, "status", status=401, **rule)
        w.apply().expect(0)
        assert [w.updates(n) for n in (1, 2, 3)] == [1] * 3 and len(w.logins()) == 2, w.logins()
    one.__name__ = "a_token_refused_at_%s_is_renewed_once" % name
    case(one)


revoked_at("the_first_page", "ListGlanceImages")
revoked_at("a_later_page", "ListGlanceImages", skip=1)
revoked_at("the_look", "ShowGlanceImage")
revoked_at("the_patch", "UpdateGlanceImage")
revoked_at("the_patch_of_one_image", "UpdateGlanceImage", target=glance_image_id(2))


@case
def many_tokens_refused_at_once_are_one_login(w):
    ids = w.sim.generate_glance_images(16, updated_at=LONG_AGO)
    w.spec(selector={"name": "image-*"}, min_ram=8)
    w.sim.config(latencyMs=200)
    for image in ids[:7:-1]:  # the newest are the first, and so many are looked at at a time
        w.sim.fault("ShowGlanceImage", "status", status=401, target=image)
    w.apply().expect(0)
    assert all(w.updates(i) == 1 for i in ids) and len(w.logins()) == 2, len(w.logins())


def refused_twice(name, operation, target):
    def one(w):
        w.image(1)
        w.image(2)
        w.spec(selector={"name": "image*"}, properties={"ours": "1"})
        w.sim.fault(operation, "status", status=401, times=FOR_EVER, target=target)
        error = only_error(w.apply())
        assert error["status"] == 401 and error["target"] == (None if operation == "ListGlanceImages" else target), error
        assert len([r for r in w.sim.requests(operation) if r["fault"]]) == 2 and len(w.logins()) == 2, w.logins()
        assert w.updates(1) == 0 and w.updates(2) == (0 if operation == "ListGlanceImages" else 1)
    one.__name__ = "a_new_token_that_is_refused_too_at_%s_ends_it_for_the_round" % name
    case(one)


refused_twice("the_list", "ListGlanceImages", PROJECT)
refused_twice("the_look", "ShowGlanceImage", glance_image_id(1))
refused_twice("the_patch", "UpdateGlanceImage", glance_image_id(1))


@case
def a_token_void_in_mid_run_while_keystone_refuses_is_an_error_of_the_account(w):
    w.image(1)
    w.spec(properties={"ours": "1"})
    w.sim.fault("ShowGlanceImage", "status", status=401)
    w.sim.fault("CreateKeystoneToken", "status", status=401, skip=1, times=FOR_EVER)
    error = only_error(w.apply())
    assert error["status"] == 401 and "logging in" in error["message"] and w.updates() == 0, error
    assert len(w.logins()) == 2


@case
def tokens_that_end_are_renewed_before(w):
    w.sim.config(tokenSeconds=3)
    w.image(1, ours="0")
    w.spec(properties={"ours": "1"})
    d = w.daemon()
    n = d.wait_line("updated")
    eventually(lambda: len(w.logins()) >= 3, "the renewal")
    w.sim.change(glance_image_id(1), **moved(w, ours="2"))
    d.wait_line("updated", n)
    assert not [r for r in w.sim.requests() if r["status"] == 401]
    assert not [line for line in d.lines if "401" in line or "error" in line.lower()], d.lines


@case
def a_changed_password_is_read_with_the_file(w):
    w.image(1, ours="0")
    w.spec(properties={"ours": "1"})
    d = w.daemon()
    d.wait_line("updated")
    w.secrets.add("New-Password-1")
    w.sim.add_keystone_user(password="New-Password-1")
    w.sim.change(glance_image_id(1), **moved(w, ours="2"))
    n = d.wait_line("logging in")
    w.clouds(auth={"password": "New-Password-1"})
    d.signal(signal.SIGHUP)
    d.wait_line("updated", n)
    assert w.live()["ours"] == "1"


# --- pages ---


def selected(w, count=7, size=3, **want):
    """Many images, newest first in `ids`, and one selector over pages of so many."""
    ids = w.sim.generate_glance_images(count, updated_at=LONG_AGO)[::-1]
    w.configure(pageSize=size)
    w.spec(selector={"name": "image-*"}, **(want or {"min_ram": 8}))
    return ids


def nothing_is_decided(w, *words, status=None):
    error = only_error(w.apply())
    assert error["status"] == status and all(word in error["message"] for word in words + (PROJECT,)), error
    assert not w.patches() and not w.looks()
    return error


def page_of(w, images, next=None, **members):
    page = {"images": [w.live(i) for i in images], "first": "/v2/images", "schema": "/v2/schemas/images"}
    return dict(page, **members, **({} if next is None else {"next": next}))


@case
def a_walk_is_first_of_those_that_are_shown_and_then_of_those_that_are_hidden(w):
    selected(w, min_ram=0)
    for n in (1, 2, 3, 4):
        w.image(n, name="image-hidden %d" % n, os_hidden=True)
    assert w.plan().expect(0).json["summary"]["inSync"] == 11
    assert ["os_hidden=true" in r["query"] for r in w.pages()] == [False] * 3 + [True] * 2
    assert all("owner=" + PROJECT in r["query"] and "visibility=all" in r["query"] and "limit=3" in r["query"] for r in w.pages())


@case
def a_walk_whose_pages_are_all_full(w):
    selected(w, 6, min_ram=0)
    for n in (1, 2, 3):
        w.image(n, name="image-hidden %d" % n, os_hidden=True)
    assert w.plan().expect(0).json["summary"]["inSync"] == 9 and len(w.pages()) == 5


@case
def a_page_size_that_the_server_cuts_down_loses_nothing(w):
    w.sim.config(glancePageMax=4)
    selected(w, 11, 1000, min_ram=0)
    assert w.plan().expect(0).json["summary"]["inSync"] == 11 and len(w.pages()) == 4


@case
def without_a_page_size_a_thousand_are_asked_for(w):
    w.sim.generate_glance_images(1203)
    w.spec(selector={"name": "image-*"}, min_ram=0)
    assert w.plan().expect(0).json["summary"]["inSync"] == 1203 and len(w.pages()) == 3
    assert "limit=1000" in w.pages()[0]["query"]


def broken_page(name, skip, fault, told=None, passes=True, **parameters):
    """`skip` pages go before: 1 is a page of what is shown, 3 of what is hidden."""
    def always(w):
        selected(w)
        w.image(1, os_hidden=True, name="image-hidden")
        w.sim.fault("ListGlanceImages", fault, skip=skip, times=FOR_EVER, **parameters)
        nothing_is_decided(w, status=told)
        w.sim.clear_faults()
        w.apply().expect(0)
        assert len(w.patches()) == 8

    def once(w):
        selected(w)
        w.sim.fault("ListGlanceImages", fault, skip=skip, times=1, **parameters)
        w.apply().expect(0)
        assert len(w.patches()) == 7
    always.__name__ = "a_list_that_breaks_off_decides_nothing__%s_%d" % (name, skip)
    once.__name__ = "a_page_that_breaks_once_is_read_again__%s_%d" % (name, skip)
    case(always)
    if passes:
        case(once)


broken_page("500", 1, "status", 500, status=500)
broken_page("500", 3, "status", 500, status=500)
broken_page("502_html", 1, "status", 502, status=502, body="<html><body>bad gateway</body></html>")
broken_page("400", 1, "status", 400, False, status=400)
broken_page("403", 3, "status", 403, False, status=403)
broken_page("404", 1, "status", 404, False, status=404)
broken_page("404", 3, "status", 404, False, status=404)
broken_page("cut_off", 1, "truncate")
broken_page("quietly_cut_off", 3, "truncate-quietly")
broken_page("not_json", 1, "invalid-json", body="<html>welcome</html>")
broken_page("no_list", 3, "wrong-json", body={"images": {"a": 1}})
broken_page("another_answer", 1, "wrong-json", body={"versions": []})
broken_page("items_that_are_none", 3, "wrong-json", body={"images": [7]})
broken_page("items_without_id", 1, "wrong-json", body={"images": [{"name": "image-x"}]})


@case
def an_item_without_a_state_decides_nothing(w):
    ids = selected(w)
    item = w.live(ids[3])
    del item["status"]
    w.spec("one", target=ids[3], min_ram=8)
    w.spec("golden", target=ids[4], min_ram=8)
    w.sim.fault("ListGlanceImages", "wrong-json", body={"images": [item, w.live(ids[4])]}, times=FOR_EVER)
    report = w.apply().expect(1).json
    assert report["errors"] and w.updates(ids[3]) == 0


@case
def a_page_that_names_itself_as_the_next_ends_the_walk(w):
    ids = selected(w)
    w.sim.fault("ListGlanceImages", "wrong-json", times=FOR_EVER, body=page_of(w, ids[:3], "/v2/images?limit=3&marker=" + ids[2]))
    nothing_is_decided(w, "lead back")
    assert len(w.pages()) < 10


@case
def a_marker_that_vanishes_decides_nothing(w):
    ids = selected(w)
    w.sim.fault("ListGlanceImages", "change-after", change={"status": "deleted"}, resource=ids[2])
    error = nothing_is_decided(w, "No image found", status=400)
    assert "<" not in error["message"], error
    w.apply().expect(0)
    assert len(w.patches()) == 6


def next_of(name, link):
    """Only the query of `next` counts, wherever it points."""
    def one(w):
        with elsewhere() as (host, _):
            ids = selected(w)
            w.sim.fault("ListGlanceImages", "wrong-json", body=page_of(w, ids[:3], link.replace("HOST", host).replace("QUERY", "limit=3&marker=" + ids[2])))
            w.apply().expect(0)
            assert all(w.updates(i) == 1 for i in ids)
            assert {r["path"] for r in w.pages()} == {"/image/v2/images"} and "marker=" + ids[2] in w.pages()[1]["query"]
    one.__name__ = "a_next_page_%s_is_asked_of_the_same_host" % name
    case(one)


next_of("of_this_path", "/v2/images?QUERY")
next_of("of_another_host", "http://HOST/v2/images?QUERY")
next_of("of_another_host_by_https", "https://HOST/v2/images?QUERY")
next_of("of_another_host_without_scheme", "//HOST/v2/images?QUERY")
next_of("of_another_path", "/v2/images/../../../identity/v3?QUERY")
next_of("of_no_path", "?QUERY")
next_of("of_a_user_at_a_host", "https://demo@HOST?QUERY")
next_of("of_a_file", "file:///etc/passwd?QUERY")


@case
def a_next_page_that_would_break_into_the_request_decides_nothing(w):
    for link in ("/v2/images?marker=x HTTP/1.1\r\nX-Evil: y\r\n\r\n", "/v2/images?marker=a b"):
        w.sim.clear_faults()
        ids = selected(w)
        w.sim.fault("ListGlanceImages", "wrong-json", body=page_of(w, ids[:3], link))
        report = w.apply().expect(1).json
        assert report["errors"] and not w.patches(), (link, report)
        for image in ids:
            w.sim.purge(image)


def odd_next(name, link):
    def one(w):
        ids = selected(w)
        w.sim.fault("ListGlanceImages", "wrong-json", body=dict(page_of(w, ids[:3]), next=link), times=FOR_EVER)
        report = w.apply().expect(1).json
        assert report["errors"] and not w.patches(), report
    one.__name__ = "a_next_page_that_is_%s_is_no_end_of_the_list" % name
    case(one)


odd_next("a_number", 7)
odd_next("a_map", {"href": "/v2/images?marker=x"})
odd_next("a_path_without_query", "/v2/images")


def shuffled(w, held, **change):
    """The second page shows the last image of the first again, otherwise."""
    ids = selected(w, 6)
    w.sim.fault("ListGlanceImages", "shuffle-page", times=1, set=change)
    report = w.apply().expect(2 if held else 0).json
    found = [c for c in report["changes"] if c["outcome"] == "held"]
    assert [c["target"] for c in found] == ([ids[2]] if held else []), found
    assert (w.updates(ids[2]) == 0) == held
    if held:
        assert "while the list was read" in found[0]["reason"]
    w.apply().expect(0)
    assert all(w.updates(i) == 1 for i in ids)


@case
def an_image_that_two_pages_show_differently_is_held(w):
    shuffled(w, True, min_ram=99)


@case
def an_image_that_only_the_first_of_two_pages_shows_as_selected_is_held(w):
    shuffled(w, True, name="otherwise")


@case
def an_image_that_two_pages_show_alike_is_taken_once(w):
    shuffled(w, False, name="image-000004")


@case
def an_image_that_comes_while_the_list_is_read_disturbs_nothing(w):
    ids = selected(w, 6)
    new = w.image(1, name="image-new", status="deleted")
    w.sim.fault("ListGlanceImages", "change-after", resource=new, change={"status": "active", "created_at": "2030-01-01T00:00:00Z", "updated_at": LONG_AGO})
    assert {c["target"] for c in w.apply().expect(0).json["changes"]} == set(ids)


@case
def an_image_that_is_hidden_while_the_list_is_read_is_taken_once(w):
    """It is shown by the first half of the walk, and otherwise by the second."""
    ids = selected(w, 6)
    w.sim.fault("ListGlanceImages", "change-after", resource=ids[0], change={"os_hidden": True, "updated_at": LONG_AGO})
    report = w.apply().expect(2).json
    assert {c["target"]: c["outcome"] for c in report["changes"]} == {i: "held" if i == ids[0] else "done" for i in ids}
    w.apply().expect(0)
    assert all(w.updates(i) == 1 for i in ids)


@case
def a_list_that_lags_behind_is_looked_through_before_the_write(w):
    w.sim.config(listLagSeconds=60)
    w.image(1)
    w.image(2)
    w.sim.advance(100)
    w.sim.change(glance_image_id(1), **moved(w, ours="1"))
    w.spec(selector={"name": "image*"}, properties={"ours": "1"})
    changes = {c["target"]: c for c in w.apply().expect(0).json["changes"]}
    assert "somebody else" in changes[glance_image_id(1)]["reason"] and w.updates(1) == 0 and w.updates(2) == 1


# --- errors of reads ---

READS = [  # name, fault, parameters, status, code, tries
    ("400", "status", {"status": 400}, 400, None, 1),
    ("403", "status", {"status": 403}, 403, None, 1),
    ("404", "status", {"status": 404}, 404, None, 1),
    ("409", "status", {"status": 409}, 409, None, 1),
    ("413", "status", {"status": 413}, 413, None, 1),
    ("415", "status", {"status": 415}, 415, None, 1),
    ("500", "status", {"status": 500}, 500, None, 5),
    ("501", "status", {"status": 501}, 501, None, 1),
    ("html", "status", {"status": 404, "body": "<html><head><title>no</title></head><body><h1>Not here</h1>at all</body></html>"}, 404, None, 1),
    ("nothing", "status", {"status": 404, "body": ""}, 404, None, 1),
    ("300", "redirect", {"status": 300, "location": "/image/v2/"}, 300, "BadAnswer", 5),
    ("no_json", "invalid-json", {}, None, "BadAnswer", 5),
    ("a_list", "wrong-json", {"body": []}, None, "BadAnswer", 5),
    ("another_image", "wrong-json", {"body": {"id": glance_image_id(9), "status": "active", "tags": []}}, None, "BadAnswer", 5),
    ("no_status", "wrong-json", {"body": {"id": glance_image_id(1), "tags": []}}, None, "BadAnswer", 5),
    ("tags_that_are_none", "echo-other", {"set": {"tags": {"a": "b"}}}, None, "BadAnswer", 5),
    ("an_id_that_can_be_none", "echo-other", {"set": {"id": "a\nb"}}, None, "BadAnswer", 5),
]


def add_read(name, fault, parameters, status, code, tries):
    def one(w):
        w.image(1, tags=["theirs"])
        w.image(2)
        w.spec(selector={"name": "image*"}, tags=["ours"])
        w.sim.fault("ShowGlanceImage", fault, times=FOR_EVER, target=glance_image_id(1), **parameters)
        report = w.apply().expect(1).json
        error, = report["errors"]
        # What is there is answered with 200, understood or not.
        assert error["target"] == glance_image_id(1) and error["status"] in (status, 200 if status is None else status), error
        assert error["code"] == code and error["message"] and "<" not in error["message"] and "\n" not in error["message"], error
        assert len([r for r in w.looks() if r["target"] == glance_image_id(1)]) == tries, w.looks()
        assert w.updates(1) == 0 and w.updates(2) == 1, "one broken image holds up another"
        w.sim.clear_faults()
        w.apply().expect(0)
        assert sorted(w.live()["tags"]) == ["ours", "theirs"]
    one.__name__ = "a_look_that_answers_with_%s_is_an_error_of_its_image" % name
    case(one)


for _row in READS:
    add_read(*_row)


@case
def an_image_that_goes_between_the_list_and_the_look_holds_up_no_other(w):
    ids = selected(w, 4)
    w.sim.fault("ShowGlanceImage", "change-before", target=ids[1], change={"status": "deleted"})
    report = w.apply().expect(1).json
    error, = report["errors"]
    assert (error["target"], error["status"]) == (ids[1], 404) and error["opcRequestId"], error
    assert len(w.patches()) == 3 and w.updates(ids[1]) == 0


@case
def an_image_that_is_not_there_is_an_error_that_makes_nothing(w):
    w.image(1)
    w.spec("there", min_ram=1)
    w.spec("gone", target=glance_image_id(2), min_ram=1)
    error = only_error(w.apply())
    assert (error["name"], error["target"], error["status"]) == ("gone", glance_image_id(2), 404) and "<" not in error["message"], error
    assert w.updates() == 1


@case
def errors_of_glance_are_told_in_words(w):
    simple(w)
    w.sim.fault("UpdateGlanceImage", "status", status=403, message="Property 'ours' is <b>protected</b> & locked")
    error = only_error(w.apply())
    assert error["code"] is None and "protected" in error["message"] and "<br" not in error["message"], error
    w.sim.fault("UpdateGlanceImage", "status", status=403, body="<html>\n<head><title>x</title></head>\n<body>\n<h1>403 Forbidden</h1>\nAsk <i>the</i> admin<br /><br />\n</body></html>")
    error = only_error(w.apply())
    assert "403 Forbidden Ask the admin" in error["message"] and "title" not in error["message"], error


@case
def what_glance_says_never_drives_the_terminal(w):
    escape = "\x1b[31m\u009bm\u202e"
    w.image(1, name="a" + escape, note=escape)
    w.spec(name="x", properties={"note": "y"})
    out = w.run("plan").expect(2).out
    w.sim.fault("UpdateGlanceImage", "status", status=403, message="no" + escape, times=FOR_EVER)
    err = w.run("apply").expect(1).err
    assert not [c for c in "\x1b\u009b\u202e" if c in out + err], out + err


# --- the write ---


@case
def a_patch_goes_to_its_image_with_its_media_type_and_nothing_else(w):
    w.image(1, legacy="x", theirs="y", tags=["a"])
    w.spec(name="n", visibility="private", protected=True, os_hidden=True, min_ram=1, min_disk=2, tags=["b"], properties={"legacy": None, "ours": "1", "gone": None})
    w.apply().expect(0)
    patch, = w.patches()
    assert patch["path"] == "/image/v2/images/" + glance_image_id(1) and patch["query"] == ""
    operations = sorted(patch["body"], key=lambda o: o["path"])
    operations[-2]["value"].sort()
    assert operations == sorted([op("replace", "name", "n"), op("replace", "visibility", "private"), op("replace", "protected", True),
                                 op("replace", "os_hidden", True), op("replace", "min_ram", 1), op("replace", "min_disk", 2),
                                 op("replace", "tags", ["a", "b"]), op("remove", "legacy"), op("add", "ours", "1")], key=lambda o: o["path"])
    assert w.live()["theirs"] == "y" and "etag" not in patch


WRITES = [  # name, fault, parameters, was it carried out, PATCHes that are sent
    ("500", "status", {"status": 500}, False, 2),
    ("500_after_the_deed", "process-then-status", {"status": 500}, True, 1),
    ("502_after_the_deed", "process-then-status", {"status": 502, "body": "<html>bad</html>"}, True, 1),
    ("504_after_the_deed", "process-then-status", {"status": 504}, True, 1),
    ("503", "status", {"status": 503}, False, 2),
    ("429", "status", {"status": 429}, False, 2),
    ("a_connection_closed_before", "close-before", {}, False, 2),
    ("a_connection_closed_after_the_deed", "process-then-close", {}, True, 1),
    ("a_connection_reset_after_the_deed", "process-then-reset", {}, True, 1),
    ("a_reset", "reset", {}, False, 2),
    ("an_answer_cut_off", "truncate", {}, True, 1),
    ("an_answer_cut_off_quietly", "truncate-quietly", {}, True, 1),
    ("no_json", "invalid-json", {}, True, 1),
    ("html_and_200", "invalid-json", {"body": "<html>welcome</html>"}, True, 1),
    ("another_image", "wrong-json", {"body": {"id": glance_image_id(9), "status": "active", "tags": [], "ours": "1"}}, True, 1),
    ("null", "wrong-json", {"body": "null"}, True, 1),
    ("a_redirect", "redirect", {"location": "https://127.0.0.1:9/"}, False, 2),
    ("huge_headers", "huge-headers", {}, True, 1),
]


def add_write(name, fault, parameters, landed, patches):
    def one(w):
        simple(w, theirs="1")
        w.sim.fault("UpdateGlanceImage", fault, **parameters)
        change = only_change(w.apply())
        assert (change["outcome"], change["reason"]) == ("done", None), change
        assert bodies(w) == [OURS_ADDED] * patches and w.updates() == 1
        if landed or name != "429":
            assert len(w.looks()) >= 2, "it was not looked at before anything else"

    def rival(w):
        """Somebody changes another property, and a tag, right after the unclear write."""
        simple(w, theirs="1")
        w.sim.fault("UpdateGlanceImage", fault, **parameters)
        w.sim.fault("ShowGlanceImage", "change-before", skip=2, change=moved(w, theirs="2", tags=["theirs"]))
        w.apply().expect(0)
        live = w.live()
        assert w.updates() == 1 and (live["ours"], live["theirs"], live["tags"]) == ("1", "2", ["theirs"])
    one.__name__ = "a_patch_that_is_answered_with_%s_is_made_once" % name
    rival.__name__ = one.__name__ + "__with_a_rival"
    case(one)
    if name != "429":  # which is no reason to look
        case(rival)


for _row in WRITES:
    add_write(*_row)


REFUSALS = [(status, body) for status in (400, 403, 404, 413, 415, 501) for body in (None, "<html><body><h1>No</h1>not today</body></html>")]


def add_refusal(status, body):
    def one(w):
        w.image(1)
        w.image(2)
        w.spec(selector={"name": "image*"}, properties={"ours": "1"}, min_ram=1)
        w.sim.fault("UpdateGlanceImage", "status", times=FOR_EVER, target=glance_image_id(1), status=status, **({"body": body} if body else {"message": "not today"}))
        report = w.apply().expect(1).json
        error, = report["errors"]
        assert (error["target"], error["status"], error["code"]) == (glance_image_id(1), status, None), error
        assert "not today" in error["message"] and "<" not in error["message"] and error["opcRequestId"], error
        assert len([p for p in w.patches() if p["target"] == glance_image_id(1)]) == 1 and w.updates(1) == 0 and w.updates(2) == 1
        assert {c["target"]: c["outcome"] for c in report["changes"]} == {glance_image_id(1): "failed", glance_image_id(2): "done"}
    one.__name__ = "a_patch_refused_with_%d%s_is_sent_once_and_told" % (status, "_in_html" if body else "")
    case(one)


for _row in REFUSALS:
    add_refusal(*_row)


@case
def a_refused_patch_that_was_carried_out_in_part_says_so(w):
    simple(w)
    w.spec(properties={"ours": "1"}, min_ram=1)
    w.sim.fault("UpdateGlanceImage", "status", status=400, message="no")
    w.sim.fault("ShowGlanceImage", "change-before", skip=2, change={"min_ram": 1, "updated_at": LONG_AGO})
    error = only_error(w.apply())
    assert error["status"] == 400 and "made all the same: min_ram" in error["message"], error


@case
def a_property_too_many_is_told(w):
    w.image(1, **{"p%d" % n: "x" for n in range(128)})
    w.spec(properties={"ours": "1"})
    error = only_error(w.apply())
    assert error["status"] == 413 and w.updates() == 0 and len(w.patches()) == 1, error


@case
def a_patch_for_ever_broken_ends_for_the_round_and_only_then(w):
    simple(w)
    w.sim.fault("UpdateGlanceImage", "status", status=500, times=FOR_EVER)
    error = only_error(w.apply())
    assert error["status"] == 500 and len(w.patches()) == 5 and len(w.looks()) >= 6, (error, len(w.patches()), len(w.looks()))
    w.sim.clear_faults()
    w.apply().expect(0)
    assert w.updates() == 1


@case
def a_retry_after_is_obeyed(w):
    simple(w)
    w.sim.fault("UpdateGlanceImage", "status", status=429, headers={"Retry-After": "3600"})
    error = only_error(w.apply())
    assert error["status"] == 429 and "asks to wait 3600 s" in error["message"] and len(w.patches()) == 1, error


@case
def when_the_look_after_a_lost_patch_fails_both_are_told(w):
    simple(w)
    w.sim.fault("UpdateGlanceImage", "process-then-close")
    w.sim.fault("ShowGlanceImage", "status", skip=2, times=FOR_EVER, status=403, message="no more")
    w.spec("second", target=glance_image_id(1), min_ram=0)
    error = only_error(w.apply())
    assert error["status"] == 403 and "not known" in error["message"] and "closed" in error["message"] and len(w.patches()) == 1, error


# --- conflicts ---


@case
def a_property_that_a_rival_took_away_is_added_after_the_conflict(w):
    w.image(1, ours="0", theirs="1")
    w.spec(properties={"ours": "1"})
    w.sim.fault("ShowGlanceImage", "change-after", skip=1, change=moved(w, theirs="2"), strip=["ours"])
    change = only_change(w.apply())
    assert change["outcome"] == "done" and w.updates() == 1
    assert [p["status"] for p in w.patches()] == [409, 200]
    assert bodies(w) == [[op("replace", "ours", "1")], OURS_ADDED] and w.live()["theirs"] == "2"


@case
def a_property_that_a_rival_removed_before_us_is_left_at_that(w):
    w.image(1, legacy="x")
    w.spec(properties={"legacy": None})
    w.sim.fault("ShowGlanceImage", "change-after", skip=1, change=moved(w), strip=["legacy"])
    change = only_change(w.apply())
    assert change["outcome"] == "done" and "somebody else" in change["reason"] and [p["status"] for p in w.patches()] == [409], change


@case
def conflicts_that_never_end_are_told(w):
    """Each look finds it otherwise, and each write is refused."""
    w.image(1, ours="0")
    w.spec(properties={"ours": "1"})
    w.sim.fault("UpdateGlanceImage", "status", status=409, message="Property ours does not exist.", times=FOR_EVER)
    for n in range(8):
        w.sim.fault("ShowGlanceImage", "change-before", skip=1, change=moved(w, ours="rival %d" % n))
    error = only_error(w.apply())
    assert error["status"] == 409 and "keeps changing" in error["message"] and "does not exist" in error["message"], error
    assert len(w.patches()) == 4 and w.updates() == 0
    w.sim.clear_faults()
    w.apply().expect(0)
    assert w.live()["ours"] == "1"


@case
def a_conflict_about_an_image_that_did_not_change_is_not_repeated(w):
    w.image(1, ours="0")
    w.spec(properties={"ours": "1"})
    w.sim.fault("UpdateGlanceImage", "status", status=409, message="Image is locked", times=FOR_EVER)
    error = only_error(w.apply())
    assert error["status"] == 409 and "Image is locked" in error["message"] and len(w.patches()) == 1, error


@case
def a_saved_plan_is_not_changed_by_a_conflict(w):
    w.image(1, ours="0")
    w.spec(properties={"ours": "1"})
    saved = os.path.join(w.folder, "plan.json")
    w.write(saved, w.plan().expect(2).out)
    w.sim.fault("ShowGlanceImage", "change-after", skip=1, change=moved(w), strip=["ours"])
    change = only_change(w.apply("--plan", saved), 2)
    assert change["outcome"] == "held" and "changed since" in change["reason"] and w.updates() == 0


# --- rivals ---


@case
def what_a_rival_did_between_the_look_and_the_list_is_not_overwritten(w):
    """The list is old; the look right before the write tells."""
    w.image(1, tags=["a"])
    w.image(2)
    w.spec(selector={"name": "image*"}, tags=["ours"], properties={"p": "1"})
    w.sim.fault("ShowGlanceImage", "change-before", target=glance_image_id(1), change=moved(w, tags=["a", "theirs"], p="1", q="2"))
    w.apply().expect(0)
    assert sorted(w.live()["tags"]) == ["a", "ours", "theirs"] and w.live()["q"] == "2"
    patch, = [p for p in w.patches() if p["target"] == glance_image_id(1)]
    assert [o["path"] for o in patch["body"]] == ["/tags"], patch["body"]


@case
def a_rival_between_the_look_and_the_patch_keeps_his_properties(w):
    """Without an etag a tag that is set in that gap is lost, and a property is not."""
    w.image(1)
    w.spec(properties={"ours": "1"})
    w.sim.fault("ShowGlanceImage", "change-after", skip=1, change=moved(w, theirs="2", tags=["theirs"], name="theirs", min_ram=5))
    w.apply().expect(0)
    live = w.live()
    assert (live["ours"], live["theirs"], live["tags"], live["name"], live["min_ram"]) == ("1", "2", ["theirs"], "theirs", 5)
    assert bodies(w) == [OURS_ADDED]


@case
def a_rival_that_makes_our_change_before_the_look_leaves_us_nothing_to_do(w):
    w.image(1)
    w.image(2, ours="1")
    w.spec(selector={"name": "image*"}, properties={"ours": "1"})
    w.sim.fault("ShowGlanceImage", "change-before", change=moved(w, ours="1"))
    change = only_change(w.apply())
    assert change["outcome"] == "done" and "somebody else" in change["reason"] and not w.patches()


@case
def an_image_that_leaves_its_selector_before_the_look_is_left_alone(w):
    leaving = {"name": {"name": "otherwise"}, "tags": {"tags": []}, "visibility": {"visibility": "private"}, "protected": {"protected": True},
               "os_hidden": {"os_hidden": True}, "min_ram": {"min_ram": 1}, "min_disk": {"min_disk": 1}, "properties": {"tier": "silver"}}
    for n, condition in enumerate(leaving, 1):
        w.image(n, name="image", tags=["g"], tier="gold")
    w.spec(selector={"name": "image", "tags": ["g"], "visibility": "shared", "protected": False, "os_hidden": False, "min_ram": 0, "min_disk": 0,
                     "properties": {"tier": "gold"}}, properties={"ours": "1"})
    for n, change in enumerate(leaving.values(), 1):
        w.sim.fault("ShowGlanceImage", "change-before", target=glance_image_id(n), change=moved(w, **change))
    report = w.apply().expect(2).json
    assert len(report["changes"]) == len(leaving) and not w.patches()
    for change in report["changes"]:
        assert change["outcome"] == "held" and "selector" in change["reason"], change


@case
def an_image_that_goes_to_another_project_before_the_look_is_left_alone(w):
    """An administrator could still write it."""
    w.sim.add_keystone_user(roles=["admin"])
    w.image(1)
    w.spec(selector={"name": "image*"}, properties={"ours": "1"})
    w.sim.fault("ShowGlanceImage", "change-before", change=moved(w, owner=OTHER))
    change = only_change(w.apply(), 2)
    assert change["outcome"] == "held" and not w.patches(), change


@case
def an_answer_that_shows_something_else_is_looked_into(w):
    simple(w)
    w.sim.fault("UpdateGlanceImage", "echo-other", set={"ours": "0"})
    change = only_change(w.apply())
    assert change["outcome"] == "done" and len(w.patches()) == 1 and len(w.looks()) == 3


@case
def a_value_that_does_not_stay_is_told_as_not_converging(w):
    simple(w)
    w.sim.fault("UpdateGlanceImage", "echo-other", set={"ours": "0"}, persist=True, times=FOR_EVER)
    error = only_error(w.apply())
    assert error["code"] == "NotConverging" and 'properties.ours: asked for "1", the answer has "0"' in error["message"], error
    assert len(w.patches()) == 1 and error["opcRequestId"] in {r["opcRequestId"] for r in w.sim.requests()}


@case
def a_tag_that_does_not_stay_is_told_as_not_converging(w):
    w.image(1, tags=["a"])
    w.spec(tags=["b"])
    w.sim.fault("UpdateGlanceImage", "echo-other", set={"tags": ["a"]}, persist=True, times=FOR_EVER)
    error = only_error(w.apply())
    assert error["code"] == "NotConverging" and "tags.b" in error["message"] and len(w.patches()) == 1, error


@case
def the_daemon_leaves_what_does_not_converge_alone(w):
    simple(w)
    w.sim.fault("UpdateGlanceImage", "echo-other", set={"ours": "0"}, persist=True, times=FOR_EVER)
    d = w.daemon()
    d.wait_line("not converging")
    pages = len(w.sim.requests())
    eventually(lambda: len(w.sim.requests()) > pages + 1, "two more rounds")
    assert len(w.patches()) == 1


# --- the rest ---


def seconds_text(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


@case
def an_image_that_was_changed_just_now_is_looked_at_again_before_it_is_written(w):
    w.image(1, updated_at=seconds_text(time.time()))
    w.spec(properties={"ours": "1"})
    assert only_change(w.apply())["outcome"] == "done"
    assert len(w.looks()) >= 3 and len(w.patches()) == 1


@case
def an_image_that_never_rests_is_held(w):
    w.image(1)
    w.spec(properties={"ours": "1"})
    w.sim.fault("ShowGlanceImage", "change-before", times=FOR_EVER, change={"theirs": "x"})
    change = only_change(w.apply(), 2)
    assert change["outcome"] == "held" and "somebody else" in change["reason"] and not w.patches(), change


@case
def whether_it_rests_goes_by_the_clouds_clock_ahead(w):
    """A day ahead, and resting for long by it."""
    w.sim.advance(86400)
    w.image(1, updated_at=seconds_text(time.time() + 86400 - 60))
    w.spec(properties={"ours": "1"})
    assert only_change(w.apply())["outcome"] == "done" and len(w.looks()) == 2, w.looks()


@case
def whether_it_rests_goes_by_the_clouds_clock_behind(w):
    """Changed a day ago by ours, and just now by the cloud's."""
    w.sim.call("POST", "/clock", {"offsetSeconds": -86400})
    w.image(1)
    w.spec(properties={"ours": "1"})
    w.sim.fault("ShowGlanceImage", "change-before", times=FOR_EVER, change={"theirs": "x"})
    change = only_change(w.apply(), 2)
    assert change["outcome"] == "held" and "somebody else" in change["reason"] and not w.patches(), change


@case
def a_time_in_the_future_holds_it_up_no_longer_than_a_change_would(w):
    w.image(1, updated_at="2099-01-01T00:00:00Z")
    w.spec(properties={"ours": "1"})
    change = only_change(w.apply(), 2)
    assert change["outcome"] == "held" and len(w.looks()) <= 6 and not w.patches()


@case
def a_time_that_is_none_holds_nothing_up(w):
    simple(w)
    w.sim.fault("ShowGlanceImage", "echo-other", times=FOR_EVER, set={"updated_at": "yesterday"})
    assert only_change(w.apply())["outcome"] == "done"


# --- whose images ---


def admin(w):
    w.sim.add_keystone_user(roles=["admin", "member", "reader"])


@case
def a_selector_takes_the_projects_own_alone(w):
    w.image(1)
    w.image(2, visibility="shared")
    w.image(3, visibility="community")
    w.image(4, visibility="private")
    w.image(5, visibility="public")
    for n, visibility in enumerate(("public", "community", "shared"), 6):
        w.image(n, owner=OTHER, visibility=visibility)
    w.sim.share_glance_image(glance_image_id(8), PROJECT)
    w.spec(selector={"name": "image*"}, min_ram=8)
    assert {c["target"] for c in w.apply().expect(0).json["changes"]} == {glance_image_id(n) for n in range(1, 6)}
    assert all(w.updates(n) == 0 for n in (6, 7, 8))


@case
def an_administrators_selector_takes_his_own_projects_alone_unless_it_names_another(w):
    admin(w)
    for n, owner in enumerate((PROJECT, OTHER, "f" * 32), 1):
        for visibility in ("private", "public"):
            w.image(n if visibility == "private" else n + 10, owner=owner, visibility=visibility, os_hidden=n == 2)
    w.spec("own", selector={"name": "image*"}, properties={"own": "1"})
    w.spec("other", selector={"owner": OTHER, "name": "image*"}, properties={"other": "1"})
    w.apply().expect(0)
    taken = lambda name: {n for n in (1, 2, 3, 11, 12, 13) if name in w.live(n)}
    assert taken("own") == {1, 11} and taken("other") == {2, 12}
    assert {re.search("owner=([^&]*)", r["query"]).group(1) for r in w.pages()} == {PROJECT, OTHER}


@case
def an_owner_that_is_named_without_being_administrator_shows_what_one_may_see(w):
    w.image(1, owner=OTHER, visibility="private")
    w.image(2, owner=OTHER, visibility="public")
    w.spec(selector={"owner": OTHER, "name": "image*"}, min_ram=8)
    error = only_error(w.apply())
    assert (error["target"], error["status"]) == (glance_image_id(2), 403) and w.updates(2) == 0, error


@case
def an_owner_is_quoted_in_the_request(w):
    w.spec(selector={"owner": "a&visibility=public b/?#", "name": "*"}, min_ram=8)
    assert w.plan().expect(0).json["summary"]["objects"] == 0
    assert all("owner=a%26visibility%3Dpublic%20b%2F%3F%23&" in r["query"] for r in w.pages()), [r["query"] for r in w.pages()]


@case
def images_of_others_that_are_named_are_errors_of_their_own(w):
    w.image(1)
    for n, visibility in enumerate(("public", "community", "private"), 2):
        w.image(n, owner=OTHER, visibility=visibility)
        w.spec(visibility, target=glance_image_id(n), properties={"ours": "1"})
    w.spec("own", properties={"ours": "1"})
    report = w.apply().expect(1).json
    assert {e["name"]: e["status"] for e in report["errors"]} == {"public": 403, "community": 403, "private": 404}
    assert w.updates(1) == 1 and all(w.updates(n) == 0 for n in (2, 3, 4))


@case
def an_administrator_may_name_images_of_others(w):
    admin(w)
    w.image(1)
    w.image(2, owner=OTHER, visibility="private")
    w.spec("own", properties={"ours": "1"})
    w.spec("other", target=glance_image_id(2), visibility="public")
    w.apply().expect(0)
    assert w.live(2)["visibility"] == "public" and w.updates(1) == 1


@case
def publishing_needs_an_administrator_and_says_so(w):
    w.image(1)
    w.spec(visibility="public")
    error = only_error(w.apply())
    assert error["status"] == 403 and "publicize_image" in error["message"] and len(w.patches()) == 1, error


@case
def a_page_that_shows_what_was_not_asked_for_selects_nothing_of_it(w):
    """An administrator could write it."""
    admin(w)
    w.image(1)
    w.image(2, owner=OTHER)
    w.spec(selector={"name": "image*"}, properties={"ours": "1"})
    w.sim.fault("ListGlanceImages", "wrong-json", body={"images": [w.live(1), w.live(2)]})
    w.apply()
    assert w.updates(2) == 0


# --- states ---


@case
def images_that_are_being_made_wait_and_say_so(w):
    states = ("queued", "saving", "uploading", "importing", "killed")
    for n, status in enumerate(states, 1):
        w.image(n, status=status)
        w.spec(status, target=glance_image_id(n), properties={"ours": "1"})
    w.image(9)
    w.spec("active", target=glance_image_id(9), properties={"ours": "1"})
    changes = {c["name"]: c for c in w.apply().expect(2).json["changes"]}
    for status in states:
        assert changes[status]["outcome"] == "held" and status in changes[status]["reason"] and "active" in changes[status]["reason"], changes[status]
    assert [p["target"] for p in w.patches()] == [glance_image_id(9)]


@case
def a_selector_takes_what_is_active_or_deactivated_unless_it_names_a_state(w):
    states = ("queued", "saving", "uploading", "importing", "active", "deactivated", "killed", "pending_delete", "deleted")
    for n, status in enumerate(states, 1):
        w.image(n, status=status)
    found = lambda: sorted(c["target"] for c in w.plan().json["changes"])
    w.spec(selector={"name": "image*"}, properties={"ours": "1"})
    assert found() == [glance_image_id(5), glance_image_id(6)]
    for n, status in enumerate(states[:-2], 1):
        w.spec(selector={"name": "image*", "status": status}, properties={"ours": "1"})
        assert found() == ([] if status == "killed" else [glance_image_id(n)]), status  # which lists leave out
    w.spec(selector={"name": "image*", "status": "ACTIVE"}, properties={"ours": "1"})
    assert found() == [glance_image_id(5)]


@case
def a_deactivated_image_is_written(w):
    w.image(1, status="deactivated")
    w.spec(properties={"ours": "1"})
    w.apply().expect(0)
    assert w.updates() == 1


@case
def an_image_that_stops_being_active_before_the_look_waits(w):
    simple(w)
    w.image(2)
    w.spec("two", target=glance_image_id(2), properties={"ours": "1"})
    w.sim.fault("ShowGlanceImage", "change-before", target=glance_image_id(1), change=moved(w, status="importing"))
    changes = {c["target"]: c for c in w.apply().expect(2).json["changes"]}
    assert changes[glance_image_id(1)]["outcome"] == "held" and "importing" in changes[glance_image_id(1)]["reason"] and w.updates(1) == 0
    assert w.updates(2) == 1


@case
def an_image_that_becomes_active_is_written_by_the_daemon(w):
    w.image(1, status="saving")
    w.spec(properties={"ours": "1"})
    d = w.daemon()
    n = d.wait_line("saving")
    w.sim.change(glance_image_id(1), **moved(w, status="active"))
    d.wait_line("updated", n)


@case
def an_image_on_its_way_out_is_an_error(w):
    w.image(1, status="pending_delete")
    w.spec(properties={"ours": "1"})
    assert "pending_delete" in only_error(w.apply())["message"] and not w.patches()


@case
def a_status_that_nobody_knows_waits(w):
    w.image(1)
    w.spec(properties={"ours": "1"})
    w.sim.fault("ShowGlanceImage", "echo-other", times=FOR_EVER, set={"status": "melting"})
    change = only_change(w.apply(), 2)
    assert change["outcome"] == "held" and "melting" in change["reason"] and not w.patches()


# --- what images may be like ---


@case
def an_image_without_a_name_gets_one(w):
    w.sim.add_glance_image(None, glance_image_id(1), created_at=LONG_AGO, updated_at=LONG_AGO)
    w.spec(name="golden")
    assert only_change(w.apply())["attributes"][0]["from"] is None
    assert w.live()["name"] == "golden" and w.patches()[0]["status"] == 200


@case
def a_name_glob_takes_no_image_without_a_name(w):
    w.sim.add_glance_image(None, glance_image_id(1), created_at=LONG_AGO, updated_at=LONG_AGO)
    w.spec(selector={"name": "*"}, min_ram=8)
    assert w.plan().expect(0).json["summary"]["objects"] == 0
    w.spec(selector={"min_ram": 0}, min_ram=8)
    assert w.plan().expect(2).json["summary"]["objects"] == 1


@case
def a_property_named_like_a_member_of_the_answer_harms_nobody(w):
    w.image(1, **{"next": "/v2/images?marker=x", "images": "x", "code": "1", "message": "x", "title": "y", "error": "z", "token": "t"})
    w.image(2)
    w.spec(selector={"name": "image*"}, properties={"next": "2", "images": "y", "error": None, "code": "2"})
    w.apply().expect(0)
    assert (w.live()["next"], w.live()["images"], w.live()["code"]) == ("2", "y", "2") and "error" not in w.live()
    w.plan().expect(0)


@case
def a_property_that_is_null_in_an_answer_is_absent(w):
    w.image(1)
    w.spec(properties={"kernel_id": None})
    w.sim.fault("ShowGlanceImage", "echo-other", times=FOR_EVER, set={"kernel_id": None})
    assert w.apply().expect(0).json["summary"]["inSync"] == 1
    w.sim.clear_faults()
    w.spec(properties={"kernel_id": glance_image_id(7)})
    w.sim.fault("ShowGlanceImage", "echo-other", times=FOR_EVER, set={"kernel_id": None})
    w.apply()
    assert bodies(w)[0] == [op("add", "kernel_id", glance_image_id(7))]


@case
def values_that_are_no_texts_compare_by_their_text(w):
    w.image(1)
    w.spec(properties={"a": "1", "b": "true"}, min_ram=5, protected=True)
    w.sim.fault("ShowGlanceImage", "echo-other", times=FOR_EVER, set={"a": 1, "b": True, "min_ram": "5", "protected": "true"})
    assert w.apply().expect(0).json["changes"] == []


@case
def two_documents_on_one_image_are_written_one_after_the_other(w):
    w.image(1)
    w.spec("a", properties={"a": "1"})
    w.spec("b", tags=["b"])
    w.spec("c", selector={"name": "image*"}, min_ram=3)
    w.apply().expect(0)
    live = w.live()
    assert (live["a"], live["tags"], live["min_ram"]) == ("1", ["b"], 3) and [p["status"] for p in w.patches()] == [200] * 3
    # No other request of that image between a look and its write.
    steps = [r["operation"] for r in w.sim.requests() if r["target"] == glance_image_id(1)]
    assert steps.count("UpdateGlanceImage") == 3 and all(
        before == "ShowGlanceImage" for before, step in zip(steps, steps[1:]) if step == "UpdateGlanceImage"), steps


if __name__ == "__main__":
    run(workers=8, world=GlanceWorld)
