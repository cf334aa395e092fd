#!/usr/bin/python3
"""Self-test of the simulator's Huawei Cloud: IMS, IAM and the gateway, with a signer of its own. Prints TAP."""
import calendar
import hashlib
import hmac
import http.client
import json
import os
import signal
import ssl
import sys
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "harness"))

import sim as harness  # noqa: E402

from selftest import Answer, equal, raises  # noqa: E402

PROJECT = harness.PROJECT
OTHER = "fedcba9876543210fedcba9876543210"
IMAGES = "/v2/cloudimages"
TOKENS = "/v3/auth/tokens"
HOUR = 3600
TESTS = []


def test(function):
    TESTS.append(function)
    return function


# ---- the signer --------------------------------------------------------------------------------------------------

def sdk_date(when):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(when))


def encode(text):
    return urllib.parse.quote(text, safe="-_.~")


def canonical_query(query):
    pairs = []
    for name, value in query.items():
        pairs += [(name, one) for one in (value if isinstance(value, list) else [value])]
    return "&".join("%s=%s" % (encode(name), encode(value)) for name, value in sorted(pairs))


def canonical_request(method, path, query, headers, signed, payload):
    uri = "/".join(encode(urllib.parse.unquote(part)) for part in path.split("/"))
    return "\n".join([method, uri if uri.endswith("/") else uri + "/", canonical_query(query)] +
                     ["%s:%s" % (name, headers[name].strip()) for name in signed] + ["", ";".join(signed), payload])


def string_to_sign(date, canonical):
    return "SDK-HMAC-SHA256\n%s\n%s" % (date, hashlib.sha256(canonical.encode()).hexdigest())


def hmac_hex(secret, text):
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def sign(method, path, query, headers, body=b"", access=harness.ACCESS_KEY, secret=harness.SECRET_KEY, signed=None):
    """The Authorization header; `headers` have lower-case names."""
    signed = sorted(headers) if signed is None else signed
    payload = headers.get("x-sdk-content-sha256", hashlib.sha256(body).hexdigest())
    canonical = canonical_request(method, path, query, dict.fromkeys(signed, "") | headers, signed, payload)
    signature = hmac_hex(secret, string_to_sign(headers.get("x-sdk-date", ""), canonical))
    return "SDK-HMAC-SHA256 Access=%s, SignedHeaders=%s, Signature=%s" % (access, ";".join(signed), signature)


class Client:
    """Sends exactly the headers it is told to, over one kept connection."""

    def __init__(self, sim):
        where = urllib.parse.urlsplit(sim.endpoint)
        self.sim = sim
        self.host = where.netloc
        self.connection = http.client.HTTPSConnection(
            where.hostname, where.port, context=ssl.create_default_context(cafile=sim.ca_file), timeout=60)

    def send(self, method, target, headers, body=None):
        try:
            self.connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            if body is not None and "content-length" not in [name.lower() for name, _ in headers]:
                headers = list(headers) + [("Content-Length", str(len(body)))]
            for name, value in headers:
                self.connection.putheader(name, value.encode())
            self.connection.endheaders(body)
            response = self.connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        except BaseException:
            self.connection.close()
            raise

    def signed(self, method, path, query=None, body=None, change=None, extra=(), form=None, **signing):
        """A request signed with an access key; `change` alters headers before signing (None removes one)."""
        query = query or {}
        headers = {"host": self.host, "x-sdk-date": sdk_date(time.time()), "x-project-id": PROJECT}
        if body is not None:
            headers["content-type"] = "application/json"
        headers.update(change or {})
        headers = {name: value for name, value in headers.items() if value is not None}
        authorization = sign(method, path, query, headers, body or b"", **signing)
        if form is not None:
            authorization = form(authorization)
        target = path + ("?" + canonical_query(query) if query else "")
        return self.send(method, target, list(headers.items()) + [("Authorization", authorization)] + list(extra), body)

    def with_token(self, token, method, path, query=None, body=None, extra=()):
        headers = [("Host", self.host), ("X-Auth-Token", token)]
        if body is not None:
            headers.append(("Content-Type", "application/json"))
        target = path + ("?" + canonical_query(query) if query else "")
        return self.send(method, target, headers + list(extra), body)

    def ask_token(self, body=None, query="?nocatalog=true", kind="application/json;charset=utf8", **changes):
        raw = json.dumps(token_body(**changes) if body is None else body).encode()
        return self.send("POST", TOKENS + query, [("Host", self.host), ("Content-Type", kind)], raw)

    def token(self, **changes):
        answer = self.ask_token(**changes)
        equal(answer.status, 201)
        return answer.headers["X-Subject-Token"]

    def list(self, **query):
        return self.signed("GET", IMAGES, {name: str(value) for name, value in query.items()})

    def ids(self, **query):
        answer = self.list(**query)
        equal((answer.status, list(answer.json)), (200, ["images"]))
        return [image["id"] for image in answer.json["images"]]

    def walk(self, limit, **query):
        pages, marker = [], {}
        while not pages or len(pages[-1]) == limit:
            pages.append(self.ids(limit=limit, **query, **marker))
            marker = {"marker": pages[-1][-1]} if pages[-1] else {}
        return pages

    def patch(self, image_id, operations, **more):
        raw = operations if isinstance(operations, bytes) else json.dumps(operations).encode()
        return self.signed("PATCH", "%s/%s" % (IMAGES, image_id), body=raw, **more)

    def show(self, image_id):
        return self.signed("GET", "/v2/images/" + image_id)


def token_body(name=harness.HUAWEI_USER, password=harness.HUAWEI_PASSWORD, domain=harness.ACCOUNT, project=None):
    user = {"name": name, "password": password, "domain": {"name": domain}}
    return {"auth": {"identity": {"methods": ["password"], "password": {"user": user}},
                     "scope": {"project": project or {"name": harness.PROJECT_NAME}}}}


def op(what, attribute, value=""):
    return {"op": what, "path": "/" + attribute, "value": value}


def replace(attribute, value):
    return op("replace", attribute, value)


# ---- checks ------------------------------------------------------------------------------------------------------

def ims_error(answer, code, status=400, text=""):
    equal((answer.status, answer.json["error"]["code"], sorted(answer.json), sorted(answer.json["error"])),
          (status, code, ["error"], ["code", "message"]))
    equal((answer.headers["content-type"], text in answer.json["error"]["message"]), ("application/json", True))


def gateway_error(answer, status=401, code="APIGW.0301", text=""):
    equal((answer.status, answer.json["error_code"], sorted(answer.json)),
          (status, code, ["error_code", "error_msg", "request_id"]))
    equal(answer.json["request_id"], answer.headers["X-Request-Id"])
    if text not in answer.json["error_msg"]:
        raise AssertionError("%r is not in %r" % (text, answer.json["error_msg"]))


def iam_error(answer, status, text=""):
    error = answer.json["error"]
    equal((answer.status, error["code"], sorted(error)), (status, status, ["code", "message", "title"]))
    equal(text in error["message"], True)


# ---- signatures --------------------------------------------------------------------------------------------------

def vectors():
    with open(harness.vectors("huawei-signing.json"), encoding="utf-8") as file:
        return json.load(file)


def target_of(case):
    parts = urllib.parse.urlsplit(case["url"])
    return parts.path + ("?" + parts.query if parts.query else "")


@test
def signer_reproduces_the_vectors(sim, client):
    for case in vectors()["cases"]:
        signed, body = case["signed_headers"].split(";"), (case["body"] or "").encode()
        path = urllib.parse.urlsplit(case["url"]).path
        canonical = canonical_request(case["method"], path, case["query"], case["headers"], signed,
                                      hashlib.sha256(body).hexdigest())
        equal(canonical, case["canonical_request"])
        equal(string_to_sign(case["headers"]["x-sdk-date"], canonical), case["string_to_sign"])
        equal(sign(case["method"], path, case["query"], case["headers"], body, case["access_key"], case["secret_key"],
                   signed), case["authorization"])
    for case in vectors()["query_encoding"]:
        equal(canonical_query(case["query"]), case["canonical_query"])


@test
def simulator_reproduces_the_vectors(sim, client):
    equal(len(vectors()["cases"]) >= 12, True)
    for case in vectors()["cases"]:
        told = sim.huawei_signature(case["method"], target_of(case), case["headers"], case["signed_headers"],
                                    case["secret_key"], case["body"])
        equal((case["name"], told), (case["name"], {"canonicalRequest": case["canonical_request"],
                                                    "stringToSign": case["string_to_sign"],
                                                    "signature": case["signature"]}))
    for case in vectors()["query_encoding"]:
        told = sim.huawei_signature("GET", "/v2/cloudimages?" + case["canonical_query"],
                                    {"x-sdk-date": "20260105T213140Z"}, "x-sdk-date")
        equal(told["canonicalRequest"].split("\n")[2], case["canonical_query"])


@test
def vectors_are_accepted_over_the_wire(sim, client):
    done = 0
    sim.config(anyHost=True)
    for case in vectors()["cases"]:
        if IMAGES not in case["url"] and case["method"] != "GET" or "/v2/" not in case["url"]:
            continue  # of operations that the simulator does not have
        sim.add_access_key(case["access_key"], case["secret_key"],
                           security_token=case["headers"].get("x-security-token"))
        date = time.strptime(case["headers"]["x-sdk-date"], "%Y%m%dT%H%M%SZ")
        sim.set_clock(int(calendar.timegm(date) - time.time()))
        headers = list(case["headers"].items()) + [("Authorization", case["authorization"])]
        for wrong in (False, True):
            if wrong:
                headers[-1] = ("Authorization", case["authorization"][:-1] +
                               ("0" if case["authorization"][-1] != "0" else "1"))
            answer = client.send(case["method"], target_of(case), headers,
                                 None if case["body"] is None else case["body"].encode())
            equal((case["name"], answer.status == 401), (case["name"], wrong))
        done += 1
    equal(done, 8)


@test
def good_signatures_are_accepted(sim, client):
    now = time.time()
    good = [
        dict(),
        dict(change={"x-project-id": None}),
        dict(change={"x-sdk-date": sdk_date(now - 880)}),
        dict(change={"x-sdk-date": sdk_date(now + 880)}),
        dict(change={"accept": "application/json"}),
        dict(change={"x-sdk-content-sha256": "UNSIGNED-PAYLOAD"}),
        dict(change={"x-sdk-content-sha256": hashlib.sha256(b"").hexdigest()}),
        dict(extra=[("User-Agent", "unsigned")]),
        dict(query={"name": "golden image/\u00e9 (1)+*~!'&=?#%", "limit": "1"}),
    ]
    for variant in good:
        equal((variant, client.signed("GET", IMAGES, **variant).status), (variant, 200))
    image = sim.add_cloud_image()
    answer = client.patch(image, [replace("name", "x")], signed=["host", "x-project-id", "x-sdk-date"])
    equal(answer.status, 200)
    equal(client.signed("GET", IMAGES, change={"host": "localhost:%s" % client.host.split(":")[1]}).status, 200)
    equal([(line["by"], line["project"]) for line in sim.requests("UpdateCloudImage")], [("signature", PROJECT)])


@test
def broken_signatures_are_refused(sim, client):
    now = time.time()
    date = sdk_date(now)
    bad = [
        (dict(secret="other"), "verify aksk signature fail, canonicalRequest:GET\n/v2/cloudimages/\n"),
        (dict(access="OTHER"), "ak not exist"),
        (dict(signed=["host", "x-project-id"]), "x-sdk-date is not signed"),
        (dict(signed=["x-project-id", "x-sdk-date"]), "host is not signed"),
        (dict(signed=["host", "x-sdk-date"]), "x-project-id is not signed"),
        (dict(signed=["x-sdk-date", "host", "x-project-id"]), "not sorted"),
        (dict(signed=["host", "host", "x-project-id", "x-sdk-date"]), "not sorted"),
        (dict(signed=["Host", "x-project-id", "x-sdk-date"], change={"Host": None}), "malformed"),
        (dict(signed=["accept", "host", "x-project-id", "x-sdk-date"]), "comes 0 times"),
        (dict(change={"x-sdk-date": None}, signed=["host", "x-project-id", "x-sdk-date"]), "comes 0 times"),
        (dict(change={"x-sdk-date": date.replace("T", " ")}), "YYYYMMDD"),
        (dict(change={"x-sdk-date": date[:-1]}), "YYYYMMDD"),
        (dict(change={"x-sdk-date": "20260231T000000Z"}), "YYYYMMDD"),
        (dict(change={"x-security-token": "none"}), "verify security token fail"),
        (dict(change={"x-project-id": OTHER}), "verify projectId fail"),
        (dict(change={"x-sdk-content-sha256": "0" * 64}), "does not match the body"),
        (dict(change={"host": "ims.example.com"}), "is not this service"),
        (dict(form=lambda text: text.replace("Signature=", "Signature=A")), "verify aksk"),
        (dict(form=lambda text: text.upper()), "malformed"),
        (dict(form=lambda text: text.replace("SDK-HMAC-SHA256", "V11-HMAC-SHA256")), "malformed"),
        (dict(form=lambda text: text.replace(", ", ",")), "malformed"),
        (dict(form=lambda text: text + ", More=x"), "malformed"),
        (dict(form=lambda text: text.split(", Signature")[0]), "malformed"),
        (dict(extra=[("X-Sdk-Date", date)]), "comes 2 times"),
        (dict(extra=[("Authorization", "x")]), "comes twice"),
        (dict(extra=[("X-Auth-Token", client.token())]), "a token and a signature"),
    ]
    for variant, text in bad:
        try:
            gateway_error(client.signed("GET", IMAGES, **variant), text=text)
        except AssertionError as why:
            raise AssertionError("%r: %s" % (variant, why)) from why
    for offset in (-920, 920):
        answer = client.signed("GET", IMAGES, change={"x-sdk-date": sdk_date(time.time() + offset)})
        gateway_error(answer, code="APIGW.0303", text="time difference too large")
    gateway_error(client.send("GET", IMAGES, [("Host", client.host)]), text="x-auth-token not found")
    equal(sim.statistics()["operations"]["ListCloudImages"], {"401": len(bad) + 3})


@test
def other_contents_do_not_match(sim, client):
    image = sim.add_cloud_image()
    headers = {"host": client.host, "x-sdk-date": sdk_date(time.time()), "content-type": "application/json"}
    body = b'[{"op":"replace","path":"/name","value":"one"}]'
    authorization = sign("PATCH", "%s/%s" % (IMAGES, image), {}, headers, body)
    for method, target, sent in (("PATCH", image, body.replace(b"one", b"two")), ("PATCH", sim.add_cloud_image(), body),
                                 ("PATCH", image + "?a=b", body)):
        answer = client.send(method, "%s/%s" % (IMAGES, target),
                             list(headers.items()) + [("Authorization", authorization)], sent)
        gateway_error(answer, text="verify aksk")
    # What a gateway reads as the same is the same, however it is written.
    equal(client.send("PATCH", "%s/%s" % (IMAGES, image.replace("5", "%35")),
                      list(headers.items()) + [("Authorization", authorization)], body).status, 200)


@test
def temporary_keys(sim, client):
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + HOUR))
    sim.add_access_key("HSTATEMPORARY", "secret", security_token="gQtoken", expires=expires)
    key = dict(access="HSTATEMPORARY", secret="secret")
    good = dict(key, change={"x-security-token": "gQtoken"})
    equal(client.signed("GET", IMAGES, **good).status, 200)
    gateway_error(client.signed("GET", IMAGES, **key), text="security token")
    gateway_error(client.signed("GET", IMAGES, **dict(good, change={"x-security-token": "other"})), text="security")
    gateway_error(client.signed("GET", IMAGES, signed=["host", "x-project-id", "x-sdk-date"], **good),
                  text="x-security-token is not signed")
    sim.advance(HOUR + 1)
    late = {"x-security-token": "gQtoken", "x-sdk-date": sdk_date(sim.now())}
    gateway_error(client.signed("GET", IMAGES, **dict(key, change=late)), text="security token expires")
    sim.remove_access_key("HSTATEMPORARY")
    gateway_error(client.signed("GET", IMAGES, **dict(key, change=late)), text="ak not exist")
    raises(harness.ControlError, sim.remove_access_key, "HSTATEMPORARY")
    raises(harness.ControlError, sim.add_access_key, "A", "s", user="nobody")


# ---- tokens ------------------------------------------------------------------------------------------------------

@test
def a_token_for_a_password(sim, client):
    answer = client.ask_token()
    told = answer.json["token"]
    equal((answer.status, told["project"]["id"], told["project"]["name"], "catalog" in told),
          (201, PROJECT, harness.PROJECT_NAME, False))
    expires = calendar.timegm(time.strptime(told["expires_at"].split(".")[0], "%Y-%m-%dT%H:%M:%S"))
    equal(abs(expires - time.time() - 24 * HOUR) < 60, True)
    token = answer.headers["X-Subject-Token"]
    equal((len(token), token == client.token()), (1600, False))
    equal(client.with_token(token, "GET", IMAGES).json, {"images": []})
    image = sim.add_cloud_image()
    body = json.dumps([replace("name", "by token")]).encode()
    equal(client.with_token(token, "PATCH", "%s/%s" % (IMAGES, image), body=body).json["name"], "by token")
    equal(client.with_token(token, "GET", "/v2/images/" + image).json["name"], "by token")
    equal("catalog" in client.ask_token(query="").json["token"], True)
    equal(client.ask_token(project={"id": PROJECT}).json["token"]["project"]["id"], PROJECT)
    with_domain = {"name": harness.PROJECT_NAME, "domain": {"name": harness.ACCOUNT}}
    equal(client.ask_token(project=with_domain).status, 201)
    equal([line["by"] for line in sim.requests("UpdateCloudImage")], ["token"])
    sim.config(tokenBytes=6000)
    equal(len(client.token()), 6000)


@test
def what_iam_refuses(sim, client):
    for changes in (dict(password="wrong"), dict(name="nobody"), dict(domain="other"),
                    dict(project={"name": "eu-west-101"}), dict(project={"id": OTHER})):
        iam_error(client.ask_token(**changes), 401)
    iam_error(client.ask_token(password="wrong"), 401, "The username or password is wrong.")
    body = token_body()
    without = [dict(body, more=1), {"auth": {"identity": body["auth"]["identity"]}}, [], {},
               token_body(project={"id": PROJECT, "name": harness.PROJECT_NAME}), token_body(password=7),
               {"auth": dict(body["auth"], identity={"methods": ["token"], "password": {}})},
               {"auth": dict(body["auth"], scope={"domain": {"name": "x"}})}]
    for wrong in without:
        iam_error(client.ask_token(wrong), 400)
    iam_error(client.ask_token(kind="text/plain"), 400)
    iam_error(client.ask_token(query="?other=1"), 400)
    gateway_error(client.send("GET", TOKENS, [("Host", client.host)]), 405, "APIGW.0101")
    equal(sim.statistics()["operations"]["CreateToken"], {"400": 10, "401": 6})


@test
def tokens_end(sim, client):
    token = client.token()
    gateway_error(client.with_token("MIIFnonsense", "GET", IMAGES), text="decrypt token fail")
    gateway_error(client.with_token(token, "GET", IMAGES, extra=[("X-Project-Id", OTHER)]), text="not for the project")
    equal(client.with_token(token, "GET", IMAGES, extra=[("X-Project-Id", PROJECT)]).status, 200)
    sim.advance(24 * HOUR - 60)
    equal(client.with_token(token, "GET", IMAGES).status, 200)
    sim.advance(61)
    gateway_error(client.with_token(token, "GET", IMAGES), text="token expires, expires_at: ")
    sim.config(tokenSeconds=60)
    token = client.token()
    sim.advance(61)
    gateway_error(client.with_token(token, "GET", IMAGES), text="token expires")
    sim.config(tokenSeconds=HOUR)
    for end in (sim.revoke_tokens, lambda: sim.revoke_tokens(harness.HUAWEI_USER),
                lambda: sim.add_user(password="Another-1"), lambda: sim.remove_access_key(harness.ACCESS_KEY)):
        token = client.token()
        equal(client.with_token(token, "GET", IMAGES).status, 200)
        end()
        gateway_error(client.with_token(token, "GET", IMAGES), text="token has been revoked")
        sim.add_user()
    token = client.token()
    sim.revoke_tokens("somebody else")
    equal(client.with_token(token, "GET", IMAGES).status, 200)


@test
def projects(sim, client):
    sim.add_user(projects=((PROJECT, harness.PROJECT_NAME), (OTHER, "eu-west-101")))
    for answer in (client.signed("GET", "/v3/projects"), client.with_token(client.token(), "GET", "/v3/projects")):
        equal([(project["id"], project["name"]) for project in answer.json["projects"]],
              [(PROJECT, harness.PROJECT_NAME), (OTHER, "eu-west-101")])
    named = client.signed("GET", "/v3/projects", {"name": "eu-west-101"}).json["projects"]
    equal([project["id"] for project in named], [OTHER])
    mine, theirs = sim.add_cloud_image(), sim.add_cloud_image(owner=OTHER)
    equal((client.ids(), client.show(theirs).status), ([mine], 404))
    other = client.signed("GET", IMAGES, change={"x-project-id": OTHER})
    equal([image["id"] for image in other.json["images"]], [theirs])
    token = client.token(project={"id": OTHER})
    equal(client.with_token(token, "GET", "/v2/images/" + theirs).status, 200)


# ---- the model and reads -----------------------------------------------------------------------------------------

@test
def an_image_as_documented(sim, client):
    image = sim.add_cloud_image("ims_test", min_ram=1024, max_ram="4096")
    shown = client.show(image).json
    types = {"min_ram": int, "min_disk": int, "size": int, "max_ram": str, "protected": bool, "tags": list,
             "__image_size": str, "__os_bit": str, "__isregistered": str, "created_at": str, "updated_at": str}
    equal({name: type(shown[name]) for name in types}, types)
    equal((shown["self"], shown["file"], shown["schema"]),
          ("/v2/images/" + image, "/v2/images/%s/file" % image, "/v2/schemas/image"))
    equal((shown["owner"], shown["status"], shown["visibility"], shown["__imagetype"]),
          (PROJECT, "active", "private", "private"))
    equal("__description" in shown, False)
    equal(len(shown["created_at"]), len("2015-12-04T09:45:33Z"))
    equal(client.list().json, {"images": [shown]})
    equal(client.list(id=image).json, {"images": [shown]})
    absent = "00000000-0000-4000-8000-000000000000"
    equal(client.list(id=absent).json, {"images": []})
    ims_error(client.show(absent), "IMG.0027", 404)
    answer = client.show(image)
    equal((answer.headers["etag"], answer.headers["opc-request-id"], len(answer.headers["X-Request-Id"]) > 10),
          (None, None, True))


@test
def walks_by_marker(sim, client):
    ids = sim.generate_cloud_images(1203)
    newest = ids[::-1]
    equal([len(page) for page in client.walk(500)], [500, 500, 203])
    equal(sum(client.walk(500), []), newest)
    equal(client.ids(), newest[:500])
    equal(client.ids(sort_dir="asc"), ids[:500])
    equal(sum(client.walk(401, sort_key="name", sort_dir="asc"), []), ids)
    equal([len(page) for page in client.walk(401)], [401, 401, 401, 0])
    for key in ("status", "size", "container_format", "disk_format", "id"):
        equal(sum(client.walk(500, sort_key=key), []), newest)
    # What came before the marker, and new images that sort before it, do not disturb the walk.
    page = client.ids(limit=10)
    sim.add_cloud_image(created_at="2030-01-01T00:00:00Z")
    sim.purge(page[3])
    equal(client.ids(limit=10, marker=page[-1]), newest[10:20])
    ims_error(client.list(marker=page[3]), "IMG.0027")


@test
def what_lists_refuse(sim, client):
    for query in ({"limit": 0}, {"limit": "x"}, {"limit": -1}, {"limit": 1001}, {"nothing": 1}, {"status": "ACTIVE"},
                  {"sort_key": "updated_at"}, {"sort_dir": "up"}, {"visibility": "hidden"}, {"name": ""},
                  {"created_at": "2026-01-01T00:00:00Z"}, {"created_at": "ge:2026-01-01T00:00:00Z"},
                  {"updated_at": "gt:2026-01-01"}, {"member_status": "accepted"}, {"protected": "yes"},
                  {"min_ram": "1G"}, {"__imagetype": "silver"}):
        try:
            ims_error(client.list(**query), "IMG.0001")
        except AssertionError as why:
            raise AssertionError("%r: %s" % (query, why)) from why
    ims_error(client.signed("GET", IMAGES, {"name": ["a", "b"]}), "IMG.0001", text="twice")
    gateway_error(client.signed("GET", "/v2/flavors"), 404, "APIGW.0101")
    gateway_error(client.signed("DELETE", IMAGES), 405, "APIGW.0101")
    gateway_error(client.send("GET", IMAGES + "?limit", [("Host", client.host)]), 400, "APIGW.0201")
    ims_error(client.signed("GET", "/v2/images/" + sim.add_cloud_image(), {"a": "b"}), "IMG.0001")


@test
def filters(sim, client):
    plain = sim.add_cloud_image("plain", created_at="2026-01-01T00:00:00Z")
    windows = sim.add_cloud_image("win", **{"__os_type": "Windows", "__platform": "Windows", "min_ram": 2048,
                                           "protected": True, "disk_format": "vhd", "tags": ["env.prod", "native"],
                                           "created_at": "2026-01-02T00:00:00Z", "__support_kvm": "true"})
    arm = sim.add_cloud_image("arm", **{"__support_arm": "true", "enterprise_project_id": plain, "status": "queued",
                                       "created_at": "2026-01-03T00:00:00Z", "__whole_image": "true"})
    gold = sim.add_cloud_image("gold", owner=OTHER, visibility="public", __imagetype="gold", protected=True,
                               created_at="2026-01-04T00:00:00Z")
    sim.add_cloud_image("theirs", owner=OTHER)
    everything = [gold, arm, windows, plain]
    for query, wanted in (
            ({}, everything), ({"owner": PROJECT}, everything[1:]), ({"owner": OTHER}, [gold]),
            ({"name": "win"}, [windows]), ({"name": "WIN"}, []), ({"status": "active"}, [gold, windows, plain]),
            ({"__imagetype": "gold", "visibility": "public", "protected": "true"}, [gold]),
            ({"__imagetype": "private"}, everything[1:]), ({"__os_type": "Windows"}, [windows]),
            ({"__platform": "Windows", "disk_format": "vhd"}, [windows]), ({"min_ram": 2048}, [windows]),
            ({"protected": "true"}, [gold, windows]), ({"tag": "env=prod"}, [windows]), ({"tag": "native"}, [windows]),
            ({"tag": "env"}, []), ({"architecture": "arm"}, [arm]), ({"architecture": "x86"}, [gold, windows, plain]),
            ({"enterprise_project_id": plain}, [arm]), ({"enterprise_project_id": "all_granted_eps"}, everything),
            ({"__whole_image": "true"}, [arm]), ({"__whole_image": "false"}, [gold, windows, plain]),
            ({"__support_kvm": "true"}, [windows]), ({"flavor_id": "s2.large.2"}, everything),
            ({"created_at": "gte:2026-01-03T00:00:00Z"}, [gold, arm]),
            ({"created_at": "lt:2026-01-02 00:00:00"}, [plain]), ({"created_at": "eq:2026-01-02T00:00:00Z"}, [windows]),
            ({"created_at": "neq:2026-01-02T00:00:00Z"}, [gold, arm, plain]),
            ({"id": windows, "name": "win"}, [windows]), ({"id": windows, "name": "arm"}, [])):
        equal((query, client.ids(**query)), (query, wanted))


@test
def deletions_and_hiding(sim, client):
    image, other = sim.add_cloud_image(), sim.add_cloud_image()
    sim.delete(image)
    equal((client.ids(), client.ids(status="deleted"), client.show(image).status), ([other], [image], 404))
    sim.hide(other)
    equal((client.ids(), client.show(other).status), ([], 404))
    sim.hide(other, listed=True)
    equal((client.ids(), client.show(other).status), ([other], 404))
    sim.hide(PROJECT)
    equal((client.ids(), client.show(other).status), ([], 404))
    sim.show(PROJECT)
    sim.show(other)
    equal((client.ids(), client.show(other).status), ([other], 200))
    sim.purge(other)
    equal((client.ids(), client.show(other).status), ([], 404))


@test
def rights(sim, client):
    image = sim.add_cloud_image()
    sim.revoke("UpdateCloudImage")
    ims_error(client.patch(image, [replace("name", "x")]), "IMG.0026", 403)
    equal(client.show(image).status, 200)
    sim.revoke(compartment=PROJECT)
    ims_error(client.show(image), "IMG.0026", 403)
    ims_error(client.list(), "IMG.0026", 403)
    sim.grant()
    equal(client.patch(image, [replace("name", "x")]).status, 200)


# ---- changes -----------------------------------------------------------------------------------------------------

@test
def the_documented_change(sim, client):
    image = sim.add_cloud_image("before", created_at="2026-01-01T00:00:00Z")
    before = client.show(image).json
    answer = client.patch(image, [replace("name", "ims_test")])
    equal((answer.status, answer.json["name"]), (200, "ims_test"))
    changed = {name for name in answer.json if answer.json[name] != before.get(name)}
    equal(changed, {"name", "updated_at"})
    equal(answer.json, client.show(image).json)
    stamp = calendar.timegm(time.strptime(answer.json["updated_at"], "%Y-%m-%dT%H:%M:%SZ"))
    equal(abs(stamp - time.time()) < 60, True)
    sim.advance(5)
    again = client.patch(image, [replace("name", "ims_test")]).json
    equal(again["updated_at"] > answer.json["updated_at"], True)
    told = sim.cloud_image(image)
    equal((told["updates"], sim.statistics()["applied"]), (2, 2))
    line = sim.requests("UpdateCloudImage")[0]
    equal((line["target"], line["applied"], line["status"], line["body"]),
          (image, True, 200, [replace("name", "ims_test")]))


@test
def media_types(sim, client):
    image = sim.add_cloud_image()
    for kind in ("application/json", "application/json;charset=UTF-8", "application/json; charset=utf-8",
                 "application/openstack-images-v2.1-json-patch"):
        equal(client.patch(image, [replace("name", "x")], change={"content-type": kind}).status, 200)
    for kind in (None, "text/json", "application/openstack-images-v2.0-json-patch", "application/json-patch+json",
                 "application/json;charset=latin1"):
        ims_error(client.patch(image, [replace("name", "x")], change={"content-type": kind}), "IMG.0001",
                  text="Content-Type")


@test
def add_replace_remove(sim, client):
    image = sim.add_cloud_image()
    ims_error(client.patch(image, [replace("__description", "x")]), "IMG.0035", text="does not exist")
    equal(client.patch(image, [op("add", "__description", "x")]).json["__description"], "x")
    ims_error(client.patch(image, [op("add", "__description", "y")]), "IMG.0035", text="exists already")
    equal(client.patch(image, [replace("__description", "y")]).json["__description"], "y")
    equal("__description" in client.patch(image, [op("remove", "__description")]).json, False)
    ims_error(client.patch(image, [op("remove", "__description")]), "IMG.0035")
    sim.config(addReplaces=True)
    equal(client.patch(image, [op("add", "name", "z")]).json["name"], "z")
    equal(client.patch(image, [op("add", "my-own.attribute", "1")]).json["my-own.attribute"], "1")
    equal("my-own.attribute" in client.patch(image, [op("remove", "my-own.attribute")]).json, False)
    sim.change(image, __description="by hand", more="text")
    equal(client.show(image).json["more"], "text")
    sim.strip(image, "__description", "more")
    equal([name in client.show(image).json for name in ("__description", "more")], [False, False])
    for fixed in ("name", "min_ram", "id", "status", "__os_version", "visibility", "tags", "__support_kvm"):
        ims_error(client.patch(image, [op("remove", fixed)]), "IMG.0105")
    for fixed in ("id", "status", "owner", "updated_at", "protected", "disk_format", "__imagetype"):
        ims_error(client.patch(image, [replace(fixed, "x")]), "IMG.0105")


@test
def several_operations(sim, client):
    image = sim.add_cloud_image("one")
    answer = client.patch(image, [replace("name", "two"), replace("min_ram", "2048"),
                                  op("add", "__description", "d"), replace("__description", "e")])
    equal([answer.json[name] for name in ("name", "min_ram", "__description")], ["two", 2048, "e"])
    half = [replace("name", "three"), replace("max_ram", "1")]
    ims_error(client.patch(image, half), "IMG.0035")
    equal((client.show(image).json["name"], sim.cloud_image(image)["updates"]), ("two", 1))
    sim.config(patchAtomic=False)
    ims_error(client.patch(image, half), "IMG.0035")
    equal((client.show(image).json["name"], sim.cloud_image(image)["updates"]), ("three", 2))
    ims_error(client.patch(image, [replace("name", "four"), {"op": "replace"}]), "IMG.0001")
    swap = [replace("name", "four"), op("add", "__support_xen", "true"), op("add", "__support_xen_hana", "true")]
    ims_error(client.patch(image, swap), "IMG.0035", text="co-exist")
    equal((client.show(image).json["name"], sim.cloud_image(image)["updates"]), ("three", 2))


@test
def values(sim, client):
    image = sim.add_cloud_image()
    sim.config(addReplaces=True)
    for attribute, value, stored in (
            ("min_ram", "1024", 1024), ("min_ram", 2048, 2048), ("max_ram", "4096", "4096"), ("max_ram", 8192, "8192"),
            ("name", "\u955c\u50cf-01", "\u955c\u50cf-01"), ("name", "a" * 128, "a" * 128),
            ("name", "A b.c_d-9", "A b.c_d-9"),
            ("__description", "", ""), ("__description", "d" * 1024, "d" * 1024), ("hw_firmware_type", "uefi", "uefi"),
            ("hw_vif_multiqueue_enabled", "false", "false"), ("__is_config_init", "true", "true"),
            ("__support_largememory", "true", "true"), ("enterprise_project_id", image, image),
            ("enterprise_project_id", "0", "0"), ("__support_fc_inject", "true", "true")):
        answer = client.patch(image, [op("add", attribute, value)])
        equal((attribute, answer.status, answer.json.get(attribute)), (attribute, 200, stored))
    for attribute, value, code in (
            ("name", "a" * 129, "IMG.0002"), ("name", "", "IMG.0003"), ("name", " a", "IMG.0003"),
            ("name", "a ", "IMG.0003"), ("name", "a/b", "IMG.0003"), ("__description", "d" * 1025, "IMG.0004"),
            ("__description", "<b>", "IMG.0054"), ("__description", "a\r\nb", "IMG.0054"),
            ("min_ram", "1G", "IMG.0055"), ("min_ram", -1, "IMG.0055"), ("min_ram", 1.5, "IMG.0055"),
            ("max_ram", "", "IMG.0055"), ("hw_firmware_type", "UEFI", "IMG.0141"),
            ("hw_vif_multiqueue_enabled", "True", "IMG.0001"), ("__support_xen", "false", "IMG.0001"),
            ("name", 7, "IMG.0001"), ("name", None, "IMG.0001"), ("hw_vif_multiqueue_enabled", True, "IMG.0001"),
            ("min_ram", None, "IMG.0001"), ("min_ram", [1], "IMG.0001"), ("enterprise_project_id", "x", "IMG.0155"),
            ("Upper", "x", "IMG.0001"), ("a/b", "x", "IMG.0001"), ("", "x", "IMG.0001")):
        before = client.show(image).json
        try:
            ims_error(client.patch(image, [op("add", attribute, value)]), code)
        except AssertionError as why:
            raise AssertionError("%s=%r: %s" % (attribute, value, why)) from why
        equal(client.show(image).json, before)


@test
def what_the_documents_leave_open(sim, client):
    image = sim.add_cloud_image()
    sim.config(numbersRefused=True, emptyRemoves=True)
    ims_error(client.patch(image, [replace("min_ram", 2048)]), "IMG.0001", text="not a string")
    equal(client.patch(image, [replace("min_ram", "2048")]).json["min_ram"], 2048)
    equal(client.patch(image, [op("add", "__description", "x")]).status, 200)
    equal("__description" in client.patch(image, [replace("__description", "")]).json, False)
    ims_error(client.patch(image, [replace("__description", "y")]), "IMG.0035")


@test
def what_cannot_stand_together(sim, client):
    image = sim.add_cloud_image(__support_kvm="true")
    ims_error(client.patch(image, [op("add", "__support_kvm_gpu_type", "V100")]), "IMG.0035", text="co-exist")
    sim.strip(image, "__support_kvm")
    equal(client.patch(image, [op("add", "__support_kvm_gpu_type", "V100")]).status, 200)
    ims_error(client.patch(image, [op("add", "__support_xen", "true")]), "IMG.0035", text="co-exist")
    swap = [op("add", "__support_xen", "true"), op("remove", "__support_kvm_gpu_type")]
    equal(client.patch(image, swap).status, 200)
    ims_error(client.patch(image, [op("add", "__support_kvm_infiniband", "true")]), "IMG.0035", text="co-exist")


@test
def malformed_bodies(sim, client):
    image = sim.add_cloud_image()
    ims_error(client.patch(image, b""), "IMG.0007")
    for body in (b"{}", b"[]", b"[1]", b"[", b'"x"', b"null", b'[{"op":"replace","path":"/name","value":"a"}] x',
                 b'[{"op":"replace","op":"add","path":"/name","value":"a"}]', b'[{"op":"replace","path":"/name"}]',
                 b'[{"op":"replace","value":"a"}]', b'[{"path":"/name","value":"a"}]',
                 b'[{"op":"test","path":"/name","value":"a"}]', b'[{"op":"replace","path":"name","value":"a"}]',
                 b'[{"op":"replace","path":"/name","value":"a","more":1}]', b'[{"op":"remove","path":"/x"}]',
                 b'[{"op":"replace","path":"/name","value":"\xff"}]', b'[{"replace":"/name","value":"a"}]'):
        try:
            ims_error(client.patch(image, body), "IMG.0001")
        except AssertionError as why:
            raise AssertionError("%r: %s" % (body, why)) from why
    sim.config(removeNeedsValue=False)
    ims_error(client.patch(image, b'[{"op":"remove","path":"/x"}]'), "IMG.0035")
    big = json.dumps([replace("__description", "x" * 1100000)]).encode()
    gateway_error(client.patch(image, big), 413, "APIGW.0201")
    equal(sim.cloud_image(image)["updates"], 0)


@test
def images_that_cannot_be_changed(sim, client):
    change = [replace("name", "x")]
    for status in ("queued", "saving", "killed", "pending_delete"):
        ims_error(client.patch(sim.add_cloud_image(status=status), change), "IMG.0046", text=status)
    image = sim.add_cloud_image(status="deleted")
    ims_error(client.patch(image, change), "IMG.0027", 404)
    sim.config(absentStatus=400)
    ims_error(client.patch(image, change), "IMG.0027", 400)
    ims_error(client.show(image), "IMG.0027", 404)
    ims_error(client.patch(sim.add_cloud_image(owner=OTHER), change), "IMG.0027", 400)
    public = sim.add_cloud_image(owner=OTHER, visibility="public", __imagetype="gold")
    ims_error(client.patch(public, change), "IMG.0083")
    shared = sim.add_cloud_image(owner=OTHER, visibility="shared", __imagetype="shared")
    ims_error(client.patch(shared, change), "IMG.0047")
    disk = sim.add_cloud_image(virtual_env_type="DataImage")
    ims_error(client.patch(disk, change), "IMG.0168")
    sim.config(dataImagesRefuse=False)
    equal(client.patch(disk, change).status, 200)
    equal(client.patch(sim.add_cloud_image(protected=True), change).status, 200)


# ---- faults and control ------------------------------------------------------------------------------------------

@test
def faults(sim, client):
    image = sim.add_cloud_image("name")
    change = [replace("name", "x")]
    sim.fault("ListCloudImages", "status", status=429)
    gateway_error(client.list(), 429, "APIGW.0308")
    sim.fault("UpdateCloudImage", "status", status=500, target=image)
    ims_error(client.patch(image, change), "IMG.0061", 500)
    sim.fault("UpdateCloudImage", "status", status=400, code="IMG.0148", message="exported", target=image)
    ims_error(client.patch(image, change), "IMG.0148", text="exported")
    sim.fault("ShowImage", "status", status=401, code="APIG.0307", message="The token must be updated")
    gateway_error(client.show(image), 401, "APIG.0307")
    sim.fault("ShowImage", "status", status=503, code="Busy")
    equal(client.show(image).json, {"code": "Busy", "message": "A scripted fault"})
    sim.fault("CreateToken", "status", status=503)
    iam_error(client.ask_token(), 503)
    sim.fault("UpdateCloudImage", "process-then-status", status=502, body="<html>")
    equal(client.patch(image, change).headers["content-type"], "text/html")
    equal(sim.cloud_image(image)["cloudImage"]["name"], "x")
    sim.fault("UpdateCloudImage", "process-then-close")
    raises((http.client.HTTPException, OSError), client.patch, image, [replace("name", "y")])
    equal(client.show(image).json["name"], "y")
    sim.fault("ShowImage", "echo-other", set={"name": "z"})
    equal((client.show(image).json["name"], client.show(image).json["name"]), ("z", "y"))
    sim.fault("ListCloudImages", "echo-other", set={"name": "z"})
    equal(client.list().json["images"][0]["name"], "z")
    sim.fault("UpdateCloudImage", "change-before", change={"__description": "between"})
    equal(client.patch(image, change).json["__description"], "between")
    sim.fault("ShowImage", "invalid-json")
    raises(ValueError, lambda: client.show(image).json)
    equal([rule["fired"] for rule in sim.faults()], [1] * 12)


@test
def a_rival_changes_an_image_after_it_was_read(sim, client):
    image = sim.add_cloud_image("old", __description="x")
    sim.fault("ShowImage", "change-after", target=image, change={"name": "rival"}, strip=["__description"])
    shown = [client.show(image).json for _ in range(2)]
    equal([(one["name"], one.get("__description")) for one in shown], [("old", "x"), ("rival", None)])
    ims_error(client.patch(image, [replace("__description", "y")]), "IMG.0035")
    sim.fault("ListCloudImages", "change-after", target=image, change={"name": "later"})
    equal(client.list().json["images"][0]["name"], "rival")
    names = [client.list(id=image).json["images"][0]["name"] for _ in range(2)]
    equal((names, sim.cloud_image(image)["updates"]), (["rival", "later"], 0))


@test
def page_faults(sim, client):
    ids = sim.generate_cloud_images(6)[::-1]
    sim.fault("ListCloudImages", "break-page", times=1)
    equal(client.ids(limit=2), ids[:2])
    ims_error(client.list(limit=2, marker=ids[1]), "IMG.0061", 500)
    sim.fault("ListCloudImages", "shuffle-page", times=1)
    page = client.list(limit=2, marker=ids[1]).json["images"]
    equal([image["id"] for image in page], [ids[1], ids[2]])
    equal(page[0]["name"].endswith("-shuffled"), True)


@test
def lists_lag_behind(sim, client):
    image = sim.add_cloud_image("old")
    sim.config(listLagSeconds=5)
    equal(client.patch(image, [replace("name", "new")]).json["name"], "new")
    equal((client.list().json["images"][0]["name"], client.show(image).json["name"]), ("old", "new"))
    sim.advance(6)
    equal(client.list().json["images"][0]["name"], "new")


@test
def control_calls(sim, client):
    image = sim.add_cloud_image("name", tags=["a.b"])
    equal(sorted(sim.cloud_images()), [image])
    before = client.show(image).json["updated_at"]
    sim.advance(3)
    equal(sim.change(image, name="other"), {})
    equal(client.show(image).json["updated_at"] > before, True)
    sim.change(image, status="saving", updated_at="2026-01-01T00:00:00Z")
    equal([client.show(image).json[name] for name in ("status", "updated_at")], ["saving", "2026-01-01T00:00:00Z"])
    told = sim.cloud_image(image)
    equal((told["kind"], told["updates"], told["hidden"]), ("cloudImage", 0, False))
    for call in (lambda: sim.cloud_image("00000000-0000-4000-8000-00000000ffff"),
                 lambda: sim.call("POST", "/cloudimages", {"name": "no id"}),
                 lambda: sim.call("POST", "/iam/users", {"name": "x"}), lambda: sim.fault("PatchImage", "reset"),
                 lambda: sim.call("POST", "/signature", {}), lambda: sim.config(absentStatus=7)):
        raises(harness.ControlError, call)
    token = client.token()
    sim.reset()
    gateway_error(client.with_token(token, "GET", IMAGES), text="decrypt token fail")
    equal((sim.cloud_images(), client.ids()), ({}, []))


@test
def many_images(sim, client):
    sim.generate_cloud_images(10000)
    for query in ({}, {"owner": PROJECT, "status": "active"}, {"__os_type": "Linux"}):
        start = time.monotonic()
        equal(len(client.ids(limit=500, **query)), 500)
        print("# a page of 500 of 10000 images by %r: %.1f ms" % (query, (time.monotonic() - start) * 1000))


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
