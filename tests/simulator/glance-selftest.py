#!/usr/bin/python3
"""Self-test of the simulator's OpenStack: Glance under /image, Keystone under /identity. Prints TAP."""
import calendar
import http.client
import json
import os
import signal
import ssl
import stat
import sys
import tempfile
import threading
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "harness"))

import sim as harness  # noqa: E402

from selftest import Answer, equal, raises  # noqa: E402

PROJECT = harness.GLANCE_PROJECT
OTHER = "fedcba9876543210fedcba9876543210"
IMAGES = "/image/v2/images"
TOKENS = "/identity/v3/auth/tokens"
VERSION = "/identity/v3"
NEWER = "application/openstack-images-v2.1-json-patch"
OLDER = "application/openstack-images-v2.0-json-patch"
ABSENT = "61a9ce00-0000-4000-8000-0000ffffffff"
BASE = ["checksum", "container_format", "created_at", "disk_format", "file", "id", "min_disk", "min_ram", "name",
        "os_hash_algo", "os_hash_value", "os_hidden", "owner", "protected", "schema", "self", "size", "status", "tags",
        "updated_at", "virtual_size", "visibility"]
TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Client:
    """Sends exactly the headers it is told to, over one kept connection; asks for a token when it needs one."""

    def __init__(self, sim):
        where = urllib.parse.urlsplit(sim.endpoint)
        self.sim = sim
        self.host = where.netloc
        self.given = None
        self.connection = http.client.HTTPSConnection(
            where.hostname, where.port, context=ssl.create_default_context(cafile=sim.ca_file), timeout=60)

    def send(self, method, target, headers=(), body=None):
        try:
            self.connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            headers = [("Host", self.host)] + list(headers)
            if body is not None:
                headers.append(("Content-Length", str(len(body))))
            for name, value in headers:
                self.connection.putheader(name, value.encode())
            self.connection.endheaders(body)
            response = self.connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        except BaseException:
            self.connection.close()
            raise

    def ask_token(self, body, query="", kind="application/json"):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", TOKENS + query, [("Content-Type", kind)], raw)

    def token(self, **changes):
        answer = self.ask_token(password_body(**changes))
        equal(answer.status, 201)
        return answer.headers["X-Subject-Token"]

    def use(self, **changes):
        """The next calls are those of this user."""
        self.given = self.token(**changes)

    def call(self, method, target, body=None, headers=(), accept="*/*"):
        if self.given is None:
            self.use()
        sent = [("X-Auth-Token", self.given)] + ([("Accept", accept)] if accept else []) + list(headers)
        return self.send(method, target, sent, body)

    def list(self, query=(), **named):
        pairs = list(query) + [(name, str(value)) for name, value in named.items()]
        return self.call("GET", IMAGES + ("?" + urllib.parse.urlencode(pairs) if pairs else ""))

    def names(self, query=(), **named):
        answer = self.list(query, **named)
        equal((answer.status, answer.json.get("schema")), (200, "/v2/schemas/images"))
        return [image["name"] for image in answer.json["images"]]

    def walk(self, target):
        """The ids on all pages, following `next` as a client does that knows the prefix."""
        pages = []
        while target is not None:
            answer = self.call("GET", "/image" + target)
            equal(answer.status, 200)
            pages.append([image["id"] for image in answer.json["images"]])
            target = answer.json.get("next")
        return pages

    def show(self, image_id):
        return self.call("GET", "%s/%s" % (IMAGES, image_id))

    def patch(self, image_id, operations, kind=NEWER, accept="*/*"):
        raw = operations if isinstance(operations, bytes) else json.dumps(operations).encode()
        headers = [] if kind is None else [("Content-Type", kind)]
        return self.call("PATCH", "%s/%s" % (IMAGES, image_id), raw, headers, accept)


# ---- bodies ------------------------------------------------------------------------------------------------------

def auth(identity, scope=None):
    return {"auth": {"identity": identity, "scope": scope} if scope is not None else {"identity": identity}}


def password_body(user=None, password=harness.KEYSTONE_PASSWORD, scope=..., **named):
    """By name and domain unless `user` has it otherwise; in the project demo unless `scope` is another or None."""
    user = user or {"name": named.get("name", harness.KEYSTONE_USER), "domain": {"name": harness.KEYSTONE_DOMAIN}}
    if scope is ...:
        scope = {"project": {"id": named.get("project", PROJECT)}}
    return auth({"methods": ["password"], "password": {"user": dict(user, password=password)}}, scope)


def credential_body(scope=None, secret=harness.CREDENTIAL_SECRET, **which):
    which = which or {"id": harness.CREDENTIAL_ID}
    return auth({"methods": ["application_credential"], "application_credential": dict(which, secret=secret)}, scope)


def op(what, attribute, *value):
    path = "/" + attribute.replace("~", "~0").replace("/", "~1")
    return dict({"op": what, "path": path}, **({"value": value[0]} if value else {}))


def add(attribute, value):
    return op("add", attribute, value)


def replace(attribute, value):
    return op("replace", attribute, value)


def remove(attribute):
    return op("remove", attribute)


# ---- checks ------------------------------------------------------------------------------------------------------

def refused(answer, status, text=""):
    """An error as the web framework makes it, in HTML."""
    equal((answer.status, answer.headers["content-type"]), (status, "text/html; charset=UTF-8"))
    equal(answer.body.startswith(b"<html>\n <head>\n  <title>%d " % status), True)
    if text not in answer.body.decode():
        raise AssertionError("%r is not in %r" % (text, answer.body))


def unauthorized(answer):
    """The answer of what stands before Glance."""
    equal((answer.status, b"could not verify that you are authorized" in answer.body,
           answer.headers["WWW-Authenticate"].startswith('Keystone uri="https://127.'),
           "x-openstack-request-id" in answer.headers), (401, True, True, False))


def keystone_error(answer, status, text=""):
    error = answer.json["error"]
    equal((answer.status, error["code"], sorted(error), list(answer.json)),
          (status, status, ["code", "message", "title"], ["error"]))
    if text not in error["message"]:
        raise AssertionError("%r is not in %r" % (text, error["message"]))


def for_each(cases, check):
    """Names the case in the message of what goes wrong with it."""
    for case in cases:
        try:
            check(*case)
        except AssertionError as why:
            raise AssertionError("%r: %s" % (case, why)) from why


def seconds_of(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


# ---- Keystone ----------------------------------------------------------------------------------------------------

@test
def a_password_gives_a_token_with_a_catalog(sim, client):
    answer = client.ask_token(password_body())
    token = answer.json["token"]
    equal((answer.status, list(answer.json), len(answer.headers["X-Subject-Token"])), (201, ["token"], 1600))
    equal((token["methods"], [role["name"] for role in token["roles"]]), (["password"], ["member", "reader"]))
    domain = {"id": "default", "name": "Default"}
    equal(token["project"], {"domain": domain, "id": PROJECT, "name": "demo"})
    equal((token["user"]["id"], token["user"]["name"], token["user"]["domain"]),
          (harness.KEYSTONE_USER_ID, "demo", domain))
    span = [time.strptime(token[name][:19], "%Y-%m-%dT%H:%M:%S") for name in ("issued_at", "expires_at")]
    equal(calendar.timegm(span[1]) - calendar.timegm(span[0]), 86400)
    equal([token[name][19] + token[name][26:] for name in ("issued_at", "expires_at")], [".Z", ".Z"])
    equal([service["type"] for service in token["catalog"]], ["identity", "image"])
    images = token["catalog"][1]
    equal([(one["interface"], one["region"], one["region_id"], one["url"]) for one in images["endpoints"]],
          [(interface, "RegionOne", "RegionOne", sim.endpoint + "/image")
           for interface in ("public", "internal", "admin")])
    equal((images["name"], all(len(one["id"]) == 32 for one in images["endpoints"])), ("glance", True))
    equal(answer.headers["x-openstack-request-id"].startswith("req-"), True)
    equal(client.send("GET", IMAGES, [("X-Auth-Token", answer.headers["X-Subject-Token"])]).status, 200)


@test
def users_and_projects_by_id_or_name(sim, client):
    by_id = {"id": harness.KEYSTONE_USER_ID}
    for user in (None, by_id, {"name": "demo", "domain": {"id": "default"}}):
        for project in ({"id": PROJECT}, {"name": "demo", "domain": {"id": "default"}},
                        {"name": "demo", "domain": {"name": "Default"}}):
            equal(client.ask_token(password_body(user, scope={"project": project})).status, 201)
    wrong = [
        password_body(password="x"), password_body(name="other"), password_body({"id": PROJECT}),
        password_body({"name": "demo", "domain": {"name": "Other"}}),
        password_body({"name": "demo", "domain": {"name": "default"}}),
        password_body({"name": "demo", "domain": {"id": "Default"}}),
        password_body(scope={"project": {"id": OTHER}}),
        password_body(scope={"project": {"name": "demo", "domain": {"name": "Other"}}}),
        password_body(scope={"project": {"name": "Demo", "domain": {"name": "Default"}}}),
    ]
    for body in wrong:
        answer = client.ask_token(body)
        keystone_error(answer, 401, "The request you have made requires authentication.")
        equal((answer.json["error"]["title"], "X-Subject-Token" in answer.headers,
               answer.headers["WWW-Authenticate"].startswith("Keystone uri=")), ("Unauthorized", False, True))
    sim.add_keystone_project("empty", OTHER)
    keystone_error(client.ask_token(password_body(project=OTHER)), 401)


@test
def application_credentials(sim, client):
    by_name = {"name": harness.CREDENTIAL, "user": {"name": "demo", "domain": {"id": "default"}}}
    for which in ({}, by_name, dict(by_name, user={"id": harness.KEYSTONE_USER_ID})):
        answer = client.ask_token(credential_body(**which))
        token = answer.json["token"]
        equal((answer.status, token["methods"], token["project"]["id"], token["user"]["name"]),
              (201, ["application_credential"], PROJECT, "demo"))
        equal(client.send("GET", IMAGES, [("X-Auth-Token", answer.headers["X-Subject-Token"])]).status, 200)
    keystone_error(client.ask_token(credential_body({"project": {"id": PROJECT}})), 401, "cannot request a scope")
    keystone_error(client.ask_token(credential_body(id=OTHER)), 404, "Could not find Application Credential: " + OTHER)
    for body in (credential_body(secret="x"), credential_body(**dict(by_name, name="x")),
                 credential_body(**dict(by_name, user={"id": OTHER}))):
        keystone_error(client.ask_token(body), 401, "requires authentication")
    reader = sim.add_application_credential("reader", "s", roles=["reader"])
    token = client.ask_token(credential_body(id=reader, secret="s"))
    equal([role["name"] for role in token.json["token"]["roles"]], ["reader"])
    client.given = token.headers["X-Subject-Token"]
    image = sim.add_glance_image()
    equal(client.show(image).status, 200)
    refused(client.patch(image, []), 403, "modify_image")
    sim.remove_application_credential(reader)
    unauthorized(client.show(image))
    keystone_error(client.ask_token(credential_body(id=reader, secret="s")), 404)
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
    sim.add_application_credential("short", "s", expires=end)
    named = {"name": "short", "user": {"id": harness.KEYSTONE_USER_ID}}
    equal(client.ask_token(credential_body(secret="s", **named)).status, 201)
    sim.advance(61)
    keystone_error(client.ask_token(credential_body(secret="s", **named)), 401)


@test
def malformed_token_requests(sim, client):
    user = {"name": "demo", "domain": {"id": "default"}}
    identity = password_body()["auth"]["identity"]
    bad = [
        b"", b"{", b"[]", b"{}", {"auth": {}}, {"auth": []}, dict(password_body(), more=1),
        {"auth": dict(password_body()["auth"], more=1)}, auth(dict(identity, more=1)),
        auth(dict(identity, methods="password")), auth(dict(identity, methods=[])),
        auth(dict(identity, methods=["password", "token"])), auth(dict(identity, methods=["token"])),
        auth(dict(identity, methods=["application_credential"])),
        password_body({"name": "demo"}), password_body(dict(user, id="x")), password_body({"id": 7}),
        password_body({"name": "demo", "domain": {}}), password_body({"name": "demo", "domain": "default"}),
        password_body({"name": "demo", "domain": {"id": "default", "name": "Default"}}),
        password_body(dict(user, more="x")), password_body(password=7), password_body(password=None),
        password_body(scope={}), password_body(scope={"project": {}}), password_body(scope={"project": {"name": "x"}}),
        password_body(scope={"project": {"id": 7}}), password_body(scope={"system": {"all": True}}),
        password_body(scope={"project": {"id": PROJECT}, "domain": {"id": "default"}}), password_body(scope="unscoped"),
        credential_body(id=7), credential_body(name="x"), credential_body(id="x", name="y"), credential_body(secret=7),
        credential_body(id="x", user={"id": "x"}), credential_body(id="x", more="y"),
    ]
    for_each([(body,) for body in bad], lambda body: keystone_error(client.ask_token(body), 400))
    keystone_error(client.ask_token(password_body(), kind="text/plain"), 400)
    keystone_error(client.ask_token(password_body(), query="?more=1"), 400)
    keystone_error(client.ask_token(password_body(), query="?nocatalog&more"), 400)
    equal(client.ask_token(password_body(), kind="application/json; charset=utf-8").status, 201)


@test
def the_catalog_can_be_left_out_or_changed(sim, client):
    def endpoints():
        catalog = {one["type"]: one["endpoints"] for one in client.ask_token(password_body()).json["token"]["catalog"]}
        return [(one["interface"], one["region"], one["url"]) for one in catalog.get("image", [])]

    for query in ("?nocatalog", "?nocatalog=", "?nocatalog=true"):
        answer = client.ask_token(password_body(), query)
        equal((answer.status, "catalog" in answer.json["token"]), (201, False))
    sim.image_endpoints("{base}/image/v2", ("internal", "RegionTwo", "https://images.example.com:9292/"))
    equal(endpoints(), [("public", "RegionOne", sim.endpoint + "/image/v2"),
                        ("internal", "RegionTwo", "https://images.example.com:9292/")])
    sim.image_endpoints()
    equal(endpoints(), [])
    sim.config(imageEndpoints=None)
    equal(len(endpoints()), 3)
    raises(harness.ControlError, sim.config, imageEndpoints=[{"url": "x"}])
    raises(harness.ControlError, sim.config, imageEndpoints="x")


@test
def tokens_without_a_scope_are_good_for_nothing(sim, client):
    image = sim.add_glance_image()
    answer = client.ask_token(password_body(scope=None))
    equal((answer.status, sorted(answer.json["token"])),
          (201, ["audit_ids", "expires_at", "issued_at", "methods", "user"]))
    client.given = answer.headers["X-Subject-Token"]
    refused(client.list(), 403, "get_images")
    refused(client.show(image), 404)


@test
def the_version_document(sim, client):
    for path in (VERSION, VERSION + "/"):
        answer = client.send("GET", path)
        version = answer.json["version"]
        equal((answer.status, version["id"], version["status"], version["links"]),
              (200, "v3.14", "stable", [{"rel": "self", "href": sim.endpoint + "/identity/v3/"}]))
    keystone_error(client.send("GET", VERSION + "?x=y"), 400)
    keystone_error(client.send("GET", "/identity/v2.0"), 404)
    keystone_error(client.send("DELETE", TOKENS), 405)


@test
def tokens_end(sim, client):
    sim.config(tokenSeconds=100, tokenBytes=255)
    client.use()
    equal((len(client.given), client.list().status), (255, 200))
    sim.advance(101)
    unauthorized(client.list())
    client.use()
    sim.revoke_keystone_tokens(OTHER)
    equal(client.list().status, 200)
    sim.revoke_keystone_tokens(harness.KEYSTONE_USER_ID)
    unauthorized(client.list())
    client.use()
    sim.revoke_keystone_tokens()
    unauthorized(client.list())
    client.use()
    sim.add_keystone_user()
    equal(client.list().status, 200)
    sim.add_keystone_user(password="another")
    unauthorized(client.list())
    keystone_error(client.ask_token(password_body()), 401)
    client.use(password="another")
    sim.remove_keystone_user()
    unauthorized(client.list())


@test
def what_was_removed_takes_its_tokens_along(sim, client):
    project = sim.add_keystone_project("second")
    sim.add_keystone_user(projects=[PROJECT, project])
    client.use(project=project)
    first = client.token()
    sim.remove_keystone_project(project)
    unauthorized(client.list())
    client.given = first
    equal(client.list().status, 200)
    client.given = client.ask_token(credential_body()).headers["X-Subject-Token"]
    sim.remove_application_credential()
    unauthorized(client.list())
    for call in (sim.remove_application_credential, sim.remove_keystone_project, sim.remove_keystone_user):
        raises(harness.ControlError, call, OTHER)


@test
def the_tokens_of_two_clouds_are_different(sim, client):
    body = auth({"methods": ["password"], "password": {"user": {
        "name": harness.HUAWEI_USER, "password": harness.HUAWEI_PASSWORD, "domain": {"name": harness.ACCOUNT}}}},
        {"project": {"name": harness.PROJECT_NAME}})
    answer = client.send("POST", "/v3/auth/tokens", [("Content-Type", "application/json")], json.dumps(body).encode())
    equal(answer.status, 201)
    client.given = answer.headers["X-Subject-Token"]
    unauthorized(client.list())
    keystone_error(client.ask_token(dict(body, auth=dict(body["auth"], scope={"project": {"id": PROJECT}}))), 401)
    equal(client.send("GET", "/v2/cloudimages", [("X-Auth-Token", client.token())]).status, 401)
    equal(client.send("GET", "/v2/cloudimages", [("X-Auth-Token", answer.headers["X-Subject-Token"])]).status, 200)


@test
def no_secret_is_logged(sim, client):
    image = sim.add_glance_image()
    client.list()
    client.patch(image, [add("note", "told")])
    client.ask_token(password_body(password="Wrong-Password"))
    client.ask_token(credential_body())
    client.ask_token(credential_body(secret="Wrong-Secret"))
    client.ask_token(auth({"methods": ["token"], "token": {"id": client.given}}))
    with open(sim.log_file) as file:
        log = file.read()
    for secret in (harness.KEYSTONE_PASSWORD, harness.CREDENTIAL_SECRET, "Wrong-", client.given):
        equal((secret, secret in log), (secret, False))
    equal([line["body"] for line in sim.requests("UpdateGlanceImage")],
          [[{"op": "add", "path": "/note", "value": "told"}]])
    equal(sim.requests("CreateKeystoneToken")[0]["body"]["auth"]["identity"]["password"]["user"]["name"], "demo")
    equal([(line["by"], line["project"], line["target"], line["applied"])
           for line in sim.requests("UpdateGlanceImage")], [("token", PROJECT, image, True)])


# ---- who may do what ---------------------------------------------------------------------------------------------

@test
def without_a_token_nothing_is_told(sim, client):
    image = sim.add_glance_image()
    for method, path in (("GET", IMAGES), ("GET", IMAGES + "/" + image), ("PATCH", IMAGES + "/" + image),
                         ("GET", "/image/nothing"), ("DELETE", IMAGES), ("GET", IMAGES + "?limit=x")):
        unauthorized(client.send(method, path))
        unauthorized(client.send(method, path, [("X-Auth-Token", "gAAAAABnothing")]))
    token = client.token()
    unauthorized(client.send("GET", IMAGES, [("X-Auth-Token", token), ("X-Auth-Token", token)]))


@test
def paths_and_methods(sim, client):
    image = sim.add_glance_image()
    for path in ("/image/v2", "/image/v2/cloudimages", "/image/v1/images", IMAGES + "/",
                 "%s/%s/tags" % (IMAGES, image), "/image/v2/schemas/image"):
        refused(client.call("GET", path), 404)
    for method, path, allowed in (("POST", IMAGES, "GET"), ("DELETE", IMAGES + "/" + image, "GET, PATCH"),
                                  ("PUT", IMAGES + "/" + image, "GET, PATCH")):
        answer = client.call(method, path)
        refused(answer, 405)
        equal(answer.headers["Allow"], allowed)
    refused(client.call("GET", "%s/%s?x=y" % (IMAGES, image)), 400)
    refused(client.call("GET", IMAGES, b"x"), 400)


@test
def the_list_of_versions(sim, client):
    for path, status in (("/image", 300), ("/image/", 300), ("/image/versions", 200)):
        answer = client.send("GET", path)
        first = answer.json["versions"][0]
        equal((path, answer.status, first["status"], first["links"]),
              (path, status, "CURRENT", [{"rel": "self", "href": sim.endpoint + "/image/v2/"}]))


@test
def errors_go_by_the_accept_header(sim, client):
    target = "%s/%s" % (IMAGES, ABSENT)
    refused(client.call("GET", target, accept="application/json, */*"), 404)
    refused(client.call("GET", target, accept="text/html"), 404)
    answer = client.call("GET", target, accept="application/json")
    equal((answer.headers["content-type"], answer.json),
          ("application/json", {"message": "No image found with ID %s<br /><br />\n\n\n" % ABSENT,
                                "code": "404 Not Found", "title": "Not Found"}))
    answer = client.call("GET", target, accept=None)
    equal((answer.headers["content-type"], answer.body.startswith(b"404 Not Found\n\nNo image found")),
          ("text/plain; charset=UTF-8", True))
    refused(client.list(sort_key="<&'\">"), 400, "&lt;&amp;&#x27;&quot;&gt;")


@test
def the_model(sim, client):
    image = sim.add_glance_image("x", created_at="2026-02-03T04:05:06Z", updated_at="2026-02-03T05:05:06Z")
    answer = client.show(image)
    shown = answer.json
    equal((answer.status, answer.headers["content-type"], sorted(shown)), (200, "application/json", BASE))
    equal([shown[name] for name in ("id", "name", "owner", "created_at", "updated_at", "self", "file", "schema",
                                    "status", "tags", "protected", "os_hidden", "min_ram", "min_disk")],
          [image, "x", PROJECT, "2026-02-03T04:05:06Z", "2026-02-03T05:05:06Z", "/v2/images/" + image,
           "/v2/images/%s/file" % image, "/v2/schemas/image", "active", [], False, False, 0, 0])
    equal(answer.headers["x-openstack-request-id"].count("-"), 5)
    equal("Date" in answer.headers and "etag" not in answer.headers, True)
    bare = client.show(sim.add_glance_image(None, status="queued", size=None, disk_format=None, checksum=None)).json
    equal((bare["name"], bare["size"], bare["disk_format"], bare["checksum"]), (None, None, None, None))
    for absent in (ABSENT, "nothing", "../images"):
        refused(client.show(absent), 404)


@test
def who_sees_what(sim, client):
    own = {kind: sim.add_glance_image("own-" + kind, visibility=kind)
           for kind in ("private", "shared", "public", "community")}
    foreign = {kind: sim.add_glance_image("foreign-" + kind, owner=OTHER, visibility=kind)
               for kind in ("private", "shared", "public", "community")}
    for status in ("accepted", "pending", "rejected"):
        foreign[status] = sim.add_glance_image("foreign-" + status, owner=OTHER, visibility="shared")
        sim.share_glance_image(foreign[status], PROJECT, status)
    sim.share_glance_image(foreign["private"], PROJECT)
    everybody = ["own-private", "own-shared", "own-public", "own-community", "foreign-public", "foreign-accepted"]
    equal(sorted(client.names()), sorted(everybody))
    equal(sorted(client.names(visibility="all")), sorted(everybody + ["foreign-community"]))
    equal(sorted(client.names(visibility="community")), ["foreign-community", "own-community"])
    equal(sorted(client.names(visibility="public")), ["foreign-public", "own-public"])
    equal(client.names(visibility="private"), ["own-private"])
    equal(sorted(client.names(visibility="shared")), ["foreign-accepted", "own-shared"])
    equal(sorted(client.names(visibility="shared", member_status="pending")), ["foreign-pending", "own-shared"])
    equal(sorted(client.names(visibility="shared", member_status="all")),
          ["foreign-accepted", "foreign-pending", "foreign-rejected", "own-shared"])
    refused(client.list(visibility="mine"), 400)
    refused(client.list(member_status="x"), 400)
    for kind, status in (("private", 404), ("shared", 404), ("public", 200), ("community", 200), ("accepted", 200),
                         ("pending", 200)):
        equal((kind, client.show(foreign[kind]).status), (kind, status))
        answer = client.patch(foreign[kind], [replace("name", "x")])
        refused(answer, 404 if status == 404 else 403)
    sim.add_keystone_user("root", "r", roles=["admin"])
    client.use(name="root", password="r")
    equal(len(client.names(visibility="all")), 11)
    equal(len(client.names()), 10)
    equal(client.patch(foreign["private"], [replace("owner", PROJECT)]).json["owner"], PROJECT)
    equal(client.patch(own["private"], [replace("visibility", "public")]).json["visibility"], "public")


@test
def roles(sim, client):
    image = sim.add_glance_image()
    sim.add_keystone_user("guest", "g", roles=["reader"])
    client.use(name="guest", password="g")
    equal((client.names(), client.show(image).status), (["image"], 200))
    refused(client.patch(image, [replace("name", "x")]), 403, "modify_image")
    sim.add_keystone_user("stranger", "s", roles=["creator"])
    client.use(name="stranger", password="s")
    refused(client.list(), 403)
    refused(client.show(image), 404)
    refused(client.patch(image, [replace("name", "x")]), 404)


@test
def hidden_and_revoked(sim, client):
    image, other = sim.add_glance_image("one"), sim.add_glance_image("two")
    sim.hide(image)
    refused(client.show(image), 404)
    equal(client.names(), ["two"])
    sim.hide(image, listed=True)
    refused(client.show(image), 404)
    refused(client.patch(image, []), 404)
    equal(sorted(client.names()), ["one", "two"])
    sim.show(image)
    equal(client.show(image).status, 200)
    sim.hide(PROJECT)
    equal((client.names(), client.show(image).status), ([], 404))
    sim.show(PROJECT)
    sim.delete(image)
    refused(client.show(image), 404)
    equal((client.names(), client.names(status="deleted")), (["two"], []))
    sim.purge(other)
    refused(client.patch(other, []), 404)
    equal(sorted(sim.glance_images()), [image])
    sim.revoke("UpdateGlanceImage")
    kept = sim.add_glance_image("kept")
    refused(client.patch(kept, []), 403)
    sim.grant()
    sim.revoke("ShowGlanceImage", PROJECT)
    refused(client.show(kept), 404)
    sim.revoke("ListGlanceImages")
    refused(client.list(), 403)


# ---- lists -------------------------------------------------------------------------------------------------------

@test
def pages(sim, client):
    ids = sim.generate_glance_images(60)[::-1]
    first = client.list().json
    equal((len(first["images"]), first["first"], first["next"]),
          (25, "/v2/images", "/v2/images?marker=" + ids[24]))
    equal([len(page) for page in client.walk("/v2/images")], [25, 25, 10])
    equal(sum(client.walk("/v2/images?limit=7"), []), ids)
    equal([len(page) for page in client.walk("/v2/images?limit=20")], [20, 20, 20, 0])
    equal("next" in client.list(limit=61).json, False)
    equal(client.list(limit=60).json["next"], "/v2/images?limit=60&marker=" + ids[59])
    told = client.list(limit=2, visibility="shared", name="in:image-000060,a b").json
    equal((told["first"], "next" in told),
          ("/v2/images?limit=2&visibility=shared&name=in%3Aimage-000060%2Ca+b", False))
    answer = client.list(limit=0).json
    equal((answer["images"], "next" in answer), ([], False))
    sim.config(glancePage=3, glancePageMax=5)
    equal((len(client.names()), len(client.names(limit=4)), len(client.names(limit=1000))), (3, 4, 5))
    equal(client.list(limit=1000).json["next"], "/v2/images?limit=1000&marker=" + ids[4])
    for limit in ("-1", "x", "", "1.5"):
        refused(client.list(limit=limit), 400)
    for marker in (ABSENT, "x"):
        refused(client.list(marker=marker), 400, "No image found")
    foreign = sim.add_glance_image(owner=OTHER, visibility="private")
    refused(client.list(marker=foreign), 400)


@test
def a_marker_need_not_be_in_the_list(sim, client):
    ids = sim.generate_glance_images(4)[::-1]
    sim.change(ids[1], os_hidden=True)
    equal([image["id"] for image in client.list(marker=ids[1]).json["images"]], ids[2:])
    sim.delete(ids[2])
    refused(client.list(marker=ids[2]), 400)


@test
def a_link_keeps_the_last_of_repeated_parameters(sim, client):
    sim.generate_glance_images(3, tags=["a", "b"])
    told = client.list([("tag", "a"), ("tag", "b"), ("limit", "1")]).json
    equal((told["first"], told["next"].split("&marker")[0]),
          ("/v2/images?tag=b&limit=1", "/v2/images?tag=b&limit=1"))


@test
def filters(sim, client):
    sim.add_glance_image("one", tags=["x", "y"], min_ram=512, os_distro="debian", size=100, protected=True,
                         created_at="2026-02-01T00:00:00Z", updated_at="2026-02-02T00:00:00Z")
    sim.add_glance_image("two, too", tags=["x"], disk_format="raw", size=200, created_at="2026-03-01T00:00:00Z",
                         updated_at="2026-03-02T00:00:00Z")
    sim.add_glance_image("a:b", owner=OTHER, visibility="public", status="deactivated", size=300,
                         created_at="2026-04-01T00:00:00Z", updated_at="2026-04-02T00:00:00Z")
    sim.add_glance_image("hidden", os_hidden=True, note='"os_hidden":true', created_at="2026-05-01T00:00:00Z",
                         updated_at="2026-05-02T00:00:00Z")
    sim.add_glance_image("killed", status="killed")
    for_each([
        ({}, ["a:b", "two, too", "one"]), ({"name": "one"}, ["one"]), ({"name": "One"}, []),
        ({"name": "eq:a:b"}, ["a:b"]), ({"name": "in:one,nothing"}, ["one"]),
        ({"name": 'in:"two, too",one'}, ["two, too", "one"]), ({"owner": PROJECT}, ["two, too", "one"]),
        ({"owner": OTHER}, ["a:b"]), ({"status": "active"}, ["two, too", "one"]),
        ({"status": "in:deactivated,queued"}, ["a:b"]), ({"disk_format": "raw"}, ["two, too"]),
        ({"container_format": "ovf"}, []), ({"min_ram": "512"}, ["one"]), ({"os_distro": "debian"}, ["one"]),
        ({"os_distro": "fedora"}, []), ({"nothing": "x"}, []), ({"protected": "true"}, ["one"]),
        ({"protected": "false"}, ["a:b", "two, too"]), ({"os_hidden": "true"}, ["hidden"]),
        ({"os_hidden": "false"}, ["a:b", "two, too", "one"]), ({"tag": "x"}, ["two, too", "one"]),
        ({"tag": "X"}, []), ({"size_min": "200"}, ["a:b", "two, too"]), ({"size_max": "100"}, ["one"]),
        ({"min_ram_min": "1"}, ["one"]), ({"size_min": "150", "size_max": "250"}, ["two, too"]),
        ({"updated_at": "gt:2026-03-02T00:00:00Z"}, ["a:b"]),
        ({"updated_at": "gte:2026-03-02T00:00:00Z"}, ["a:b", "two, too"]),
        ({"updated_at": "neq:2026-03-02T00:00:00Z"}, ["a:b", "one"]),
        ({"created_at": "lt:2026-03-01T00:00:00Z"}, ["one"]), ({"created_at": "2026-03-01T00:00:00Z"}, ["two, too"]),
        ({"checksum": "9e107d9d372bb6826bd81d3542a419d6", "size": "100"}, ["one"]),
    ], lambda query, names: equal(client.names(query.items()), names))
    equal(client.names([("tag", "x"), ("tag", "y")]), ["one"])
    one = client.list(name="one").json["images"][0]["id"]
    equal((client.names(id=one), client.names(id="in:%s,x" % one)), (["one"], ["one"]))
    for_each([({"name": "a:b"},), ({"status": "x:active"},), ({"os_hidden": "yes"},), ({"protected": "True"},),
              ({"size_min": "x"},), ({"created_at": "yesterday"},), ({"updated_at": "gt:1"},),
              ({"changes-since": "2026-01-01T00:00:00Z"},), ({"visibility": ""},)],
             lambda query: refused(client.list(query.items()), 400))
    refused(client.list([("name", "a"), ("name", "b")]), 400, "twice")
    refused(client.call("GET", IMAGES + "?name"), 400)


@test
def order(sim, client):
    for number, (name, size) in enumerate((("b", 3), ("a", 3), ("c", 1), ("a", 2))):
        sim.add_glance_image(name, size=size, created_at="2026-02-0%dT00:00:00Z" % (number + 1))

    def told(**query):
        images = client.list([pair for name, values in query.items()
                              for pair in ((name, value) for value in values.split("+"))]).json["images"]
        return " ".join("%s%d" % (image["name"], image["size"]) for image in images)

    for_each([
        ({}, "a2 c1 a3 b3"), ({"sort_dir": "asc"}, "b3 a3 c1 a2"), ({"sort_key": "name"}, "c1 b3 a2 a3"),
        ({"sort_key": "name", "sort_dir": "asc"}, "a3 a2 b3 c1"), ({"sort": "name:asc"}, "a2 a3 b3 c1"),
        ({"sort": "name:asc,size:asc"}, "a2 a3 b3 c1"), ({"sort": "name:asc,size"}, "a3 a2 b3 c1"),
        ({"sort": "size:asc,name:asc"}, "c1 a2 a3 b3"), ({"sort": "size"}, "a3 b3 a2 c1"),
        ({"sort_key": "size+name", "sort_dir": "desc+asc"}, "a3 b3 a2 c1"),
        ({"sort_key": "size+name", "sort_dir": "asc"}, "c1 a2 a3 b3"),
        ({"sort_key": "id", "sort_dir": "asc"}, "b3 a3 c1 a2"),
    ], lambda query, wanted: equal(told(**query), wanted))
    for_each([({"sort_key": "owner"},), ({"sort_dir": "up"},), ({"sort": "name:up"},), ({"sort": "tags"},),
              ({"sort": ""},), ({"sort": "name", "sort_key": "name"},), ({"sort": "name", "sort_dir": "asc"},)],
             lambda query: refused(client.list(query.items()), 400))
    refused(client.list([("sort_key", "name"), ("sort_dir", "asc"), ("sort_dir", "desc")]), 400, "Number of sort dirs")


@test
def what_is_the_same_goes_by_the_id(sim, client):
    ids = sim.generate_glance_images(30, created_at="2026-02-01T00:00:00Z", updated_at="2026-02-01T00:00:00Z")
    for query, wanted in (("", ids[::-1]), ("&sort_dir=asc", ids), ("&sort=updated_at:asc", ids[::-1]),
                          ("&sort_key=status&sort_dir=asc", ids)):
        equal((query, sum(client.walk("/v2/images?limit=7" + query), [])), (query, wanted))


@test
def a_walk_while_images_come_and_change(sim, client):
    ids = sim.generate_glance_images(10)[::-1]
    page = client.list(limit=5).json
    sim.add_glance_image("later", created_at="2027-01-01T00:00:00Z")
    sim.change(ids[7], name="changed")
    equal([image["id"] for image in client.call("GET", "/image" + page["next"]).json["images"]], ids[5:])


@test
def many_images(sim, client):
    sim.generate_glance_images(10000)
    for query in ("limit=1000", "limit=1000&status=active", "limit=1000&sort=updated_at:asc"):
        start = time.monotonic()
        equal(len(client.call("GET", IMAGES + "?" + query).json["images"]), 1000)
        print("# a page of 1000 of 10000 images by %s: %.1f ms" % (query, (time.monotonic() - start) * 1000))


# ---- changes -----------------------------------------------------------------------------------------------------

@test
def media_types(sim, client):
    image = sim.add_glance_image()
    for kind in (None, "application/json", "application/json-patch+json", NEWER + "x", "text/plain",
                 "application/openstack-images-v2.2-json-patch", NEWER.upper()):
        answer = client.patch(image, [replace("name", "x")], kind)
        refused(answer, 415)
        equal(answer.headers["Accept-Patch"], "%s, %s" % (OLDER, NEWER))
    for kind in (NEWER, NEWER + ";charset=utf-8"):
        equal(client.patch(image, [replace("name", "x")], kind).status, 200)


@test
def the_older_form(sim, client):
    image = sim.add_glance_image(present="1")
    for_each([
        ({"add": "/new", "value": "2"}, 200), ({"add": "/new", "value": "3"}, 409),
        ({"add": "/name", "value": "x"}, 409),
        ({"replace": "/present", "value": "4"}, 200), ({"replace": "/absent", "value": "x"}, 409),
        ({"remove": "/present"}, 200), ({"remove": "/present"}, 409), ({"remove": "/name"}, 403),
        ({"replace": "/name", "value": "y"}, 200), ({"op": "replace", "path": "/name", "value": "x"}, 400),
        ({"add": "/a", "remove": "/a", "value": "x"}, 400), ({"value": "x"}, 400), ({"add": 1, "value": "x"}, 400),
        ({"add": "/a"}, 400), ({"add": "/a", "value": "x", "more": 1}, 400),
    ], lambda operation, status: equal(client.patch(image, [operation], OLDER).status, status))
    refused(client.patch(image, [{"replace": "/name", "value": "x"}]), 400)
    shown = client.show(image).json
    equal((shown["name"], shown["new"], "present" in shown), ("y", "2", False))


@test
def add_replace_remove(sim, client):
    image = sim.add_glance_image(extra="1")
    for_each([
        (add("name", "a"), 200), (replace("name", "b"), 200), (remove("name"), 403),
        (add("min_disk", 1), 200), (remove("min_disk"), 403), (remove("tags"), 403), (remove("visibility"), 403),
        (add("extra", "2"), 200), (replace("extra", "3"), 200), (remove("extra"), 200), (remove("extra"), 409),
        (replace("extra", "4"), 409), (add("extra", "5"), 200), (replace("__description", "x"), 409),
        (add("__description", "x"), 200), (replace("__description", ""), 200),
    ], lambda operation, status: equal(client.patch(image, [operation]).status, status))
    shown = client.show(image).json
    equal((shown["name"], shown["extra"], shown["__description"], shown["min_disk"]), ("b", "5", "", 1))
    refused(client.patch(image, [replace("missing", "x")]), 409, "Property missing does not exist.")
    equal(client.patch(image, [dict(remove("extra"), value="")]).status, 200)
    equal(client.patch(image, [add(" spaced ", "x")]).json["spaced"], "x")


@test
def read_only_and_reserved(sim, client):
    image = sim.add_glance_image()
    before = client.show(image).json
    for name in ("created_at", "updated_at", "status", "checksum", "size", "virtual_size", "direct_url", "self", "file",
                 "schema", "id", "os_hash_algo", "os_hash_value", "location", "deleted", "deleted_at", "os_glance_x",
                 "os_glance", "image_id", "extra_properties"):
        for operation in (add(name, "x"), replace(name, "x"), remove(name)):
            try:
                refused(client.patch(image, [operation]), 403)
            except AssertionError as why:
                raise AssertionError("%r: %s" % (operation, why)) from why
    for path, first in (("/locations", 400), ("/locations/0", 403)):
        equal([client.patch(image, [{"op": what, "path": path, "value": []}]).status
               for what in ("add", "remove", "replace")], [first, first, 403 if first == 400 else 400])
    refused(client.patch(image, [replace("owner", OTHER)]), 403, "Owner can&#x27;t be updated by non admin.")
    refused(client.patch(image, [replace("visibility", "public")]), 403, "publicize_image")
    refused(client.patch(image, [replace("disk_format", "raw")]), 403, "queued image")
    refused(client.patch(image, [replace("container_format", "ovf")]), 403)
    equal(client.show(image).json, before)
    queued = sim.add_glance_image(status="queued")
    equal(client.patch(queued, [replace("disk_format", "raw"), replace("container_format", None)]).status, 200)


@test
def values(sim, client):
    image = sim.add_glance_image(status="queued")
    for_each([
        ("name", "x" * 255, ...), ("name", "\u00e4" * 255, ...), ("name", "", ...), ("name", None, ...),
        ("visibility", "private", ...), ("visibility", "shared", ...), ("visibility", "community", ...),
        ("protected", True, ...), ("protected", False, ...), ("os_hidden", True, ...), ("os_hidden", False, ...),
        ("min_ram", 0, ...), ("min_ram", 2048, ...), ("min_disk", 2147483647, ...), ("tags", [], ...),
        ("tags", ["b", "a", "b"], ["a", "b"]),
        ("tags", ["t1", "t2", "t10", "t1"], ["t1", "t10", "t2"]),
        ("kernel_id", ABSENT, ...), ("kernel_id", None, ...),
        ("tags", ["x" * 255, ""], ["", "x" * 255]), ("extra", "", ...),
        ("extra", "x" * 5000, ...), ("x" * 255, "y", ...), ("disk_format", None, ...), ("disk_format", "vhdx", ...),
        ("a/b~c", "x", ...), ("~1", "x", ...), ("With Space", "x", ...),
    ], lambda name, value, shown: equal(client.patch(image, [add(name, value)]).json[name],
                                        value if shown is ... else shown))
    for_each([
        ("name", 7), ("name", "x" * 256), ("name", []), ("visibility", "x"), ("visibility", None), ("visibility", 1),
        ("protected", "true"), ("protected", 1), ("protected", None), ("os_hidden", "false"), ("os_hidden", 0),
        ("min_ram", "2048"), ("min_ram", -1), ("min_ram", 1.5), ("min_ram", None), ("min_ram", True),
        ("min_ram", 2147483648), ("min_disk", "1"), ("min_disk", -1), ("tags", "a"), ("tags", [1]), ("tags", [None]),
        ("tags", ["x" * 256]), ("tags", {}), ("tags", None), ("extra", 7), ("extra", True), ("extra", None),
        ("extra", []), ("extra", {}), ("kernel_id", "x"), ("ramdisk_id", 7),
        ("x" * 256, "y"), ("disk_format", "x"), ("container_format", 7), ("owner", 7),
    ], lambda name, value: refused(client.patch(image, [add(name, value)]), 400))


@test
def malformed_bodies(sim, client):
    image = sim.add_glance_image()
    for body in (b"", b"x", b"{}", b"null", b'"x"', b"[1]", b"[[]]", b"[{}]", b'[{"op":"add"}]', b'[{"path":"/a"}]',
                 b'[{"op":"add","path":"/a"}]', b'[{"op":"replace","path":"/name"}]',
                 b'[{"op":"test","path":"/name","value":"x"}]', b'[{"op":"add","path":"name","value":"x"}]',
                 b'[{"op":"add","path":"/a/b","value":"x"}]', b'[{"op":"add","path":"/","value":"x"}]',
                 b'[{"op":"add","path":"","value":"x"}]', b'[{"op":"add","path":"/a~2","value":"x"}]',
                 b'[{"op":"add","path":"/a~","value":"x"}]', b'[{"op":"add","path":"/a/","value":"x"}]',
                 b'[{"op":"add","path":"//a","value":"x"}]', b'[{"op":"add","path":1,"value":"x"}]',
                 b'[{"op":1,"path":"/a","value":"x"}]', b'[{"op":"add","path":"/tags/-","value":"x"}]',
                 b'[{"op":"add","path":"/a","value":"x","more":1}]',
                 b'[{"op":"add","op":"add","path":"/a","value":"x"}]',
                 b'[{"op":"add","path":"/a","value":"\xff"}]', b'[]x'):
        try:
            refused(client.patch(image, body), 400)
        except AssertionError as why:
            raise AssertionError("%r: %s" % (body, why)) from why
    equal(sim.glance_image(image)["updates"], 0)


@test
def all_operations_or_none(sim, client):
    image = sim.add_glance_image("old", min_ram=1, extra="1")
    answer = client.patch(image, [replace("name", "new"), replace("min_ram", 2), add("more", "2"), remove("extra"),
                                  add("extra", "3"), replace("more", "4"), replace("name", "newer")])
    equal([answer.json[name] for name in ("name", "min_ram", "more", "extra")], ["newer", 2, "4", "3"])
    before = client.show(image).json
    for last, status in ((replace("absent", "x"), 409), (remove("name"), 403), (replace("min_ram", "x"), 400),
                         (replace("id", "x"), 403)):
        equal(client.patch(image, [replace("name", "lost"), add("lost", "x"), last]).status, status)
    equal((client.show(image).json, sim.glance_image(image)["updates"]), (before, 1))


@test
def any_operation_renews_the_time(sim, client):
    image = sim.add_glance_image("name", updated_at="2026-01-01T00:00:00Z")
    answer = client.patch(image, [])
    equal((answer.status, answer.json["updated_at"], sim.glance_image(image)["updates"]),
          (200, "2026-01-01T00:00:00Z", 0))
    answer = client.patch(image, [replace("name", "name")])
    equal(abs(seconds_of(answer.json["updated_at"]) - time.time()) < 5, True)
    sim.advance(100)
    again = client.patch(image, [replace("name", "name")])
    equal(seconds_of(again.json["updated_at"]) - seconds_of(answer.json["updated_at"]) >= 100, True)
    equal((again.json["created_at"], sim.glance_image(image)["updates"]), (answer.json["created_at"], 2))


@test
def every_status_can_be_changed(sim, client):
    for status in ("queued", "saving", "active", "killed", "deactivated", "uploading", "importing", "pending_delete"):
        image = sim.add_glance_image(status=status)
        answer = client.patch(image, [replace("name", "x")])
        equal((status, answer.status, answer.json["status"]), (status, 200, status))
    refused(client.patch(sim.add_glance_image(status="deleted"), [replace("name", "x")]), 404)
    refused(client.patch(ABSENT, [replace("name", "x")]), 404)
    refused(client.patch(ABSENT, [replace("id", "x")]), 403)
    equal(client.patch(sim.add_glance_image(protected=True), [replace("name", "x")]).status, 200)


@test
def quotas(sim, client):
    image = sim.add_glance_image()
    equal(client.patch(image, [add("p%d" % number, "x") for number in range(128)]).status, 200)
    refused(client.patch(image, [add("more", "x")]), 413)
    equal(client.patch(image, [add("more", "x"), remove("p0")]).status, 200)
    equal(client.patch(image, [replace("more", "y")]).status, 200)
    tags = ["t%03d" % number for number in range(129)]
    refused(client.patch(image, [replace("tags", tags)]), 413)
    equal(client.patch(image, [replace("tags", tags[:128])]).json["tags"], tags[:128])
    crowded = sim.add_glance_image(**{"p%d" % number: "x" for number in range(140)})
    equal(client.patch(crowded, [remove("p1")]).status, 200)
    refused(client.patch(crowded, [add("p1", "x")]), 413)


# ---- faults and control ------------------------------------------------------------------------------------------

@test
def statuses(sim, client):
    image = sim.add_glance_image("old")
    sim.fault("ListGlanceImages", "status", status=503, message="Busy <now>")
    refused(client.list(), 503, "Busy &lt;now&gt;")
    sim.fault("ShowGlanceImage", "status", status=429, headers={"Retry-After": "3"})
    answer = client.show(image)
    refused(answer, 429)
    equal(answer.headers["Retry-After"], "3")
    sim.fault("ShowGlanceImage", "status", status=401)
    unauthorized(client.show(image))
    sim.fault("ShowGlanceImage", "status", status=502, body="<html>proxy</html>")
    answer = client.show(image)
    equal((answer.status, answer.headers.get_all("content-type"), answer.body),
          (502, ["text/html"], b"<html>proxy</html>"))
    sim.fault("ShowGlanceImage", "status", status=500, body="{}")
    equal(client.show(image).headers.get_all("content-type"), ["application/json"])
    sim.fault("CreateKeystoneToken", "status", status=429, headers={"Retry-After": "1"})
    keystone_error(client.ask_token(password_body()), 429)
    sim.fault("CreateKeystoneToken", "status", status=401, message="Expired")
    keystone_error(client.ask_token(password_body()), 401, "Expired")
    sim.fault("UpdateGlanceImage", "process-then-status", status=500, target=image)
    refused(client.patch(image, [replace("name", "new")]), 500)
    equal(client.show(image).json["name"], "new")
    equal(sim.statistics()["operations"]["UpdateGlanceImage"], {"500": 1})


@test
def lost_and_broken_answers(sim, client):
    image = sim.add_glance_image("old")
    change = [replace("name", "new")]
    sim.fault("UpdateGlanceImage", "close-before")
    raises((http.client.HTTPException, OSError), client.patch, image, change)
    equal(client.show(image).json["name"], "old")
    sim.fault("UpdateGlanceImage", "process-then-close")
    raises((http.client.HTTPException, OSError), client.patch, image, change)
    equal(client.show(image).json["name"], "new")
    for fault in ("truncate", "process-then-reset", "reset"):
        sim.fault("ListGlanceImages", fault)
        raises((http.client.HTTPException, OSError), client.list)
    for fault in ("truncate-quietly", "invalid-json"):
        sim.fault("ListGlanceImages", fault)
        raises(ValueError, lambda: client.list().json)
    sim.fault("CreateKeystoneToken", "process-then-close")
    raises((http.client.HTTPException, OSError), client.ask_token, password_body())
    sim.fault("ShowGlanceImage", "delay", ms=200)
    start = time.monotonic()
    client.show(image)
    equal(time.monotonic() - start >= 0.2, True)
    sim.fault("ListGlanceImages", "echo-other", set={"name": "other"})
    equal((client.names(), client.names()), (["other"], ["new"]))
    sim.fault("ListGlanceImages", "wrong-json", body={"images": 7})
    equal(client.list().json, {"images": 7})


@test
def page_faults(sim, client):
    ids = sim.generate_glance_images(6)[::-1]
    sim.fault("ListGlanceImages", "break-page", times=1)
    equal(len(client.names(limit=2)), 2)
    refused(client.list(limit=2, marker=ids[1]), 500)
    sim.fault("ListGlanceImages", "shuffle-page", times=1)
    page = client.list(limit=2, marker=ids[1]).json
    equal([image["id"] for image in page["images"]], [ids[1], ids[2]])
    equal((page["images"][0]["name"].endswith("-shuffled"), page["next"].endswith(ids[2])), (True, True))
    sim.config(listLagSeconds=5)
    client.patch(ids[0], [replace("name", "new")])
    equal((client.list().json["images"][0]["name"], client.show(ids[0]).json["name"]), ("image-000006", "new"))
    sim.advance(6)
    equal(client.list().json["images"][0]["name"], "new")


@test
def a_rival_changes_images_in_between(sim, client):
    image = sim.add_glance_image("old", extra="1")
    sim.fault("UpdateGlanceImage", "change-before", change={"extra": "rival", "more": "x"})
    answer = client.patch(image, [replace("name", "new")])
    equal([answer.json[name] for name in ("name", "extra", "more")], ["new", "rival", "x"])
    sim.fault("UpdateGlanceImage", "change-after", change={"name": "rival"})
    equal((client.patch(image, [replace("name", "mine")]).json["name"], client.show(image).json["name"]),
          ("mine", "rival"))
    sim.fault("ShowGlanceImage", "change-after", change={"name": "late"}, strip=["extra"])
    shown = [client.show(image).json for _ in range(2)]
    equal([(one["name"], one.get("extra")) for one in shown], [("rival", "rival"), ("late", None)])
    refused(client.patch(image, [replace("extra", "x")]), 409)
    raises(harness.ControlError, sim.fault, "ShowGlanceImage", "change-after", change={}, strip="extra")
    sim.fault("ListGlanceImages", "change-after", resource=image, change={"name": "later"})
    equal((client.names(), client.names()), (["late"], ["later"]))


@test
def control_calls(sim, client):
    image = sim.add_glance_image("name", tags=["a"], extra="1")
    other = sim.add_cloud_image("huawei")
    equal((sorted(sim.glance_images()), sorted(sim.cloud_images())), ([image], [other]))
    told = sim.glance_image(image)
    equal((told["kind"], told["updates"], told["image"]["extra"]), ("glanceImage", 0, "1"))
    sim.change(image, name="other", min_ram=7)
    sim.change(other, name="else")
    sim.strip(image, "extra")
    shown = client.show(image).json
    equal((shown["name"], shown["min_ram"], "extra" in shown), ("other", 7, False))
    equal((sim.cloud_image(other)["cloudImage"]["name"], sim.glance_image(image)["image"]["name"]), ("else", "other"))
    sim.change(image, updated_at="2026-01-01T00:00:00Z")
    equal(client.show(image).json["updated_at"], "2026-01-01T00:00:00Z")
    raises(harness.ControlError, sim.glance_image, other)
    raises(harness.ControlError, sim.change, ABSENT, name="x")
    raises(harness.ControlError, sim.call, "POST", "/resources", {"id": image})
    raises(harness.ControlError, sim.call, "POST", "/cloudimages", {"id": image})
    raises(harness.ControlError, sim.call, "POST", "/keystone/users", {"name": "x"})
    raises(harness.ControlError, sim.call, "POST", "/keystone/projects", {"name": "x"})
    raises(harness.ControlError, sim.call, "POST", "/keystone/credentials", {"name": "x"})
    raises(harness.ControlError, sim.call, "POST", "/glance/members", {"image": image})
    sim.reset()
    unauthorized(client.list())
    client.use()
    equal(client.names(), [])


@test
def the_clouds_file(sim, client):
    with tempfile.TemporaryDirectory() as directory:
        path = harness.write_clouds_yaml(directory, sim, auth={"password": "x\"y", "project_name": None, "project_id":
                                                               PROJECT}, region_name=None, auth_type="password")
        equal(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with open(path) as file:
            text = file.read()
    for line in ("clouds:\n  lab:\n    auth:\n", '      auth_url: "%s/identity/v3"\n' % sim.endpoint,
                 '      password: "x\\"y"\n', '      project_id: "%s"\n' % PROJECT, '    auth_type: "password"\n',
                 '    cacert: "%s"\n' % sim.ca_file, '    interface: "public"\n'):
        equal((line, line in text), (line, True))
    equal("region_name" in text or "project_name" in text, False)


@test
def several_clients_at_once(sim, client):
    images = [sim.add_glance_image("image", counter="0") for _ in range(4)]
    failed = []

    def work(image):
        own = Client(sim)
        try:
            for number in range(25):
                equal(own.patch(image, [replace("counter", str(number))]).json["counter"], str(number))
                equal(len(own.names()), 4)
        except Exception as why:  # noqa: BLE001
            failed.append(why)
        finally:
            own.connection.close()

    threads = [threading.Thread(target=work, args=(image,)) for image in images]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal((failed, [sim.glance_image(image)["updates"] for image in images]), ([], [25] * 4))


def run(function, number, sim):
    sim.reset()
    client = Client(sim)
    try:
        function(sim, client)
    except Exception as why:  # noqa: BLE001
        print("not ok %d - %s" % (number, function.__name__))
        print("# %s: %s" % (type(why).__name__, str(why).replace("\n", "\\n")))
        return False
    finally:
        client.connection.close()
    print("ok %d - %s" % (number, function.__name__), flush=True)
    return True


def main():
    chosen = [function for function in TESTS if len(sys.argv) < 2 or function.__name__ in sys.argv[1:]]
    good = True
    print("1..%d" % (len(chosen) + 1), flush=True)
    with harness.Simulator() as sim:
        for number, function in enumerate(chosen, 1):
            good = run(function, number, sim) and good
        status = sim.stop()
        print("%sok %d - ends_cleanly" % ("" if status == 0 else "not ", len(chosen) + 1))
        good = good and status == 0
    return 0 if good else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())
